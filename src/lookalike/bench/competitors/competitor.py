"""What is measured: an index behind the few calls that a benchmark makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.bench.truth import Distance, Ids, Rows

Setting = dict[str, float]
"""One point of a sweep: the search parameters by the names that the library gives them."""


@dataclass(frozen=True)
class Shape:
    """Of what was indexed."""

    count: int
    dim: int
    distance: Distance


class CannotError(Exception):
    """What a library does not do; the sentence says why, and is printed in its place."""


class Competitor(ABC):
    """One library with its recommended parameters; built once, then searched at every setting of its sweep.

    All vectors are float32, C-contiguous and, under the cosine, of unit length. Who compares sets is given `Sets`
    instead, each query the items of one.

    Attributes:
        distribution: what pip installs it by, and what its version is asked of.
        parameters: what it was built with, in the words of the library; set by `build`.
    """

    distribution: str
    parameters: str

    @abstractmethod
    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        """Indexes `base`, (n, dim), on so many threads; a vector's id is its row."""

    @abstractmethod
    def sweep(self) -> Sequence[Setting]:
        """From fast to thorough; asked for after `build` or `load`."""

    @abstractmethod
    def configure(self, setting: Setting, threads: int) -> None:
        """Before a measurement: how far to look, and on how many threads a batch."""

    def prepare(self, vectors: Rows) -> Sequence[Any]:
        """The queries in the form that the library's own call for one query takes at least cost; not timed."""
        return list(vectors)

    @abstractmethod
    def query(self, query: Any, k: int) -> Any:
        """The ids of the neighbours of one prepared query, on one thread."""

    @abstractmethod
    def query_batch(self, vectors: Rows, k: int) -> Any:
        """The ids of the neighbours of every row, (m, k)."""

    def touched(self, vectors: Rows, k: int) -> float:
        """How many vectors a query of these is compared with, in full or by their codes, in the mean; not timed.

        CannotError where the library does not tell.
        """
        raise CannotError("the library does not tell")

    def save(self, folder: str) -> None:
        """Into files in an empty folder. CannotError where the library does not."""
        raise CannotError("the library does not save its index")

    def load(self, folder: str, shape: Shape) -> None:
        """What `save` of another object wrote, so that this one may be searched, as quickly as the library can."""
        raise CannotError("the library does not save its index")

    def add(self, ids: Ids, vectors: Rows) -> None:
        """A few more, whose ids follow on from the last, to be found from now on.

        CannotError for an index that is built once.
        """
        raise CannotError("its index is built once")

    def remove(self, ids: Ids) -> None:
        """Not to be found from now on. CannotError where the library does not."""
        raise CannotError("its index is built once")
