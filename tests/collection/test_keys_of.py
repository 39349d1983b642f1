"""A picture is named by any path that something here shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.errors import ArgumentError, PictureError
from lookalike.names import file_url, visible
from tests.collection.conftest import Draw


@pytest.fixture
def collection(tmp_path: Path, folder: Path, draw: Draw) -> Iterator[Collection]:
    """Of two sources, apart from them; some names are hard."""
    draw(folder / "a b" / "line\nbreak.png", seed=30)
    draw(folder / "a b" / "no utf-8 \udce9.png", seed=31)
    draw(tmp_path / "other" / "0.png", seed=32)
    draw(tmp_path / "other" / "lonely.png", seed=33)
    with Collection.create([folder, tmp_path / "other"], tmp_path / "kept" / "index") as collection:
        collection.sync()
        yield collection


def test_a_picture_is_found_by_each_path_that_is_shown(
    collection: Collection, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("below/last.png", "a b/line\nbreak.png", "a b/no utf-8 \udce9.png"):
        path = os.fspath(folder / name)
        facts = collection.facts(path)
        id = next(iter(collection.originals([path])))
        shown = [
            path,  # JSON
            os.path.relpath(path),  # lines
            facts["path"],  # relative to the collection's folder
            name,  # on pages: relative to the source
            visible(path),
            visible(os.path.basename(path)),
            file_url(path),  # a page's link
        ]
        for each in shown:
            assert isinstance(each, str)
            assert collection.path(each) == path, each
            assert list(collection.originals([each])) == [id], each
            assert collection.facts(each) == facts
            assert collection.search(id=each, k=1)[0].path != path


def test_the_working_folder_comes_first(
    collection: Collection, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "other")
    assert collection.path("0.png") == os.fspath(tmp_path / "other" / "0.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=r"received 0\.png, as 2 are shown, .*/other/0\.png and .*/photos/0\.png"):
        collection.path("0.png")
    assert collection.path("lonely.png") == os.fspath(tmp_path / "other" / "lonely.png")


def test_a_name_of_several_is_refused(collection: Collection, folder: Path, draw: Draw) -> None:
    draw(folder / "below" / "twice.png", seed=40)
    draw(folder / "a b" / "twice.png", seed=41)
    collection.sync()
    with pytest.raises(ArgumentError, match=r"received twice\.png, as 2 are shown, .*below/twice\.png"):
        collection.path("twice.png")
    with pytest.raises(PictureError, match="expected an indexed picture"):
        collection.path("none.png")
