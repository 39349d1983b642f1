"""A folder of pictures with duplicates in it, indexed; and how everything in a folder is compared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lookalike import demo
from lookalike.collection import Collection


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """a.webp with a copy, a copy in a folder below, and a larger one that is nearly the same; and two others."""
    folder = tmp_path / "photos"
    (folder / "below" / "deep").mkdir(parents=True)
    first, second, third = (sorted(Path(demo.folder(), kind).iterdir())[0] for kind in ("burgers", "boats", "clocks"))
    with Image.open(first) as picture:
        large = picture.convert("RGBA").resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
    large.save(folder / "large.png")
    for name in ("a.webp", "b.webp", "below/deep/c.webp"):
        shutil.copy(first, folder / name)
    for number, name in enumerate(("a.webp", "b.webp", "below/deep/c.webp", "large.png")):
        os.utime(folder / name, ns=(10**18, 10**18 + number * 10**12 + 7))
    shutil.copy(second, folder / "other.webp")
    shutil.copy(third, folder / "below" / "another.webp")
    return folder


@pytest.fixture
def collection(photos: Path) -> Iterator[Collection]:
    with Collection.open(photos) as opened:
        opened.sync()
        yield opened


def tree(folder: Path) -> dict[str, tuple[bytes, int, int, int]]:
    """Of every file below: its bytes, mode, time of change and number of names; the collection's own left out."""
    files = (path for path in folder.rglob("*") if not path.is_dir() and ".lookalike" not in path.parts)
    return {
        os.fsdecode(path.relative_to(folder)): (path.read_bytes(), status.st_mode, status.st_mtime_ns, status.st_nlink)
        for path in files
        for status in [path.lstat()]
    }


@pytest.fixture
def without_powers() -> list[str]:
    """What to put before a command so that permissions hold for it, also when root runs the tests."""
    return [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
