"""A repair that is stopped at every call that changes a file; the short form takes a sample."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness


def test_a_repair_that_is_stopped_is_done_by_the_next(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("mending", "--every", 1 if LONG else 300, environment=preloaded)
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (300 if LONG else 3)


def test_and_so_is_one_of_vectors(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("mending", "--vectors", "--every", 1 if LONG else 300, environment=preloaded)
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (300 if LONG else 3)
