from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from lookalike.cli.globs import is_pattern, matches

from ..images.test_find import nested


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """photos/, the working folder's only folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.jpg", "B.jpg", "note.txt", ".hidden.jpg", "2024/c.jpg", "2024/may/d.jpg", "2023/e.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "photos" / ".cache").mkdir()
    (tmp_path / "photos" / ".cache" / "f.jpg").touch()


@pytest.mark.parametrize(
    "pattern",
    [
        "photos/*.jpg",
        "photos/?.jpg",
        "photos/[ab].jpg",
        "photos/[!a].jpg",
        "photos/[a-c].jpg",
        "photos/[.jpg",
        "photos/*/*.jpg",
        "photos/**/*.jpg",
        "**/*.jpg",
        "**/may/**/*.jpg",
        "photos/**/**/d.jpg",
        "*/2024/*.jpg",
        "photos/.*.jpg",
        "photos/.*/*.jpg",
        "./photos/../photos/*.jpg",
        "photos//*.jpg",
        "photos/20*",
        "photos/20*/",
        "photos/*.jpg/",
        "photos/a.jpg/*",
        "photos/no*",
        "no/**/*.jpg",
    ],
)
def test_they_match_what_pythons_glob_does(pattern: str) -> None:
    for each in (pattern, os.path.join(os.getcwd(), pattern)):
        expected = {os.path.normpath(path) for path in glob.glob(each, recursive=True)}
        found = matches(each)
        assert len(found) == len(expected)
        assert {os.path.normpath(path) for path in found} == expected


def test_they_are_sorted_folder_by_folder() -> None:
    assert matches("photos/**/*.jpg") == [
        "photos/B.jpg",
        "photos/a.jpg",
        "photos/b.jpg",
        "photos/2024/c.jpg",
        "photos/2024/may/d.jpg",
    ]


def test_what_lies_in_a_folder_that_matches_is_there_with_it() -> None:
    assert matches("photos/**") == ["photos"]
    assert matches("**") == ["."]
    assert matches("photos/**/*") == [
        f"photos/{name}" for name in ("2023", "2024", "B.jpg", "a.jpg", "b.jpg", "note.txt")
    ]
    Path("photos/2024/may/2024").mkdir()
    assert matches("**/2024") == ["photos/2024"]


def test_links_that_loop_end() -> None:
    os.symlink("..", "photos/2023/up")
    os.symlink(".", "photos/2023/here")
    assert matches("photos/**/*.png") == ["photos/2023/e.png"]
    assert matches("photos/2023/here/*.png") == ["photos/2023/here/e.png"]


def test_names_are_bytes() -> None:
    names = [b"\xff\xfe.tif", b"new\nline.tif", "\u202efit.tif".encode()]
    for name in names:
        Path(os.fsdecode(b"photos/" + name)).touch()
    assert [os.fsencode(path) for path in matches("photos/*.tif")] == sorted(b"photos/" + name for name in names)
    assert [os.fsencode(path) for path in matches(os.fsdecode(b"photos/\xff*"))] == [b"photos/\xff\xfe.tif"]


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with nested(tmp_path / "deep", "d", 1100):
        assert matches("**/*.jpg") == ["d/" * 1100 + "x.jpg"]
        assert matches("**") == ["."]


def test_what_a_pattern_is() -> None:
    assert [word for word in ("*", "a?", "[", "a", "]", "{a,b}", "") if is_pattern(word)] == ["*", "a?", "["]
