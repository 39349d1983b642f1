"""WordNet's nouns (Princeton University; see LICENSE here): the 1,000 classes of ImageNet, and all that is above them.

nouns.json and neighbours.json are made by tools/make_words.py.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Synset:
    """One meaning that words share.

    Attributes:
        id: WordNet's offset.
        lemmas: its words, the best known first.
        ranks: of each lemma, as which of its meanings this is met: 1 is the most frequent.
        gloss: what it means, in a few words.
        number: the class that it is itself, or None.
        leaves: how many synsets below it in all of WordNet have none below them, itself if it has none.
        measured: of "photographs" and of "drawings" where that was measured: how many of so many of the likeliest
            pictures were right (tools/measure_words.py, docs/words.md).
    """

    id: str
    lemmas: tuple[str, ...]
    ranks: tuple[int, ...]
    above: tuple[str, ...]
    gloss: str
    leaves: int
    number: int | None
    measured: dict[str, tuple[int, int]]

    @property
    def name(self) -> str:
        return self.lemmas[0]


class Nouns:
    """The synsets, and what they are called.

    Attributes:
        synsets: by id, those above before those below.
        irregular: plurals with their singulars.
        aliases: words of every day, with a lemma that stands for them.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.synsets = {id: _synset(id, fields) for id, fields in data["synsets"].items()}
        self.irregular: dict[str, str] = data["irregular"]
        self.aliases: dict[str, str] = data["aliases"]

    @cached_property
    def by_lemma(self) -> dict[str, list[tuple[int, Synset]]]:
        """Of each word in its plain form (`plain`) its synsets, each with its rank, the most frequent first."""
        found = defaultdict(list)
        for synset in self.synsets.values():
            for lemma, rank in zip(synset.lemmas, synset.ranks, strict=True):
                found[plain(lemma)].append((rank, synset))
        return {lemma: sorted(senses, key=lambda sense: (sense[0], sense[1].id)) for lemma, senses in found.items()}

    @cached_property
    def classes(self) -> dict[str, frozenset[int]]:
        """Of each synset the classes that it is above, or is."""
        found: dict[str, set[int]] = {id: set() for id in self.synsets}
        for synset in reversed(self.synsets.values()):
            if synset.number is not None:
                found[synset.id].add(synset.number)
            for parent in synset.above:
                found[parent] |= found[synset.id]
        return {id: frozenset(numbers) for id, numbers in found.items()}

    @cached_property
    def names(self) -> list[str]:
        """Of each class what it is called."""
        named = {synset.number: synset.name for synset in self.synsets.values() if synset.number is not None}
        return [named[number] for number in range(len(named))]


@cache
def nouns() -> Nouns:
    """Those of ImageNet's classes."""
    return Nouns(json.loads((HERE / "nouns.json").read_text("utf-8")))


@cache
def neighbours() -> dict[str, str]:
    """Other nouns, in their plain form, with the id of the nearest synset above them that is known."""
    below = json.loads((HERE / "neighbours.json").read_text("utf-8"))["below"]
    return {plain(lemma): id for id, lemmas in below.items() for lemma in lemmas.split(",")}


def plain(word: str) -> str:
    """A word without what is written in one way or another: case, hyphens, apostrophes, spaces."""
    return " ".join(word.casefold().replace("’", "'").replace("-", " ").replace("_", " ").split())


def _synset(id: str, fields: dict[str, Any]) -> Synset:
    lemmas, ranks = zip(*(_lemma(each) for each in fields["lemmas"]), strict=True)
    measured = {what: (right, shown) for what, (right, shown) in fields.get("measured", {}).items()}
    return Synset(
        id, lemmas, ranks, tuple(fields["above"]), fields["gloss"], fields["leaves"], fields.get("class"), measured
    )


def _lemma(written: str) -> tuple[str, int]:
    lemma, _, rank = written.partition("/")
    return lemma, int(rank or 1)
