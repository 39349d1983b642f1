"""A change of the model that is stopped at every call that changes a file; the short form takes some."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness


def test_a_change_of_the_model_is_whole_or_not_there(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("remodelling", "--every", 1 if LONG else 12, environment=preloaded)
    assert tally["calls"] > 80
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (20 if LONG else 3)
