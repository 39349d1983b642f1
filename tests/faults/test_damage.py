"""A collection with damage anywhere in its files: the right answers or an error, never others, never a crash."""

from __future__ import annotations

from tests.conftest import LONG

from .conftest import Harness

KINDS = ("catalogue", "segment", "wal", "catalogue beside a wal", "segment beside a wal")


def test_damage_is_told_or_does_no_harm(harness: Harness) -> None:
    times = 10_000 if LONG else 50
    tally = harness("damage", "--times", times)
    assert [tally[kind] for kind in KINDS] == [times] * len(KINDS)
    assert tally["segment, mended"] > 0.8 * times
    assert tally["catalogue, mended"] > 0.05 * times  # of so small a one most pages are of indexes, or nearly empty
    assert tally["wal, harmless"] == times


def test_a_file_cut_short(harness: Harness) -> None:
    """Each fifth length in the long form, and those around the ends of all pages; in the short form of every fourth."""
    tally = harness("damage", "--lengths", 5 if LONG else 16_000)
    assert tally["lengths, mended"] > 0.5 * tally["lengths"]
    assert "lengths, beyond repair" not in tally  # what is kept beside the segments says what it was


def test_so_it_is_with_vectors(harness: Harness) -> None:
    """But for a WAL that has lost a merge: the files that it merged are gone, and are made again."""
    times = 12_000 if LONG else 60  # of as many as three segments
    tally = harness("damage", "--vectors", "--times", times)
    assert [tally[kind] for kind in KINDS] == [times] * len(KINDS)
    assert tally["segment, mended"] > 0.8 * times
    assert tally["catalogue, mended"] > 0.05 * times  # of so small a one most pages are of indexes, or nearly empty
    assert tally["wal, harmless"] + tally["wal, mended"] == times


def test_a_file_of_a_collection_of_vectors_cut_short(harness: Harness) -> None:
    tally = harness("damage", "--vectors", "--lengths", 5 if LONG else 16_000)
    assert tally["lengths, mended"] > 0.5 * tally["lengths"]
    assert "lengths, beyond repair" not in tally  # what is kept beside the segments says what it was
