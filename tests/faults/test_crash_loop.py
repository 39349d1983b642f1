"""kill -9 at random instants: 1,000 in the long form."""

from __future__ import annotations

import pytest

from tests.conftest import LONG

from .conftest import Harness


@pytest.mark.parametrize("decoders", [[], ["--children"]], ids=["decoding at once", "decoding as always"])
def test_nothing_acknowledged_is_lost_and_nothing_removed_comes_back(harness: Harness, decoders: list[str]) -> None:
    kills = (1000 if LONG else 50) // (10 if decoders else 1)
    tally = harness("crash_loop", "--kills", kills, "--seed", 1, *decoders)
    assert tally["kills"] == kills
    assert tally["in mid-operation"] > kills / 3, "most kills came when nothing was going on"
