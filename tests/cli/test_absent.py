"""Pictures that are gone for a while: what is said of them, and what is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .conftest import KINDS, Run
from .test_search_queries import paths
from .test_sync import count


def move(here: Path, there: Path) -> None:
    there.mkdir(exist_ok=True)
    for kind in KINDS:
        shutil.move(here / kind, there / kind)


def test_an_emptied_folder_is_told_and_its_facts_come_back(
    run: Run, photos: Path, picture: Path, tmp_path: Path
) -> None:
    number = count(photos)
    shutil.copy(picture, tmp_path / "query.png")
    (tmp_path / "facts.csv").write_text(f"path,stars\n{picture},5\n")
    run("index", "photos", "--metadata", "facts.csv")
    move(photos, tmp_path / "away")
    for _ in range(2):
        told = run("search", "query.png", "photos", code=2).stderr
        assert f"lookalike: no pictures in {photos} any more; of {number} pictures that were there the ids and" in told
        if not _:
            assert (
                f"  no picture is in {photos} any more: {number} pictures that were there are taken out; their" in told
            )
    assert f"away        {number} pictures, whose ids and facts are kept for 90 days" in run("info", "photos").stdout
    move(tmp_path / "away", photos)
    done = run("search", "query.png", "photos", "--where", "stars = 5")
    assert f"{number} pictures indexed: {number} returned, in " in done.stderr
    assert done.stdout.endswith(f"{picture.relative_to(tmp_path)}\n")
    assert "away" not in run("info", "photos").stdout


def test_reports_and_how_long_facts_are_kept(run: Run, photos: Path, tmp_path: Path) -> None:
    run("index", "photos")
    shutil.move(photos / "cats", tmp_path / "cats")
    gone = count(tmp_path / "cats")
    report = json.loads(run("sync", "photos", "--keep-facts", "7", "--json").stdout)
    assert (report["removed"], report["absent"], report["returned"], report["emptied"]) == (gone, gone, 0, [])
    assert json.loads(run("info", "photos", "--json").stdout)["kept_days"] == 7
    assert json.loads(run("sync", "photos", "--keep-facts", "0", "--json").stdout)["absent"] == 0
    assert "days is -1; expected at least 0" in run("sync", "photos", "--keep-facts", "-1", code=2).stderr


def test_a_picture_that_is_gone_is_searched_by(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("index", "photos")
    expected = paths(run("search", "--id", picture, "photos", "-k", "3"))
    picture.unlink()
    done = run("search", "--id", picture, "photos", "-k", "3", "--html", "page.html")
    assert paths(done) == expected
    assert "its file is gone" in (tmp_path / "page.html").read_text()
    run("optimize", "photos")
    assert (
        "whose vector is not kept any more; search by a copy" in run("search", "--id", picture, "photos", code=2).stderr
    )
