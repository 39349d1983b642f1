from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from lookalike.errors import PictureError
from lookalike.images import content
from lookalike.images.content import file_sha256, read_file, read_stream


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    content = os.urandom(3 << 20) + b"odd"
    path = tmp_path / "some.jpg"
    path.write_bytes(content)
    assert file_sha256(str(path)) == hashlib.sha256(content).digest()
    assert read_file(str(path), most=len(content)) == content


def test_an_empty_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert read_file(str(tmp_path / "empty.jpg"), most=0) == b""
    assert file_sha256(str(tmp_path / "empty.jpg")) == hashlib.sha256().digest()


def test_a_name_may_be_any_bytes(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\n.jpg"
    with open(name, "wb") as file:
        file.write(b"content")
    assert read_file(name, most=10) == b"content"
    assert file_sha256(os.fsdecode(name)) == hashlib.sha256(b"content").digest()


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse
    with pytest.raises(PictureError, match=r"large\.tif: the file has 3072 MiB; at most 1 MiB"):
        read_file(str(path), most=1 << 20)
    with pytest.raises(PictureError, match=r"large\.tif: the file has 3072 MiB; at most 512 MiB"):
        file_sha256(str(path))


@pytest.mark.parametrize("read", [file_sha256, lambda path: read_file(path, most=100)])
def test_only_regular_files_are_read(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    for path, reason in {
        str(tmp_path / "fifo.jpg"): "not a regular file",
        "/dev/zero": "not a regular file",
        str(tmp_path): "not a regular file",
        str(tmp_path / "gone.jpg"): "No such file",
        str(tmp_path / "loop.jpg"): "symbolic links",
        "nul\0.jpg": "null",
    }.items():
        with pytest.raises(PictureError, match=reason):
            read(path)


def test_a_stream_is_read_to_its_end(tmp_path: Path) -> None:
    assert read_stream(io.BytesIO(b"abc")) == (b"abc", "")
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as stream:
        assert read_stream(stream) == (b"abc", str(tmp_path / "a"))
    receiving, sending = os.pipe()
    with open(sending, "wb") as writer:
        writer.write(b"abc")
    with open(receiving, "rb") as stream:
        assert read_stream(stream) == (b"abc", ""), "the name of a pipe is a number"


def test_a_stream_that_gives_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("text")
    with (tmp_path / "a").open() as text, pytest.raises(PictureError, match="binary mode"):
        read_stream(text)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="received none"):
        read_stream(io.BytesIO())
    monkeypatch.setattr(content, "LARGEST_FILE", 1 << 20)
    assert len(read_stream(io.BytesIO(bytes(1 << 20)))[0]) == 1 << 20
    with pytest.raises(PictureError, match="at most 1 MiB are read"):
        read_stream(io.BytesIO(bytes((1 << 20) + 1)))


def test_a_stream_that_cannot_be_read() -> None:
    class Broken(io.BytesIO):
        name = "tape"

        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(PictureError, match=r"tape: cannot be read \(Input/output error\)"):
        read_stream(Broken())
