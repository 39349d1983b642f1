"""`lookalike index`, `search` and `info` where pictures are in archives."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile

import pytest

from lookalike.demo import folder
from tests.archived import pack

from .conftest import Run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Four pictures, one that cannot be read, and two texts."""
    pictures = sorted(Path(folder(), "fruit").iterdir())[:4]
    members = {f"fruit/{path.name}": path.read_bytes() for path in pictures}
    return pack(tmp_path / "photos.tar", {**members, "bad\n.jpg": b"bad", "a.txt": b"", "b.txt": b""}, 0)


@pytest.fixture
def query(tmp_path: Path) -> Path:
    query = tmp_path / "query.jpg"
    shutil.copy(sorted(Path(folder(), "fruit").iterdir())[0], query)
    return query


def test_an_archive_is_indexed_and_searched(run: Run, archive: Path, query: Path, tmp_path: Path) -> None:
    done = run("index", "photos.tar", "--to", "idx")
    first, *rest = done.stderr.splitlines()
    assert first.startswith("4 pictures indexed: 4 new, in ")
    assert rest == [
        "  2 skipped: not a picture: photos.tar/a.txt and 1 more",
        "  1 could not be read:",
        f"    {archive}/bad\\n.jpg: not a picture: its content is text",
    ]
    assert run("index", "photos.tar", "--to", "idx").stderr.startswith("4 pictures indexed: nothing new, in ")
    found = run("search", query, "idx")
    lines = [line.split("  ") for line in found.stdout.splitlines()]
    assert len(lines) == 4
    assert all(path.startswith("photos.tar/fruit/") for _, path in lines)
    assert lines[0][0] == "0.0000"
    hits = [json.loads(line) for line in run("search", query, "idx", "--json").stdout.splitlines()]
    assert [os.path.relpath(hit["path"], tmp_path) for hit in hits] == [path for _, path in lines]
    assert hits[0]["facts"]["folder"] == "photos.tar/fruit"
    (tmp_path / "facts.csv").write_text(f"path,stars\n{lines[1][1]},5\nphotos.tar/none.jpg,1\n")
    given = run("index", "photos.tar", "--to", "idx", "--metadata", "facts.csv")
    assert "facts given to 1 picture\n  1 path with facts but without a picture here:" in given.stderr
    only = run("search", query, "idx", "--where", "stars = 5")
    assert [line.split("  ")[1] for line in only.stdout.splitlines()] == [lines[1][1]]


def test_reports_for_programs(run: Run, archive: Path) -> None:
    report = json.loads(run("index", "photos.tar", "--to", "idx", "--json").stdout)
    expected = {"new": 4, "indexed": 4, "embedded": 4, "found": 7, "failed": 1, "newly_failed": 1, "lost": []}
    assert {name: report[name] for name in expected} == expected
    assert report["skipped"] == {"not a picture": 2}
    assert report["failures"] == [{"path": f"{archive}/bad\n.jpg", "reason": "not a picture: its content is text"}]
    about = json.loads(run("info", "idx", "--json").stdout)
    assert (about["roots"], about["things"], about["indexed"], about["failed"]) == ([str(archive)], "pictures", 4, 1)
    assert about["failures"] == report["failures"]
    text = run("info", "idx").stdout
    assert f"sources     {archive}\npictures    4\n" in text
    assert f"  {archive}/bad\\n.jpg: not a picture" in text


def test_an_archive_that_is_away_is_said_and_searched(run: Run, archive: Path, query: Path) -> None:
    run("index", "photos.tar", "--to", "idx")
    archive.rename(archive.with_name("away"))
    found = run("search", query, "idx")
    assert len(found.stdout.splitlines()) == 4
    assert f"not brought up to date: {archive}: cannot be read (No such file or directory)" in found.stderr
    refused = run("sync", "idx", code=2)
    assert f"{archive}: cannot be read (No such file or directory)" in refused.stderr
    whole = archive.with_name("away").read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    found = run("search", query, "idx")
    assert f"not brought up to date: {archive}: expected a whole tar archive" in found.stderr


def test_a_folder_of_archives_says_how_to_read_them(run: Run, archive: Path, query: Path, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    archive.rename(tmp_path / "shards" / "0.tar")
    refused = run("search", query, "shards", code=2).stderr
    named = f"{tmp_path}/shards/0.tar: lookalike index FILE --to PATH"
    assert f"name the archives to have their pictures read, {named}" in refused
    shutil.copy(query, tmp_path / "shards")
    done = run("index", "shards").stderr
    assert (
        "  1 skipped: an archive; name it to have its pictures read: lookalike index FILE --to PATH: shards/0.tar"
        in done
    )
    done = run("index", "shards/0.tar", "--to", "shards/.lookalike").stderr
    assert "5 pictures indexed: 4 new" in done
    assert "an archive" not in done


def test_an_archive_without_a_picture_that_is_read_says_what_it_holds(run: Run, tmp_path: Path) -> None:
    picture = next(Path(folder(), "fruit").iterdir())
    with ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.write(picture, "a.png", ZIP_LZMA)
        archive.writestr("b.txt", "b")
        archive.writestr("c.txt", "c")
    told = run("index", "packed.zip", "--to", "idx", code=2).stderr
    assert "a.png (packed by another method than deflate; pack it again)" in told
    assert "b.txt and 1 more (not a picture)" in told
    assert not (tmp_path / "idx").exists()
