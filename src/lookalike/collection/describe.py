"""Giving facts to the pictures of a collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.keys_of import Keys
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.errors import ArgumentError
from lookalike.facts import Value
from lookalike.facts.fact import as_facts
from lookalike.names import text_of

Given = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""Paths, each with a mapping of facts by name."""


@dataclass
class Described:
    """What became of facts that were given.

    Attributes:
        pictures: how many got them.
        unknown: the paths at which no picture is known.
    """

    pictures: int = 0
    unknown: list[str] = field(default_factory=list)


def describe(place: Place, catalogue: Catalogue, given: Given) -> Described:
    """Give facts in one transaction, by the only writer; ArgumentError before anything is changed."""
    pairs = given.items() if isinstance(given, Mapping) else given
    keys = Keys(place, catalogue)
    wanted: dict[bytes, tuple[str, dict[str, Value | None]]] = {}
    for path, facts in pairs:
        name = text_of(path)
        key = keys.of(name)
        if key in wanted:
            raise ArgumentError(f"expected each picture once, received {name} again")
        wanted[key] = (name, as_facts(facts))
    described = Described()
    with catalogue.writing():
        items = catalogue.with_paths(list(wanted))
        described.unknown = [name for key, (name, _) in wanted.items() if key not in items]
        known = {items[key].id: facts for key, (_, facts) in wanted.items() if key in items}
        catalogue.metadata.give(known)
        if known:
            kept.note_facts(place, catalogue, list(known))
    described.pictures = len(known)
    return described
