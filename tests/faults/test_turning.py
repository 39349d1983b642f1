"""Pictures that change places while a sync is stopped at every call that changes a file; the short form takes some."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness


def test_facts_stay_with_pictures_that_change_places(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("turning", "--every", 1 if LONG else 8, environment=preloaded)
    assert tally["calls"] > 40
    assert min(tally[end] for end in ("done", "WriteError", "killed")) > (30 if LONG else 3)
