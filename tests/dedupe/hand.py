"""Groups made by hand of real files, as `find_duplicates` would say them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lookalike.dedupe.files import File
from lookalike.dedupe.group import COPIES, Group, Kind, Other


def file_at(path: Path, *, reference: bool = False) -> File:
    """A picture as it is now; what is none, such as a RAW, is 1 × 1."""
    status, width, height = path.stat(), 1, 1
    if path.suffix in (".webp", ".png", ".jpg", ".heic"):
        with Image.open(path) as image:
            width, height = image.size
    sha256 = hashlib.sha256(path.read_bytes()).digest()
    key = os.fsencode(path)
    return File(0, key, os.fspath(path), status.st_size, status.st_mtime_ns, sha256, width, height, reference=reference)


def group_of(number: int, keeper: Path, *others: Path | tuple[Path, Kind], reference: bool = False) -> Group:
    """A group; of others that come without a kind it is told by their bytes."""
    kept = file_at(keeper, reference=reference)
    return Group(number, kept, [_other(other, kept) for other in others])


def _other(other: Path | tuple[Path, Kind], kept: File) -> Other:
    path, kind = other if isinstance(other, tuple) else (other, None)
    file = file_at(path)
    if kind is None:
        kind = "identical file" if file.sha256 == kept.sha256 else "resized or recompressed"
    return Other(file, kind, 0.0, proposed=kind in COPIES)


def large_and_copies(photos: Path) -> Sequence[Group]:
    """The group of the fixture `photos`, that keeps the large one."""
    return [group_of(1, photos / "large.png", *(photos / name for name in ("a.webp", "b.webp", "below/deep/c.webp")))]


def copies(photos: Path) -> Sequence[Group]:
    """The identical files of the fixture `photos` alone."""
    return [group_of(1, photos / "a.webp", photos / "b.webp", photos / "below/deep/c.webp")]
