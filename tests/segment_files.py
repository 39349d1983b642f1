"""The segment files of a collection: `000001-0123456789abcdef.segment`, where the digest is of what is in it."""

from __future__ import annotations

import re
from pathlib import Path


def segment(index: Path, number: int = 1) -> Path:
    """The file of that number in a collection's folder."""
    (path,) = (index / "segments").glob(f"{number:06}*.segment")
    return path


def undigested(name: str) -> str:
    """A name as it would be without the digest, which is another each time."""
    return re.sub(r"-[0-9a-f]{16}\b", "", name)
