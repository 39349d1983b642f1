"""The segment files of a collection: `000001-0123456789abcdef.segment`, where the digest is of what is in it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def segment(index: Path, number: int = 1) -> Path:
    """The file of that number in a collection's folder."""
    (path,) = (index / "segments").glob(f"{number:06}*.segment")
    return path


def undigested(name: str) -> str:
    """A name as it would be without the digest, which is another each time."""
    return re.sub(r"-[0-9a-f]{16}\b", "", name)


def forget_rows(index: Path) -> None:
    """Leave a collection as an earlier version made it: what is lost of its catalogue is kept nowhere else."""
    shutil.rmtree(index / "rows")
