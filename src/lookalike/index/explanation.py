"""Why a search found what it found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

_STAGES = ("hash", "probe", "scan", "narrow", "rerank", "compare")
_MISSED_BY_RADIUS = 1 / 15_000
"""Of the errors of sketches, a share that is beyond four standard errors."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a search: what it did, how many of what, and in how many seconds."""

    name: str
    count: int
    of: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One search, stage by stage; `str` of it is a small table.

    Attributes:
        stages: hash (the query is projected, and its look-up table made), probe (buckets are chosen), scan (sketches
            are compared), narrow (8-bit rows), rerank (exact distances), compare (rows that no bucket holds: some
            fresh ones, small segments, exact searches).
        verdict: what became of the id that was asked for, in a sentence; None where none was.
        asked: the recall that was asked for; None where probes or exact say how far to look.
        recall: what `Neighbors` says it is; of a search by radius what `range_search` promises.
        why: why that is less than was asked for, or every vector was compared for it, in a sentence; else None.
    """

    stages: tuple[Stage, ...]
    verdict: str | None
    asked: float | None
    recall: float
    why: str | None

    @classmethod
    def of(
        cls,
        k: int,
        id: int | None,
        asked: float | None,
        plan: tuple[int, int],
        counts: tuple[int, int, int, int],
        seconds: tuple[float, ...],
        trace: tuple[int, int, int, int, int, float],
        said: tuple[float, bool, bool, bool],
    ) -> Explanation:
        """From what the engine tells."""
        segments, whole = plan
        probed, scanned, candidates, reranked = counts
        numbers = (segments, probed, scanned, candidates - whole, reranked - whole, whole)
        units = ("segments", "buckets", "sketches", "8-bit rows", "vectors", "vectors")
        stages = tuple(map(Stage, _STAGES, numbers, units, seconds))
        verdict = None if id is None else _verdict(k, id, *trace)
        return cls(stages, verdict, asked, said[0], None if asked is None else _why(asked, *said))

    @classmethod
    def of_range(cls, *told: Any) -> Explanation:
        """The same of a search by radius."""
        (segments, _), *_ = told
        return replace(cls.of(0, None, None, *told), recall=1 - _MISSED_BY_RADIUS if segments else 1.0)

    def __str__(self) -> str:
        lines = [f"{each.name:8}{each.count:>12,} {each.of:12}{1e6 * each.seconds:>10,.1f} µs" for each in self.stages]
        return "\n".join([*lines, *filter(None, (self.verdict, self.why))])


def _verdict(k: int, id: int, reached: int, bucket: int, visited: int, nearer: int, kept: int, distance: float) -> str:
    away = f"id {id} is at distance {distance:.6g}"
    return (
        f"id {id} is not in the index.",
        f"{away}, but the filter leaves it out.",
        f"{away}; its bucket is the {bucket:,}. nearest and {visited:,} were visited: ask for more recall or probes.",
        f"{away}; {nearer:,} sketches were estimated nearer and {kept:,} were kept: ask for more recall or rerank.",
        f"{away}; too many of the candidates are nearer in 8 bits for it to be compared exactly.",
        f"{away}, compared exactly, but {k} others are nearer, or max_distance is.",
        f"{away}, and among the neighbours found.",
    )[reached]


def _why(asked: float, recall: float, level: bool, all_compared: bool, too_far: bool) -> str | None:
    """Of a filter and removals the engine knows no more than the worst case."""
    if not all_compared and round(recall, 3) >= asked:
        return None
    if too_far:
        why = "to visit as many buckets as it takes would have taken longer"
    elif level:
        why = (
            "a filter or removals leave vectors out, and then what is said holds also for queries far from all "
            "vectors, of which few were measured"
        )
    else:
        why = "the query is farther from the vectors than they are from each other, and few such queries were measured"
    if all_compared:
        return f"every vector was compared, for a recall of {asked:g}: {why}."
    return (
        f"recall {asked:g} was asked for and {recall:.3f} is said: {why}. To compare every vector takes more than "
        "20 ms here; exact=True does."
    )
