"""Why a search found what it found."""

from __future__ import annotations

from dataclasses import dataclass

_STAGES = ("hash", "probe", "scan", "narrow", "rerank", "compare")


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
    """

    stages: tuple[Stage, ...]
    verdict: str | None

    @classmethod
    def of(
        cls,
        k: int,
        id: int | None,
        plan: tuple[int, int],
        counts: tuple[int, int, int, int],
        seconds: tuple[float, ...],
        trace: tuple[int, int, int, int, int, float],
    ) -> Explanation:
        """From what the engine tells."""
        segments, whole = plan
        probed, scanned, candidates, reranked = counts
        numbers = (segments, probed, scanned, candidates - whole, reranked - whole, whole)
        units = ("segments", "buckets", "sketches", "8-bit rows", "vectors", "vectors")
        stages = tuple(map(Stage, _STAGES, numbers, units, seconds))
        return cls(stages, None if id is None else _verdict(k, id, *trace))

    def __str__(self) -> str:
        lines = [f"{each.name:8}{each.count:>12,} {each.of:12}{1e6 * each.seconds:>10,.1f} µs" for each in self.stages]
        return "\n".join(lines if self.verdict is None else [*lines, self.verdict])


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
