"""kill -9 at random instants: 2,100 in the long form."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness

# Nothing acknowledged is lost and nothing removed comes back, when a hand is killed ...


def test_at_a_random_time(harness: Harness) -> None:
    harness("crash_loop", "--kills", 1000 if LONG else 40, "--seed", 1)


def test_at_a_random_call(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("crash_loop", "--calls", "--kills", 1000 if LONG else 60, "--seed", 1, environment=preloaded)
    assert tally["in mid-operation"] > tally["kills"] / 2
    assert tally["with a batch to embed again"] > 0
    assert tally["with a part committed"] > 0


def test_at_a_random_time_with_decoders_of_its_own(harness: Harness) -> None:
    tally = harness("crash_loop", "--children", "--kills", 100 if LONG else 5, "--seed", 1)
    assert tally.get("before there was a catalogue", 0) < tally["kills"]


def test_vectors_at_a_random_time(harness: Harness) -> None:
    harness("crash_loop", "--vectors", "--kills", 1000 if LONG else 40, "--seed", 1)


def test_vectors_at_a_random_call(harness: Harness, preloaded: dict[str, str]) -> None:
    options = ("--vectors", "--calls", "--kills", 1000 if LONG else 60, "--seed", 1)
    tally = harness("crash_loop", *options, environment=preloaded)
    assert tally["in mid-operation"] > tally["kills"] / 2
