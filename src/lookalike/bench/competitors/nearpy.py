"""NearPy 1.0.0: tables of random hyperplanes (Charikar 2002) in Python, https://github.com/pixelogik/NearPy, of 2016.

A vector's bucket is the signs of its products with a table's hyperplanes. A query is compared with all that share its
bucket in one of the tables, one call of NumPy a vector. About log2(n) − 6 bits leave some 64 vectors a bucket, were
they spread evenly. What is swept is how many of the tables are asked: a table depends on its own hyperplanes only, so
that an engine over the first of them finds what one built with no others would.

What is true of it: `Engine` scales to unit length what it stores and is asked, so that its Euclidean distance ranks as
the cosine does, and vectors of other lengths are ranked by their directions alone. Its hyperplanes go through the
origin: where no value is negative, few buckets hold most vectors. `distance=None` means the cosine, not none, as its
documentation has it. Both its experiments and both its hashes by principal components call `argsort` or `sort` of
SciPy, which that no longer has; nothing here needs them. It keeps vectors in memory or in Redis, and no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from nearpy import Engine
from nearpy.distances import CosineDistance, EuclideanDistance
from nearpy.filters import NearestFilter
from nearpy.hashes import RandomBinaryProjections

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting
from lookalike.bench.truth import Distance, Ids, Vectors

TABLES = 32
ASKED = (1, 2, 4, 8, 16, 32)


class NearPy(Competitor):
    distribution = "NearPy"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del threads  # it has but one
        self._dim, bits = base.shape[1], max(1, round(log2(len(base))) - 6)
        self._tables = [RandomBinaryProjections(f"table {table}", bits, rand_seed=table) for table in range(TABLES)]
        self._distance = EuclideanDistance() if distance == "euclidean" else CosineDistance()
        self._storage, self._nearest = None, NearestFilter(10)
        self._all = self._engine(TABLES, [self._nearest])
        self._storage = self._all.storage
        for row, vector in enumerate(base):
            self._all.store_vector(vector, row)
        self.parameters = f"{TABLES} tables of {bits} hyperplanes"

    def sweep(self) -> list[Setting]:
        return [{"tables": tables} for tables in ASKED]

    def configure(self, setting: Setting, threads: int) -> None:
        del threads
        self._tables_asked = int(setting["tables"])
        self._asked = self._engine(self._tables_asked, [self._nearest])

    def query(self, query: Any, k: int) -> Any:
        self._nearest.N = k
        return [row for _, row, _ in self._asked.neighbours(query)]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return [self.query(vector, k) for vector in vectors]

    def touched(self, vectors: Vectors, k: int) -> float:
        everyone = self._engine(self._tables_asked, [])
        return sum(len(everyone.neighbours(vector)) for vector in vectors) / len(vectors)

    def save(self, folder: str) -> None:
        raise CannotError("it keeps vectors in memory or in Redis")

    def add(self, ids: Ids, vectors: Vectors) -> None:
        for row, vector in zip(ids.tolist(), vectors, strict=True):
            self._all.store_vector(vector, row)

    def remove(self, ids: Ids) -> None:
        for row in ids.tolist():
            self._all.delete_vector(row)  # by the id alone: it looks through all buckets

    def _engine(self, tables: int, filters: Sequence[Any]) -> Any:
        """Over the first of the tables, and what is stored in them."""
        return Engine(
            self._dim,
            lshashes=self._tables[:tables],
            distance=self._distance,
            vector_filters=filters,
            storage=self._storage,
        )
