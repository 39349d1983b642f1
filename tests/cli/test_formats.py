"""What is said of pictures that stand for more than they show."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.images.raw_files import jpeg_of, raw
from tests.images.test_pages import several


def test_raw_files_and_those_of_several_pages_are_told(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "scan.tif").write_bytes(several("TIFF", 3))
    (folder / "one.jpg").write_bytes(jpeg_of((10, 200, 10), (80, 60)))
    (folder / "camera.dng").write_bytes(raw("dng", jpeg_of((9, 9, 9), (16, 12)), jpeg_of((90, 9, 200), (160, 120))))
    assert "3 pictures indexed" in run("index", "phone").stderr
    (line,) = [line for line in run("info", "phone").stdout.splitlines() if line.startswith("pages ")]
    assert "1 file holds several pictures" in line
    assert json.loads(run("info", "phone", "--json").stdout)["of_several_pages"] == 1
    found = run("search", "--id", "phone/one.jpg", "phone", "--where", "pages > 1", "--json").stdout
    assert json.loads(found)["facts"]["pages"] == 3
    found = json.loads(run("search", "--id", "phone/one.jpg", "phone", "--where", "media = 'raw'", "--json").stdout)
    assert (found["facts"]["camera"], found["facts"]["year"]) == ("Maker DNG", 2021)


def test_what_is_left_out_is_listed_when_it_is_new_or_asked_for(run: Run, photos: Path, picture: Path) -> None:
    (photos / "notes.txt").write_text("no picture")
    (photos / "broken.jpg").write_bytes(b"")
    first = run("index", "photos").stderr
    assert "1 skipped: not a picture: photos/notes.txt" in first
    assert "broken.jpg: the file is empty" in first
    again = run("sync", "photos").stderr.splitlines()
    assert again[1:] == ["  1 skipped, 1 could not be read, as before; listed by: lookalike sync WHERE --skipped"]
    assert run("search", picture, "photos", "--no-check").stderr == run("search", picture, "photos").stderr

    (photos / "more.txt").write_text("no picture either")
    run("search", picture, "photos")  # which says nothing of it, so it is still new
    assert "2 skipped: not a picture: photos/more.txt, photos/notes.txt" in run("sync", "photos").stderr
    assert "2 skipped, 1 could" in run("sync", "photos").stderr
    asked = run("sync", "photos", "--skipped").stderr.splitlines()
    assert asked[1:4] == ["  2 skipped: not a picture:", "    photos/more.txt", "    photos/notes.txt"]
    assert run("verify", "photos").returncode == 0
