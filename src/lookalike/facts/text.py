"""The text of a file of facts: in UTF-8, or in another encoding where its byte order mark says so."""

from __future__ import annotations

import codecs
import re

from lookalike.errors import ArgumentError

_MARKS = (  # that of UTF-16 begins as that of UTF-32 does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = re.compile("[\udc80-\udcff]")


def read_text(file: str) -> str:
    """All of it; bytes that are not UTF-8 by surrogateescape, for names of files may have such.

    Raises:
        ArgumentError: it is in UTF-16 without a mark, or ends amidst a character.
        OSError: it cannot be read.
    """
    with open(file, "rb") as stream:
        data = stream.read()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data[:2]:
        raise ArgumentError(f"{file}: expected text, received NUL bytes, as of UTF-16; save it as UTF-8")
    try:
        return data.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "strict")
    except UnicodeDecodeError as error:
        raise ArgumentError(
            f"{file}: expected text in {encoding.upper()}, as it begins, received {error.reason} at byte "
            f"{error.start:,}; save it as UTF-8"
        ) from error


def require_utf8(place: str, text: str) -> None:
    """ArgumentError for text that `read_text` found not to be UTF-8."""
    if found := _FOREIGN.search(text):
        raise ArgumentError(
            f"{place}: expected text in UTF-8, received the byte {ord(found[0]) - 0xDC00:#x}, as in Latin-1 or "
            "Windows-1252; save it as UTF-8 (in Excel: CSV UTF-8)"
        )


def is_utf8(text: str) -> bool:
    return not _FOREIGN.search(text)
