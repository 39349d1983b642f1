"""`tests.faults.mixed`, in short."""

from __future__ import annotations

import pytest

from tests.faults.mixed import run

pytestmark = pytest.mark.thorough


def test_many_threads_change_and_search_one_index() -> None:
    tally = run(6)
    assert tally["found"] > 0.9 * tally["asked"] > 0
    assert min(tally[each] for each in ("add", "replace", "remove", "snapshots", "saved", "timeouts")) > 0
