"""What a search of a collection gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from lookalike.models.words import Meaning


class _Hit(NamedTuple):
    path: str
    distance: float
    id: int


class Hit(_Hit):
    """One picture that was found; unpacks as path, distance, id.

    Attributes:
        path: absolute; bytes that are not UTF-8 are surrogate-escaped, as by `os.fsdecode`.
        distance: to the query; smaller is closer.
        id: of the picture's content in this collection; never used for another.
        score: in (0, 1], how sure it is that the picture is like the query: nearly 1 where it is much nearer than
            unrelated pictures ever are; below 0.1 where it is farther away than this collection's pictures are from
            their neighbours, and no nearer than by chance (docs/sure.md). None where that cannot be told. Of words
            that a model knows as classes, how probable it is that the picture shows them (docs/words.md).
    """

    score: float | None = None

    def __new__(cls, path: str, distance: float, id: int, score: float | None = None) -> Self:
        hit = super().__new__(cls, path, distance, id)
        hit.score = score
        return hit

    def __repr__(self) -> str:
        return f"Hit(path={self.path!r}, distance={self.distance!r}, id={self.id!r}, score={self.score!r})"


class Hits(list[Hit]):
    """The pictures found, nearest first.

    Attributes:
        query: the path of what was searched by, the first of several, or None.
        recall: the share of the true neighbours that is expected among these.
        match: whether there is a good match among them, of a score of at least 0.1. None where that cannot be told:
            fewer than 20 pictures to compare with, a text, several examples. Of words, whether one of them surely
            shows them, as far as the model can tell: a score of at least 0.5.
        kin: the share of the collection's pictures that have their neighbours no nearer than these are; None where
            there are none, of words, and as above.
        words: what the words that were searched by are taken for, where the model knows words as classes.
        left_out: the paths of what was searched by and would be among these, were it not the query itself.
    """

    def __init__(
        self,
        hits: list[Hit],
        *,
        query: str | None,
        recall: float,
        match: bool | None = None,
        kin: float | None = None,
        words: tuple[Meaning, ...] = (),
        left_out: Sequence[str] = (),
    ) -> None:
        super().__init__(hits)
        self.query = query
        self.recall = recall
        self.match = match
        self.kin = kin
        self.words = words
        self.left_out = list(left_out)
