r"""Names in a file that a person edits: as they are, in double quotes; only what cannot be seen is an escape.

"Holiday/Zoë \"2\".jpg"    "line\nbreak"    "not UTF-8: \xe9"    "turned: \u202e"
"""

from __future__ import annotations

import os
import re

from lookalike.names import is_possible

QUOTED = r'"(?:[^"\\]|\\.)*"'
"""The pattern of a name in quotes."""

_HIDDEN = re.compile(
    '["\\\\'
    "\x00-\x1f\x7f-\x9f\xad"  # controls; a hyphen that shows at the end of a line alone
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # of no width, or of a direction
    "\ud800-\udfff"  # bytes that are not UTF-8, by surrogateescape
    "]"
)
_ESCAPE = re.compile(r'\\(?:(["\\ntr])|x([89a-fA-F][0-9a-fA-F])|u([0-9a-fA-F]{4})|.|$)', re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_AS_SHORT = {character: letter for letter, character in _SHORT.items()}


def quoted(path: str) -> str:
    """A path in quotes: one line of UTF-8 whatever it holds, and read back by `unquoted`."""
    return f'"{_HIDDEN.sub(_escape, path)}"'


def unquoted(text: str) -> str:
    """The path in such quotes. ValueError for an escape that is none, and for what no file can be called."""
    path = _ESCAPE.sub(_character, text[1:-1])
    if not is_possible(path):
        raise ValueError(f"{text}, which no file can be called")
    return os.fsdecode(os.fsencode(path))


def _escape(match: re.Match[str]) -> str:
    character, code = match[0], ord(match[0])
    if short := _AS_SHORT.get(character):
        return f"\\{short}"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _character(match: re.Match[str]) -> str:
    short, byte, code = match.groups()
    if short:
        return _SHORT[short]
    if byte:
        return chr(0xDC00 + int(byte, 16))  # by surrogateescape
    if code:
        return chr(int(code, 16))
    raise ValueError(f"{match[0]!r} in a name: a backslash is written twice")
