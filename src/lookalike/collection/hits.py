"""What a search of a collection gives."""

from __future__ import annotations

from typing import NamedTuple


class Hit(NamedTuple):
    """One picture that was found.

    Attributes:
        path: absolute; bytes that are not UTF-8 are surrogate-escaped, as by `os.fsdecode`.
        distance: to the query; smaller is closer.
        id: of the picture's content in this collection; never used for another.
    """

    path: str
    distance: float
    id: int


class Hits(list[Hit]):
    """The pictures found, nearest first.

    Attributes:
        query: the path that was searched with, or None.
        recall: the share of the true neighbours that is expected among these.
    """

    def __init__(self, hits: list[Hit], *, query: str | None, recall: float) -> None:
        super().__init__(hits)
        self.query = query
        self.recall = recall
