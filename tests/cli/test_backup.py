"""`lookalike backup` and `search --timeout`, as they are called."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run


def test_a_backup_and_a_search_in_it(photos: Path, run: Run) -> None:
    run("index", photos)
    said = run("backup", photos, "copy", "--json")
    report = json.loads(said.stdout)
    assert report["items"] > 0
    assert "verified" in said.stderr
    again = run("backup", photos, "copy")
    assert "1 there already; verified" in again.stderr
    found = [run("search", "--id", "1", where, "-k", "3", "--json").stdout for where in (photos, "copy")]
    assert found[0] == found[1]
    assert run("verify", "copy").returncode == 0


def test_wrong_places(photos: Path, run: Run) -> None:
    run("index", photos)
    assert "the collection itself" in run("backup", photos, Path(photos) / ".lookalike", code=2).stderr
    assert "is not indexed" in run("backup", ".", "copy", code=2).stderr
    assert "expected no file or an empty folder" in run("backup", photos, photos, code=2).stderr


def test_a_search_that_is_given_a_time(photos: Path, run: Run) -> None:
    run("index", photos)
    assert run("search", "--id", "1", photos, "--timeout", "600").returncode == 0
    late = run("search", "--id", "1", photos, "--timeout", "1e-9", code=2)
    assert "expected an answer within 1e-09 s" in late.stderr
    assert late.stdout == ""
    assert "expected more than 0 seconds" in run("search", "--id", "1", photos, "--timeout", "0", code=2).stderr
