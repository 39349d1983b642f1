"""The messages between a reader of archives and its child; each is a byte that says what, and what it says.

to the child    the path | NUL and a column, where one was given     at first
                LOOK
                TAKE | JSON: state, again    and a byte for each picture, whether it is wanted
from the child  STEP                         it is at work
                FOUND | JSON: names, again   some of them
                LOOKED | JSON: passed, state
                MEMBER | JSON: name, size    a picture that is wanted, and the bytes it claims to have; then
                                             DATA | bytes, and DONE or FAILED | why
                END                          there are no more pictures
                REFUSED | sentence           of an ArchiveError
                UNREADABLE | JSON: errno, sentence   of a ReadError
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lookalike.images.archives.contents import Contents

LOOK, TAKE, STEP, FOUND, LOOKED, MEMBER, DATA, DONE, FAILED, END, REFUSED, UNREADABLE = (
    bytes([kind]) for kind in range(12)
)

LONGEST = 64 << 20
"""Bytes of a message from the child: names of 4,096 bytes, of which JSON may make six times as many."""

_AT_ONCE = 1024


def pack(kind: bytes, said: Any) -> bytes:
    return kind + json.dumps(said).encode()


def text(said: str) -> bytes:
    return said.encode("utf-8", "surrogateescape")


def untext(said: bytes) -> str:
    return said.decode("utf-8", "surrogateescape")


def pack_contents(contents: Contents) -> Iterator[bytes]:
    names, again = iter(contents.names), iter(contents.again.items())
    while True:
        some = list(islice(names, _AT_ONCE)), dict(islice(again, _AT_ONCE))
        if not any(some):
            break
        yield pack(FOUND, some)
    yield pack(LOOKED, (contents.passed, contents.state))
