"""Writing the page: the old one or the new one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.errors import ArgumentError, WriteError
from lookalike.pages import BEGINNING, gallery, groups_page, write_page


def test_every_page_begins_as_ours() -> None:
    for page in (gallery([], "Look-alikes"), "".join(groups_page([], "Copies", "None."))):
        assert page.encode().startswith(BEGINNING)


def test_a_page_is_written_as_utf8_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    write_page("old", str(target))
    write_page("näher 猫", str(target))
    assert target.read_bytes() == "näher 猫".encode()
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_page_is_written_in_pieces_and_none_is_left_of_one_that_breaks_off(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "new"
        raise ArgumentError("expected more")

    target = tmp_path / "page.html"
    write_page(iter(["o", "ld"]), str(target))
    with pytest.raises(ArgumentError):
        write_page(pieces(), str(target))
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_page("page", str(tmp_path / "page.html"))
    (tmp_path / "other").touch()
    assert (tmp_path / "page.html").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("name", ["missing/page.html", "folder", "x" * 300, "file/page.html"])
def test_where_it_cannot_be_written_one_sentence_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("here before")
    with pytest.raises(WriteError, match=r"expected to write the page to .*; choose a file") as caught:
        write_page("page", str(tmp_path / name))
    assert isinstance(caught.value, OSError)
    assert caught.value.errno
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert os.listdir(tmp_path / "folder") == []


def test_the_old_page_survives_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    write_page("old", str(target))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_page("new", str(target))
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.html").symlink_to(tmp_path / "real" / "page.html")
    write_page("page", str(tmp_path / "link.html"))
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real" / "page.html").read_text() == "page"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
    reader.start()
    write_page("page", str(pipe))
    reader.join(timeout=30)
    assert received == ["page"]
    assert pipe.is_fifo()
