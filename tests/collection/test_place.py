"""Paths: kept relative to the collection's folder, shown as the user may open them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lookalike.collection.place import Place, find_place


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("photos", b"."),
        ("photos/a.png", b"a.png"),
        ("photos/below/../a.png", b"a.png"),
        ("other/b.png", b"../other/b.png"),
        ("link/b.png", b"../other/b.png"),
        ("", b".."),
        ("photos/\udce9.png", b"\xe9.png"),
    ],
)
def test_there_and_back(tmp_path: Path, path: str, kept: bytes) -> None:
    (tmp_path / "photos" / "below").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("other")
    place = Place.at(str(tmp_path / "photos" / ".lookalike"))
    given = os.path.join(tmp_path, path)
    assert place.relative(given) == kept
    assert place.absolute(kept) == os.path.realpath(given)


def test_a_linked_collection_directory_keeps_its_meaning(tmp_path: Path) -> None:
    """`.lookalike` as a link to a faster disk: paths are relative to where it really lies."""
    (tmp_path / "fast" / "index").mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / ".lookalike").symlink_to(tmp_path / "fast" / "index")
    by_link = find_place(str(tmp_path / "photos"))
    kept = by_link.relative(str(tmp_path / "photos" / "a.png"))
    assert kept == b"../photos/a.png"
    assert by_link.absolute(kept) == str(tmp_path / "photos" / "a.png")
    assert by_link.base == Place.at(str(tmp_path / "fast" / "index")).base == str(tmp_path / "fast")


def test_the_folders_own_collection_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".lookalike").mkdir()
    (tmp_path / ".lookalike" / "catalogue.sqlite").touch()
    (tmp_path / "catalogue.sqlite").touch()
    assert find_place(str(tmp_path)).directory == str(tmp_path / ".lookalike")
    (tmp_path / ".lookalike" / "catalogue.sqlite").unlink()
    assert find_place(str(tmp_path)).directory == str(tmp_path)
    (tmp_path / "catalogue.sqlite").unlink()
    assert find_place(str(tmp_path)).directory == str(tmp_path / ".lookalike")
