"""What a repair did."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, Self

from lookalike.collection.sync.report import Failure
from lookalike.facts import Facts


class LostFacts(NamedTuple):
    """A picture whose facts are lost.

    Attributes:
        id: as it was; 0 where that is lost, too.
        path: "" where that is lost, too.
        facts: those that were given; None where they are not known, and perhaps there were none.
    """

    id: int
    path: str
    facts: Facts | None


@dataclass
class RepairReport:
    """What a repair found and did; with what those before it did that were stopped before they told it.

    Attributes:
        done: a sentence for each thing that was mended; nothing where all was well.
        kept: pictures whose vectors were intact.
        embedded: pictures whose vectors were lost and made again from their files.
        lost: pictures whose vectors are lost, with the reason. Where the file is gone they are no longer in the
            collection; else they are in it as failed, with their facts, and the next sync that can read them takes
            them as new ones.
        lost_ids: their ids.
        lost_facts: pictures whose facts are lost, or may be.
        lost_items: how many pictures the catalogue has lost; the next sync finds them as new.
    """

    done: list[str] = field(default_factory=list)
    kept: int = 0
    embedded: int = 0
    lost: list[Failure] = field(default_factory=list)
    lost_ids: list[int] = field(default_factory=list)
    lost_facts: list[LostFacts] = field(default_factory=list)
    lost_items: int = 0

    @property
    def lost_anything(self) -> bool:
        """Whether not all is as it was before the damage."""
        return bool(self.lost or self.lost_facts or self.lost_items)

    def as_part(self) -> str:
        """What it did and lost, as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, parts: Iterable[str]) -> Self:
        """The report of which these are the parts, but for what was kept and embedded."""
        report = cls()
        facts: dict[int, LostFacts] = {}  # of a catalogue that was damaged twice those of one picture are lost once
        for part in map(json.loads, parts):
            report.done += part["done"]
            report.lost += [Failure(*each) for each in part["lost"]]
            report.lost_ids += part["lost_ids"]
            report.lost_items += part["lost_items"]
            facts |= {each[0]: LostFacts(*each) for each in part["lost_facts"]}
        report.lost_facts = list(facts.values())
        return report
