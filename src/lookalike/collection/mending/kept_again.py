"""What is kept beside the segments, put in the place of rows that a catalogue has lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lookalike.collection.catalogue.database import Row
from lookalike.collection.catalogue.kept_rows import items_of
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.errors import LookalikeError, ReadError
from lookalike.index import Index

Found = dict[str, list[Row]]
"""Rows by table, as `intact_rows` gives them."""


@dataclass
class Kept:
    """The rows that are kept, each the newest of its kind.

    Attributes:
        head: what the catalogue said of itself, its sources and settings; nothing where no file says it.
        items, facts: rows of `items` and `metadata`, by id.
        without: the segments of which nothing is kept, or not all.
        generations: of the items in segments, by id.
    """

    head: dict[str, Any] = field(default_factory=dict)
    items: dict[int, Row] = field(default_factory=dict)
    facts: dict[int, Row] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    generations: dict[int, int] = field(default_factory=dict)

    def fill(self, found: Found, *, items: bool) -> tuple[int, int]:
        """Add to what was `found` in a catalogue all that it has lost; how many items that are, and facts of others.

        Args:
            items: whether it has lost some: else those that it has not are gone.
        """
        there = {row[0] for table in ("items", "removed", "absent") for row in found[table]}
        back = [row for item_id, row in self.items.items() if items and item_id not in there]
        found["items"] += back
        known = {row[0] for row in found["items"]} - {row[0] for row in found["metadata"]}
        facts = [row for item_id, row in self.facts.items() if item_id in known]
        found["metadata"] += facts
        if self.head:
            roots = [(bytes.fromhex(path),) for path in self.head["roots"]]
            containers = [(bytes.fromhex(path), *rest) for path, *rest in self.head["containers"]]
            settings = [tuple(row) for row in self.head["settings"]]
            for table, rows in (("roots", roots), ("containers", containers), ("settings", settings)):
                found[table] = found[table] or rows
        return len(back), len({row[0] for row in facts} - {row[0] for row in back})


def read_kept(place: Place, segments: Iterable[str]) -> Kept:
    """What is kept of the items in these segments, and of those to which facts were given since.

    Raises:
        ReadError: a file is there and cannot be read now.
    """
    try:
        return _read(place, segments)
    except LookalikeError:
        raise
    except OSError as error:
        raise ReadError(
            error.errno, f"expected to read {place.rows}, received {error.strerror}; allow it, and run it again"
        ) from error


def _read(place: Place, segments: Iterable[str]) -> Kept:
    result = Kept()
    sealed: set[int] = set()
    for name in segments:
        path = os.path.join(place.rows, kept.name_for(name))
        if not (os.path.exists(path) and kept.is_whole(path)):
            result.without.append(name)
        sealed.update(_ids(place, name))
        for block in kept.blocks(path):
            if "about" in block:
                result.head = max(result.head, dict(block), key=_generation)
            for item, facts in items_of(block.get("rows", ())):
                result.items[item[0]] = item
                result.generations[item[0]] = block["generation"]
                if facts:
                    result.facts[item[0]] = facts
    _read_given(place, result, sealed)
    return result


def _ids(place: Place, segment: str) -> list[int]:
    try:
        ids: list[int] = Index.open(os.path.join(place.segments, segment)).ids.tolist()
    except LookalikeError:  # mended next
        return []
    return ids


def _read_given(place: Place, result: Kept, sealed: set[int]) -> None:
    """Add the items in the file of facts, unless they are another copy's; the last of one id is the newest."""
    for block in kept.blocks(os.path.join(place.rows, kept.FACTS)):
        if not result.head or block["collection"] != result.head["about"][0]:
            return
        for item, facts in items_of(block["rows"]):
            if item[0] not in sealed:
                result.items[item[0]] = item
            elif block["generation"] <= result.generations.get(item[0], -1) or not _is_same(
                item, result.items.get(item[0])
            ):
                continue
            if facts:
                result.facts[item[0]] = facts


def _is_same(item: Row, other: Row | None) -> bool:
    """Whether two rows of one id are of one content, which copies that went on apart give to two."""
    if other is None:
        return False
    (_, path, _, _, sha256, *_), (_, path_of_other, _, _, sha256_of_other, *_) = item, other
    return bool(sha256 == sha256_of_other if sha256 else path == path_of_other)


def _generation(head: dict[str, Any]) -> int:
    return int(head["about"][7]) if head else -1
