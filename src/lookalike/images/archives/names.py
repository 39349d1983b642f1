"""Which names a picture may have, and which members of a tar or zip are pictures by their names."""

from __future__ import annotations

from lookalike.images.archives.limits import LONGEST_NAME
from lookalike.images.find import ARCHIVE, ATTRIBUTES, HIDDEN, NOT_A_PICTURE, why_not

OUTSIDE = "its name leads out of the archive"
IMPOSSIBLE = f"its name is none that a file can have: of 1 to {LONGEST_NAME:,} bytes, without NUL"
NESTED = "an archive in an archive is not read; unpack it first"

_ARCHIVES = frozenset(["7z", "bz2", "gz", "rar", "xz", "zst"])  # besides those that `find` knows


def judge(raw: str) -> tuple[str, str]:
    """The name of a tar's or zip's member, and why it is left out, "" where it is a picture."""
    name, reason = plain(raw)
    if reason:
        return name, reason
    folder, _, last = name.rpartition("/")
    if folder.partition("/")[0] == "__MACOSX":
        return name, ATTRIBUTES
    reason = why_not(last)
    if reason != ATTRIBUTES and (name.startswith(".") or "/." in name):
        return name, HIDDEN
    if reason == ARCHIVE or (reason == NOT_A_PICTURE and last.lower().rpartition(".")[2] in _ARCHIVES):
        return name, NESTED
    return name, reason


def plain(raw: str) -> tuple[str, str]:
    """A name as one of a file below a folder, `./a//b.jpg` as `a/b.jpg`, and why there could be none, or ""."""
    if not 0 < len(raw) <= LONGEST_NAME or "\0" in raw or raw.endswith("/"):
        return raw, IMPOSSIBLE
    if len(raw.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        return raw, IMPOSSIBLE
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts:
        return raw, OUTSIDE
    return ("/".join(parts), "") if parts else (raw, IMPOSSIBLE)
