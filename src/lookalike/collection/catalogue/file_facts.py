"""The facts that need no storage: those of a picture's file, which its item holds, its name among it.

The same functions serve Python and SQLite, so that a condition finds what `Collection.facts` shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.name_date import Date, date_in
from lookalike.facts import Facts, Kind

if TYPE_CHECKING:
    from lookalike.collection.catalogue.catalogue import Item

TAKEN_FROM = "taken_from"
"""The fact that says where `taken` is from: it depends on what else is known."""

GIVEN, EXIF, NAME = "given", "EXIF", "name"
"""Its values, in the order in which they count."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FileFact(NamedTuple):
    """A fact of a file.

    Attributes:
        column: of the item, that it is made of.
        make: what makes it of that; None is a missing fact.
    """

    column: str
    make: Callable[..., str | int | None]
    kind: Kind


def shown(key: bytes) -> str:
    r"""A key of the catalogue as the text of a path; bytes that are not UTF-8 become `\xff`."""
    return _text(keys.plain(key))


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _folder(key: bytes) -> str:
    return _text(os.path.dirname(keys.plain(key))) or "."


def _name(key: bytes) -> str:
    return _text(os.path.basename(keys.plain(key)))


def _ending(key: bytes) -> str | None:
    return _text(os.path.splitext(keys.plain(key))[1][1:]).lower() or None


def _modified(mtime_ns: int) -> str:
    """In UTC, to the second, as 2024-05-17T09:30:00."""
    return (_EPOCH + timedelta(seconds=mtime_ns // 10**9)).isoformat()[:19]


def _date(key: bytes) -> Date | None:
    """What the name of a picture says; vectors have names of any kind."""
    return None if keys.is_row(key) else date_in(_name(key))


def _part(name: str) -> Callable[[bytes], str | int | None]:
    return lambda key: getattr(_date(key), name, None)


def _taken_from(key: bytes) -> str | None:
    return NAME if _date(key) else None


def _as_it_is(number: int | None) -> int | None:
    return number


FILE_FACTS: Mapping[str, FileFact] = {
    "path": FileFact("path", shown, "text"),
    "folder": FileFact("path", _folder, "text"),
    "name": FileFact("path", _name, "text"),
    "ext": FileFact("path", _ending, "text"),
    "size": FileFact("size", _as_it_is, "number"),
    "width": FileFact("width", _as_it_is, "number"),
    "height": FileFact("height", _as_it_is, "number"),
    "modified": FileFact("mtime_ns", _modified, "text"),
    "taken": FileFact("path", _part("taken"), "text"),
    "year": FileFact("path", _part("year"), "number"),
    "month": FileFact("path", _part("month"), "number"),
    "day": FileFact("path", _part("day"), "number"),
    TAKEN_FROM: FileFact("path", _taken_from, "text"),
}
"""The facts of a file, by name; EXIF stands before those of the same name."""


def all_facts(item: Item, exif: Facts, given: Facts) -> Facts:
    """What is known of an item: of its file, from its EXIF, and what was given, each before the one before it."""
    facts = file_facts(item) | exif
    if "taken" in given or "taken" in exif:
        facts[TAKEN_FROM] = GIVEN if "taken" in given else EXIF
    return facts | given


def file_facts(item: Item) -> Facts:
    values = {name: fact.make(getattr(item, fact.column)) for name, fact in FILE_FACTS.items()}
    return {name: value for name, value in values.items() if value is not None}
