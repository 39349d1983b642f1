"""Names as they are shown and linked: a file's name is bytes, and nobody promised that they can be printed."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

from lookalike.errors import ArgumentError

_UNPRINTABLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls: newline, escape
    "\u2028\u2029"  # line and paragraph separator
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # would turn the direction of what follows: gpj.exe
    "\u200b\ufeff"  # of no width: two names that look the same (joiners stay: emoji and scripts need them)
    "\ud800-\udfff"  # bytes that are not UTF-8, by surrogateescape
    "]"
)


def is_possible(path: str) -> bool:
    """Whether a file can be called so: without NUL, of characters that stand for bytes."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def text_of(path: str | os.PathLike[str]) -> str:
    """A path as text; ArgumentError for what is none."""
    try:
        name = os.fspath(path)
    except TypeError:
        name = None
    if not isinstance(name, str):
        raise ArgumentError(f"expected a path as text or os.PathLike, received {path!r:.80}")
    return name


def visible(text: str) -> str:
    r"""`text` with every character that cannot or should not be shown written as an escape, as `ls -b` does.

        >>> visible("line\nbreak \udce9")
        'line\\nbreak \\xe9'

    The result is valid UTF-8 when encoded. It is not escaped for HTML.
    """
    return _UNPRINTABLE.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def file_url(path: str) -> str:
    """The `file:` address of `path`, byte for byte: it opens also when the name is not UTF-8; of a URL the URL."""
    if path.startswith(("http://", "https://")):
        return path
    return "file://" + quote(os.fsencode(os.path.abspath(path)))
