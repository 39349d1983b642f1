"""Every call that changes a file, failing in every way; the short form takes a sample."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness


def test_a_call_that_fails_leaves_the_old_or_the_new(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("fault_points", "--every", 1 if LONG else 80, environment=preloaded)
    assert tally["calls"] > 300
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (300 if LONG else 3)


def test_nor_does_one_in_a_collection_of_vectors(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("fault_points", "--vectors", "--every", 1 if LONG else 80, environment=preloaded)
    assert tally["calls"] > 300
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (300 if LONG else 3)
