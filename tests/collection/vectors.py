"""Vectors in files, and what a collection of them must then hold."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection import Collection, SyncReport
from lookalike.vectors import vector_file, write_vectors

COUNT, DIM = 300, 7

VECTORS = np.random.default_rng(3).standard_normal((COUNT, DIM)).astype(np.float32)
NAMES = [f"photos/{i}.jpg" for i in range(COUNT)]

Rows = dict[str, NDArray[np.float32]]


def rows(names: Sequence[str] = NAMES, vectors: NDArray[np.float32] = VECTORS) -> Rows:
    return dict(zip(names, vectors, strict=True))


def write(path: Path, given: Rows, time: int | None = None, **how: Any) -> Path:
    """A file of these, written anew; each `time` is another one, as a clock's ticks may be too coarse to tell."""
    write_vectors(path, [(list(given), np.stack(list(given.values())))], overwrite=True, **how)
    return at(path, time)


def plain(path: Path, vectors: NDArray[Any], time: int | None = None) -> Path:
    """A .npy file of rows without names."""
    np.save(path, vectors)
    return at(path, time)


def at(path: Path, time: int | None) -> Path:
    if time is not None:
        os.utime(path, ns=(1_700_000_000_000_000_000 + time * 1_000_003,) * 2)
    return path


def require_holds(collection: Collection, expected: Rows) -> None:
    """That these are in it, all of them, each with its own vector, and are found."""
    assert sorted(collection.paths()) == sorted(expected)
    assert len(collection) == collection.info().indexed == len(expected)
    for name, vector in expected.items():
        assert np.array_equal(collection.vector(name), vector), name
    for name in sorted(expected)[:: max(1, len(expected) // 7)]:
        nearest = collection.search(expected[name], k=len(expected) + 5, exact=True)
        assert sorted(hit.path for hit in nearest) == sorted(expected)
        assert nearest[0].distance == pytest.approx(0, abs=1e-5)
    assert Collection.verify(collection.place.directory) == []


def counts(report: SyncReport) -> dict[str, int]:
    """What is not zero of a report, which adds up."""
    assert report.things == "vectors"
    assert (report.moved, report.embedded) == (0, 0)
    assert report.found == report.indexed + sum(each.total for each in report.skipped) + len(report.failed)
    names = ("new", "changed", "unchanged", "removed", "kept", "newly_failed", "unsettled")
    found = {name: getattr(report, name) for name in names}
    found |= {"failed": len(report.failed), "lost": len(report.lost), "skipped": len(report.skipped)}
    return {name: count for name, count in found.items() if count}


@contextmanager
def by_steps(rows: int) -> Iterator[None]:
    """Within, files are read by so many rows at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "ROWS", rows)
        yield
