"""Archives of pictures, as real programs write them."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

Members = Mapping[str, bytes] | Iterable[tuple[str, bytes]]

_EPOCH = 1_700_000_000


def pack(path: Path, members: Members, time: int) -> Path:
    """Write an archive of the kind that its name says, with members of always the same time.

    Args:
        time: of the archive, a number: a clock's ticks are too coarse to tell two of them apart.
    """
    pairs = list(members.items() if isinstance(members, Mapping) else members)
    aside = path.with_name(f".{path.name}")
    if path.suffix == ".zip":
        _zip(aside, pairs)
    elif path.suffix == ".parquet":
        _parquet(aside, pairs)
    else:
        _tar(aside, pairs)
    stamp(aside, time)
    aside.replace(path)
    return path


def stamp(path: Path, time: int) -> None:
    """Give a file the time of a number."""
    os.utime(path, (_EPOCH + time, _EPOCH + time))


def _tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    packing = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, packing, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _zip(path: Path, members: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)


def _parquet(path: Path, members: list[tuple[str, bytes]]) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    images = [{"bytes": data, "path": name or None} for name, data in members]
    parquet.write_table(pyarrow.table({"label": list(range(len(images))), "image": images}), path)
