"""What was typed to look for, as a `Query`: a picture before WHERE, and options."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from lookalike.collection import Query
from lookalike.collection.query import Picture
from lookalike.errors import ArgumentError, PictureError, VectorError

STDIN = "-"
_NUMBERS_BYTES = 1 << 26  # of a vector that is typed
_WEIGHTED = re.compile(r"(.+):([^:/]*)", re.DOTALL)
_ORDER = "expected [QUERY] WHERE"
_FILE_LIKE = re.compile(r"^-|[/\\]|\.\w{1,5}$")


@dataclass(frozen=True)
class Asked:
    """What was typed.

    Attributes:
        arguments: a picture or words, if any, and where to look.
        more, less: FILE or FILE:weight.
        crop: "x,y,width,height".
    """

    arguments: Sequence[str]
    id: str | None = None
    vector: str | None = None
    text: str | None = None
    more: Sequence[str] = ()
    less: Sequence[str] = ()
    crop: str | None = None

    def place(self) -> str:
        """WHERE; ArgumentError where the arguments are not [QUERY] WHERE, or say nothing to look for."""
        given = self.arguments
        if len(given) == 2:
            return given[1]
        if len(given) > 2:
            raise ArgumentError(f"{_ORDER}, received {len(given)} names; give further pictures by --more")
        if not given:
            raise ArgumentError(f"{_ORDER}, received nothing; name a picture and the folder to look in")
        (name,) = given
        asked = bool(self.more) or (self.id, self.vector, self.text) != (None, None, None)
        if os.path.isfile(name) or not (asked or os.path.isdir(name)):
            raise ArgumentError(f"{_ORDER}, received only {name}; name the folder to look in, too")
        if not asked:
            raise ArgumentError(
                f"expected something to look for in {name}, received nothing; name a picture before it, "
                "or give --id, --vector, --text or --more"
            )
        return name

    def query(self) -> Query:
        """What to look for; stdin and files of vectors are read.

        Raises:
            ArgumentError, PictureError, VectorError, VectorFileError: as what is wrong with it.
        """
        pictures = [*self.arguments[:-1], *self.more, *self.less]
        if sum(_weighted(each)[0] == STDIN for each in pictures) + (self.vector == STDIN) > 1:
            raise ArgumentError("expected - for standard input once, received it again; name a file instead")
        return Query.of(
            _first(self.arguments[0]) if len(self.arguments) == 2 else None,
            id=int(self.id) if self.id is not None and self.id.isdecimal() else self.id,
            vector=None if self.vector is None else _vector(self.vector),
            text=self.text,
            more=[_example(each) for each in self.more],
            less=[_example(each) for each in self.less],
            crop=None if self.crop is None else _box(self.crop),
        )


def require_pictures(query: Query) -> None:
    """Nobody should wait for a folder to be indexed to learn that the query is none. PictureError where it is none."""
    from lookalike.images.pool import DecoderPool, Failed

    with DecoderPool(workers=1) as pool:
        for what, _ in query.examples:
            if isinstance(what, Picture):
                (thumbnail,) = pool.thumbnails([what.to_decode()], 16, what.crop)
                if isinstance(thumbnail, Failed):
                    raise PictureError(thumbnail.reason, what.name)


def _first(name: str) -> str | BinaryIO | Query:
    """QUERY: a picture; what is no path that is there, and does not look like one, is words."""
    if name == STDIN or os.path.lexists(name) or _FILE_LIKE.search(name) or not name.strip():
        return _picture(name)
    return Query.of(text=name)


def _picture(name: str) -> str | BinaryIO:
    if name == STDIN:
        return _stdin("a picture", "| lookalike search - WHERE")
    if not os.path.isfile(name):
        if os.path.isdir(name):
            raise PictureError("the query is a folder; name a picture, and last the folder to look in", name)
        what = "is not a file" if os.path.exists(name) else "is not there"
        raise PictureError(f"the query {what}; give the path of a picture", name)
    return name


def _stdin(what: str, cure: str) -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        received = "nothing" if sys.stdin is None else "a terminal"
        raise ArgumentError(f"expected {what} on standard input, received {received}; pipe it: … {cure}")
    return sys.stdin.buffer


def _example(name: str) -> tuple[Any, float]:
    file, weight = _weighted(name)
    return _picture(file), weight


def _weighted(name: str) -> tuple[str, float]:
    """FILE:weight, unless there is a file of the whole name."""
    match = None if os.path.lexists(name) else _WEIGHTED.fullmatch(name)
    if match is None:
        return name, 1.0
    try:
        return match[1], float(match[2])
    except ValueError:
        return name, 1.0


def _box(crop: str) -> list[int]:
    try:
        return [int(number) for number in crop.split(",")]
    except ValueError:
        raise ArgumentError(f"--crop is {crop!r:.80}; expected x,y,width,height in whole pixels") from None


def _vector(name: str) -> Any:
    if name == STDIN:
        return _numbers(_stdin("numbers", "| lookalike search --vector - WHERE"))
    from lookalike.vectors import read_vector

    return read_vector(name)


def _numbers(stream: BinaryIO) -> list[float]:
    """Numbers as text: a JSON array, or between spaces, commas or lines."""
    data = stream.read(_NUMBERS_BYTES + 1)
    if len(data) > _NUMBERS_BYTES:
        raise VectorError(f"at most {_NUMBERS_BYTES >> 20} MiB of numbers are read; give them in a file")
    if not data.strip():
        raise VectorError("expected numbers on standard input, received none; give them, or a file")
    try:
        text = data.decode()
        numbers = json.loads(text) if text.lstrip().startswith("[") else re.split(r"[\s,;]+", text.strip(" \t\r\n,;"))
        return [float(number) for number in numbers]
    except (ValueError, TypeError, RecursionError) as error:
        raise VectorError(
            f"expected numbers on standard input, a JSON array or between spaces, received others ({error}); "
            "give them so, or in a file"
        ) from None
