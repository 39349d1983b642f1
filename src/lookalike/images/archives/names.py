"""Which members of a tar or zip are pictures, by their names."""

from __future__ import annotations

from lookalike.images.archives.limits import LONGEST_NAME
from lookalike.images.find import ARCHIVE, ATTRIBUTES, HIDDEN, NOT_A_PICTURE, why_not

OUTSIDE = "its name leads out of the archive"
IMPOSSIBLE = f"its name is none that a file can have: of 1 to {LONGEST_NAME:,} bytes, without NUL"
NESTED = "an archive in an archive is not read; unpack it first"

_ARCHIVES = frozenset(["7z", "bz2", "gz", "rar", "xz", "zst"])  # besides those that `find` knows


def judge(raw: str) -> tuple[str, str]:
    """The name of a member, and why it is left out, "" where it is a picture.

    `./a//b.jpg` is `a/b.jpg`. Nothing else is made of a name that no file below a folder could have.
    """
    if reason := flaw(raw):
        return raw, reason
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts:
        return raw, OUTSIDE
    if not parts or raw.endswith("/"):
        return raw, IMPOSSIBLE
    name, last = "/".join(parts), parts[-1]
    if parts[0] == "__MACOSX":
        return name, ATTRIBUTES
    reason = why_not(last)
    if reason != ATTRIBUTES and any(part.startswith(".") for part in parts):
        return name, HIDDEN
    if reason == ARCHIVE or (reason == NOT_A_PICTURE and last.lower().rpartition(".")[2] in _ARCHIVES):
        return name, NESTED
    return name, reason


def flaw(name: str) -> str:
    """Why no member can be called so, or ""."""
    possible = 0 < len(name) <= LONGEST_NAME and "\0" not in name
    return "" if possible and len(name.encode("utf-8", "surrogateescape")) <= LONGEST_NAME else IMPOSSIBLE
