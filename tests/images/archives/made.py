"""Archives that tests are made of, and what a refusal must be."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lookalike.errors import ArchiveError
from lookalike.images.archives import look, read
from lookalike.images.given import Failed, Given
from lookalike.images.process import Process, _living

Files = Mapping[str, bytes] | list[tuple[str, bytes]]

TAR_MODES = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
ENDINGS = (*TAR_MODES, "zip")


def picture(number: int) -> bytes:
    """A small PNG, a different one for each number."""
    file = BytesIO()
    Image.new("RGB", (8 + number, 8), (number * 11 % 256, 0, 0)).save(file, "PNG")
    return file.getvalue()


PICTURES = {f"{number:02}.png": picture(number) for number in range(6)} | {
    "2024/Ferien é/日本 #1.PNG": picture(7),
    "two\nlines.jpeg": picture(9),
    f"{'d' * 200}/{'x' * 120}.webp": picture(10),
    "a/b/c/d/empty.gif": b"",
}
NOT_UTF8 = {"no utf-8 \udcff\udce9.jpg": picture(8)}
OTHERS = {
    "notes.txt": b"no picture",
    "00.cls": b"7",
    "raw.CRW": b"raw",
    ".hidden.jpg": picture(1),
    ".thumbnails/1.jpg": picture(1),
    "2024/._1.jpg": b"attributes",
    "__MACOSX/2024/._1.jpg": b"attributes",
    "inner.tar.gz": b"tar",
    "inner.zip": b"zip",
    "film.mts": b"film",
    "no suffix": b"",
}
REASONS = {
    "hidden": 2,
    "not a picture": 3,
    "not a picture but its attributes, kept by macOS": 2,
    "a camera's RAW file of a kind that is not read; export it as JPEG or TIFF": 1,
    "an archive in an archive is not read; unpack it first": 2,
    "a video of a kind that is not read": 1,
}


def pairs(files: Files) -> Iterable[tuple[str, bytes]]:
    return files.items() if isinstance(files, Mapping) else files


def add(tar: tarfile.TarFile, name: str, data: bytes = b"", **fields: Any) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for field, value in fields.items():
        setattr(member, field, value)
    tar.addfile(member, BytesIO(data))


def make_tar(path: Path, files: Files, mode: Any = "w", **how: Any) -> Path:
    with tarfile.open(path, mode, errors="surrogateescape", **how) as tar:
        for name, data in pairs(files):
            add(tar, name, data)
    return path


def make_zip(path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in pairs(files):
            archive.writestr(name, data)
    return path


def make(path: Path, files: Files) -> Path:
    """A tar or zip, by the ending of its name."""
    for ending, mode in TAR_MODES.items():
        if path.name.endswith(ending):
            return make_tar(path, files, mode)
    return make_zip(path, files)


def make_parquet(path: Path, rows: list[dict[str, Any]], **how: Any) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path, **how)
    return path


def got(path: Path, *only: Any, **how: Any) -> dict[str, bytes]:
    """What is read of it, all of which can be had."""
    results = list(read(str(path), *only, **how))
    assert not [each for each in results if isinstance(each, Failed)]
    pictures = {each.path: each.data for each in results if isinstance(each, Given)}
    assert len(pictures) == len(results), "each once"
    return pictures


def reasons(path: Path) -> dict[str, int]:
    return {each.reason: each.count for each in look(str(path)).passed}


def require_sentence(error: Exception, path: Path) -> None:
    """That it is one, which names the archive and says what to do."""
    sentence = str(error)
    assert sentence.startswith(f"{path}: expected ")
    assert "received" in sentence or ", but " in sentence
    assert ";" in sentence
    assert sentence.isprintable()
    assert len(sentence) < 1000


@contextmanager
def refused(path: Path, match: str) -> Iterator[None]:
    """That what is within is refused in a sentence."""
    with pytest.raises(ArchiveError, match=match) as refusal:
        yield
    require_sentence(refusal.value, path)


def require_refused(path: Path, match: str, **how: Any) -> None:
    """That it is refused before anything is taken from it."""
    with refused(path, match):
        look(str(path), **how)
    with refused(path, match):
        next(read(str(path), **how))


def readers() -> list[Process]:
    return [each for each in _living if each.what == "an archive reader" and each.alive]


def header(name: bytes = b"a.png", size: int | bytes = 0, kind: bytes = b"0", rest: bytes = b"") -> bytes:
    """A tar's header as POSIX has it (pax, ustar Interchange Format), with any bytes as its size."""
    octal = size if isinstance(size, bytes) else b"%011o\0" % size
    block = name.ljust(100, b"\0") + b"0000644\0" + 2 * b"0000000\0" + octal.ljust(12, b"\0") + b"00000000000\0"
    block += b" " * 8 + kind + bytes(100) + b"ustar\00000" + rest
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def headers(names: Iterable[str]) -> Iterator[bytes]:
    """Headers of empty files."""
    blank = header(b"")
    total = sum(blank[:148]) + 8 * ord(" ") + sum(blank[156:])
    for name in names:
        start = name.encode()
        yield start.ljust(148, b"\0")[:100] + blank[100:148] + b"%06o\0 " % (total + sum(start)) + blank[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


END = bytes(1024)
PICTURE = PICTURES["01.png"]
MEMBER = header(size=len(PICTURE)) + padded(PICTURE)
"""Of a tar: a.png."""


def base256(number: int) -> bytes:
    """A size as GNU writes large ones."""
    return bytes([0o200 if number >= 0 else 0o377]) + number.to_bytes(11, "big", signed=True)


def pax(**records: str) -> bytes:
    """A PAX header; `__` stands for a dot."""
    body = b""
    for key, value in records.items():
        rest = f" {key.replace('__', '.')}={value}\n".encode("utf-8", "surrogateescape")
        body += next(b"%d" % n for n in range(len(rest), len(rest) + 9) if len(str(n)) + len(rest) == n) + rest
    return header(b"pax", len(body), b"x") + padded(body)
