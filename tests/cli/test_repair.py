"""`verify`, `repair` and `optimize`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.segment_files import segment

from .conftest import Run

pytestmark = pytest.mark.thorough


@pytest.fixture
def damaged(run: Run, photos: Path) -> Path:
    """An indexed folder whose segment is gone."""
    run("index", photos)
    segment(photos / ".lookalike").unlink()
    return photos


def test_verify(run: Run, photos: Path, damaged: Path) -> None:
    done = run("verify", damaged, code=2)
    assert "000001-" in done.stdout
    assert "lookalike repair" in done.stderr
    (line,) = run("verify", damaged, "--json", code=2).stdout.splitlines()
    assert "000001-" in json.loads(line)["problem"]


def test_repair_names_what_is_lost(run: Run, photos: Path, damaged: Path, picture: Path) -> None:
    picture.unlink()
    done = run("repair", damaged, code=1)
    assert picture.name in done.stdout
    assert "1 lost" in done.stderr
    done = run("verify", damaged)
    assert (done.stdout, "every byte" in done.stderr) == ("", True)
    assert "nothing was damaged" in run("repair", damaged).stderr


def test_repair_stops_where_pictures_are_away(run: Run, photos: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    run("index", photos, "--to", index)
    segment(index).unlink()
    photos.rename(tmp_path / "away")
    done = run("repair", index, code=2)
    assert (str(photos) in done.stderr, "--give-up" in done.stderr) == (True, True)
    assert run("repair", index, "--give-up", code=1).stdout.count("lost: ") > 0
    (tmp_path / "away").rename(photos)
    run("sync", index)
    assert run("repair", index).stdout == ""


def test_repair_names_lost_facts(run: Run, photos: Path, damaged: Path, picture: Path) -> None:
    (photos / "facts.csv").write_text(f"path,mine\n{picture.relative_to(photos)},5\n")
    run("repair", damaged)
    run("sync", photos, "--metadata", photos / "facts.csv")
    (segment,) = (photos / ".lookalike" / "segments").iterdir()
    segment.unlink()
    picture.unlink()
    done = run("repair", damaged, "--json", code=1)
    (lost,) = json.loads(done.stdout)["lost_facts"]
    assert (lost["path"], lost["facts"]) == (str(picture), {"mine": 5})


def test_repair_as_json(run: Run, damaged: Path, picture: Path) -> None:
    picture.unlink()
    report = json.loads(run("repair", damaged, "--json", code=1).stdout)
    assert [lost["path"] for lost in report["lost"]] == [str(picture)]
    assert report["embedded"] > 0 == report["kept"]


def test_optimize(run: Run, photos: Path) -> None:
    run("index", photos)
    assert "1 segment;" in run("optimize", photos).stderr


@pytest.mark.parametrize("verb", ["verify", "repair", "optimize", "tune"])
def test_what_is_not_indexed(run: Run, photos: Path, verb: str) -> None:
    assert "is not indexed; index it with: lookalike index" in run(verb, photos, code=2).stderr
    assert not (photos / ".lookalike").exists()
    assert "expected a folder" in run(verb, "nowhere", code=2).stderr
