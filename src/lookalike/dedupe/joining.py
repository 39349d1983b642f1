"""From pairs that may be copies to groups: each picture of a group was compared with the one that is kept."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lookalike.dedupe.candidates import Candidates, Picture, Stages
from lookalike.dedupe.verify import Pair, Verifier
from lookalike.images.compare.verdict import Verdict

Positions = tuple[int, int]


class Joined(NamedTuple):
    """What a picture is to the one that is kept; the distance of their vectors, where known."""

    verdict: Verdict
    distance: float | None


class Joining:
    """The groups, as they grow.

    Positions are those of pictures in the order of the rule: of a pair the first would be kept. A picture that is a
    copy of one that is kept is taken, and then takes nothing itself; what may be a copy of it is compared with its
    keeper. One that is only shown may be shown in several groups, and be kept in one.

    Attributes:
        joined: by the one that is kept, what is like it.
        keeper_of: of those that are taken.
    """

    def __init__(self, pictures: Sequence[Picture], candidates: Candidates, takes: Sequence[str]) -> None:
        """Begin with all free; `takes` are the kinds of verdicts by which a picture is taken."""
        self.joined: dict[int, dict[int, Joined]] = {}
        self.keeper_of: dict[int, int] = {}
        self._pictures = pictures
        self._takes = takes
        self._same = dict.fromkeys(candidates.same, Verdict("same pixels"))
        self._distances = {
            (one, other): None if math.isnan(distance) else distance
            for one, other, distance in zip(*(column.tolist() for column in candidates.pairs), strict=True)
        }
        self._beside: dict[int, set[int]] = {}  # the keepers that each is shown beside

    def join(self, verifier: Verifier, similar: float | None, tell: Stages) -> None:
        """Compare all that has to be; different pictures are shown where their vectors are at most `similar` apart."""
        asked: set[Positions] = set()
        candidates = pairs = sorted(self._distances.keys() | self._same.keys())
        while pairs:
            asked.update(pairs)
            self._compare(pairs, verifier, similar, tell)
            # what may be a copy of one that is taken may be one of its keeper
            roots = ((self._root(one), self._root(other)) for one, other in candidates)
            pairs = sorted({(min(pair), max(pair)) for pair in roots if pair[0] != pair[1]} - asked)

    def _root(self, position: int) -> int:
        return self.keeper_of.get(position, position)

    def _compare(self, pairs: Sequence[Positions], verifier: Verifier, similar: float | None, tell: Stages) -> None:
        waiting: deque[Positions] = deque()

        def still_free() -> Iterator[tuple[Pair, Verdict | None]]:
            for done, pair in enumerate(pairs):
                tell("comparing whole pictures", done, len(pairs))
                if not self.keeper_of.keys() & pair:
                    waiting.append(pair)
                    keeper, other = (self._pictures[position].file for position in pair)
                    yield Pair(keeper, other), self._same.get(pair)

        for verdict in verifier.verdicts(still_free()):
            pair = waiting.popleft()
            if not self.keeper_of.keys() & pair:  # since it was asked for
                self._put(pair, Joined(verdict, self._distances.get(pair)), similar)
        tell("comparing whole pictures", len(pairs), len(pairs))

    def _put(self, pair: Positions, found: Joined, similar: float | None) -> None:
        keeper, other = pair
        if found.verdict.kind in self._takes:
            for freed in self.joined.pop(other, {}):
                if self.keeper_of.get(freed) == other:
                    del self.keeper_of[freed]  # it is compared with the new keeper next
            self.keeper_of[other] = keeper
        else:
            is_near = similar is not None and found.distance is not None and found.distance <= similar
            # two that differ from one picture differ from each other, too: that is said once
            seen = (self._beside.get(keeper, set()) | {keeper}) & (self._beside.get(other, set()) | {other})
            if seen or (found.verdict.kind == "different" and not is_near):
                return
        self._beside.setdefault(other, set()).add(keeper)
        self.joined.setdefault(keeper, {})[other] = found
