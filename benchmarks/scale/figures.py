"""What was measured, as it is kept in JSON. Times are in seconds and sizes in bytes, but for the percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Built:
    """An index that was built.

    Attributes:
        seconds: until it could be searched; with `parts`, until its file was written.
        peak: memory at most, as long as it was built.
        memory: what the index takes; None where it was never in memory as a whole.
        parts: 1, or how many were sealed one after the other and then brought into one file.
        save: to write its file; None where that is among `seconds`.
        disk: its file.
    """

    seconds: float
    peak: int
    memory: int | None
    parts: int
    save: float | None
    disk: int


@dataclass(frozen=True)
class Opened:
    """A file that was opened.

    Attributes:
        cold: until the first answer, the file not being in memory.
        read: what of it was read from the disk for that.
        warm: the same once more.
        anonymous: memory that is no file's, after the searches.
        mapped: files in memory, this one among them, after the searches.
    """

    cold: float
    read: int
    warm: float
    anonymous: int
    mapped: int


@dataclass(frozen=True)
class Searched:
    """Single queries on one thread, and batches on all cores.

    Attributes:
        found: of the true neighbours, recall 0.95 being asked for.
        each: µs that 50, 95 and 99 % of these queries did not exceed.
        query: of a query that finds 0.95; None where no setting finds so much.
        batch: queries/s of a batch, recall 0.95 being asked for.
        exact: of a query with exact=True.
        exact_found: of the true neighbours.
    """

    found: float
    each: list[float]
    query: float | None
    batch: float
    exact: float
    exact_found: float


@dataclass(frozen=True)
class Phase:
    """Queries one after the other; `found` is None where their neighbours are not known."""

    queries: int
    seconds: float
    read: int
    found: float | None


@dataclass(frozen=True)
class Limited:
    """The file searched by a process whose memory, what it has of files included, is less than the float vectors.

    Attributes:
        by: what held it below the limit.
        limit: its memory.
        used: of that at most; None where the system does not tell.
        cold: the file not being in memory.
        later: other queries, after those `between`.
    """

    by: str
    limit: int
    used: int | None
    cold: Phase
    between: Phase
    later: Phase


@dataclass(frozen=True)
class Size:
    """All of one size.

    Attributes:
        pair: one comparison in a loop in Python.
        in_memory: as it was built; None where it was never in memory as a whole.
        mapped: opened from the file, which is in the cache of the system.
        limited: None unless this is the size for it; `unlimited` says why it is none then.
        others: the share of all processors' time that other processes took meanwhile; None where the system does not
            tell.
    """

    series: str
    synthetic: bool
    count: int
    dim: int
    pair: float
    built: Built
    in_memory: Searched | None
    opened: Opened
    mapped: Searched
    limited: Limited | None
    unlimited: str
    others: float | None

    @property
    def floats(self) -> int:
        """Bytes of the vectors as they were given."""
        return 4 * self.dim * self.count

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Size:
        """From what `asdict` made of one."""
        found = {
            "built": Built(**kept["built"]),
            "in_memory": kept["in_memory"] and Searched(**kept["in_memory"]),
            "opened": Opened(**kept["opened"]),
            "mapped": Searched(**kept["mapped"]),
            "limited": kept["limited"] and limited_of(kept["limited"]),
        }
        return cls(**{**kept, **found})


@dataclass(frozen=True)
class Run:
    """All sizes, in the order of their series, by growing count; and where and how they were measured."""

    data: str
    distance: str
    queries: int
    k: int
    rounds: int
    processor: bool
    machine: str
    software: dict[str, str]
    began: str
    sizes: list[Size]


def limited_of(kept: dict[str, Any]) -> Limited:
    """From what `asdict` made of one."""
    return Limited(**{**kept, **{name: Phase(**kept[name]) for name in ("cold", "between", "later")}})
