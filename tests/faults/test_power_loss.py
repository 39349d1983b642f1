"""Power lost after every call; the short form takes a sample. And the shim and the disk themselves."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONG
from tests.faults import shim
from tests.faults.disk import Disk, Kept
from tests.faults.shim import Record, What
from tests.segment_files import undigested

from .conftest import ROOT, Harness


def test_what_was_acknowledged_survives_a_loss_of_power(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("power_loss", "--every", 1 if LONG else 300, environment=preloaded)
    assert tally["calls"] > 600
    assert min(tally[end] for end in ("left as old", "left between", "left as new")) > (100 if LONG else 5)


def test_and_so_do_vectors(harness: Harness, preloaded: dict[str, str]) -> None:
    tally = harness("power_loss", "--vectors", "--every", 1 if LONG else 300, environment=preloaded)
    assert tally["calls"] > 600
    assert min(tally[end] for end in ("left as old", "left between", "left as new")) > (100 if LONG else 5)


RECORD = """
import sys
from tests.faults import pictures, power_loss
pictures.prepare()
power_loss.record(sys.argv[1], sys.argv[2], reopened=True)
"""


@pytest.fixture
def records(place: Path, preloaded: dict[str, str]) -> list[Record]:
    """What the scenario does to the disk."""
    (place / "live").mkdir()
    command = [sys.executable, "-c", RECORD, str(place / "live"), str(place / "record")]
    subprocess.run(command, cwd=ROOT, env=preloaded, check=True)
    return list(shim.read(str(place / "record")))


def test_the_shim_sees_all_that_reaches_the_disk(place: Path, records: list[Record]) -> None:
    """The record, played back, is the folder byte by byte: no call went by unseen."""
    names = [undigested(record.path.rpartition("/")[2].partition(".tmp-")[0]) for record in records]
    seen = {(record.what, name) for record, name in zip(records, names, strict=True)}
    for name in ("catalogue.sqlite", "catalogue.sqlite-wal", "000001.segment"):
        assert {(what, name) for what in (What.CREATE, What.WRITE, What.SYNC)} <= seen or name == "catalogue.sqlite"
    assert {(What.WRITE, "catalogue.sqlite"), (What.SYNC, "catalogue.sqlite")} <= seen
    assert {(What.RENAME, "000001.segment"), (What.SYNC, "segments"), (What.UNLINK, "000001.segment")} <= seen
    disk = Disk(str(place / "live"))
    for record in records:
        disk.apply(record)
    disk.survives(str(place / "again"), Kept.ALL, Kept.ALL, random.Random(0))
    assert contents(place / "again" / "index") == contents(place / "live" / "index")


def test_only_what_every_reader_shares_is_written_through_a_map(records: list[Record]) -> None:
    """No mapped file is changed in place, but SQLite's index of its WAL, which is made anew after a crash."""
    mapped = {os.path.basename(record.path) for record in records if record.what == What.MAPPED}
    assert mapped == {"catalogue.sqlite-shm"}


def test_a_segment_is_written_once_synced_and_then_named(records: list[Record]) -> None:
    segments = [record for record in records if "/segments/" in record.path]
    assert not [r for r in segments if r.what in (What.WRITE, What.TRUNCATE) and r.path.endswith(".segment")]
    for at, record in enumerate(records):
        if record.what == What.RENAME and record in segments:
            last = [r for r in records[:at] if record.path in (r.path, r.other)][-1]
            assert last.what == What.SYNC or (last.what, last.other) == (What.RENAME, record.path)  # to add a digest
            assert (records[at + 1].what, records[at + 1].path) == (What.SYNC, os.path.dirname(record.other))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def call(
    what: What, path: str = "/r/a", offset: int = 0, length: int = 0, other: str = "", data: bytes = b""
) -> Record:
    return Record(what, 0, offset, length, path, other, data)


@pytest.mark.parametrize(
    ("calls", "left"),
    [
        ([call(What.CREATE), call(What.WRITE, data=b"x"), call(What.SYNC)], {}),
        ([call(What.CREATE), call(What.WRITE, data=b"x"), call(What.SYNC, "/r")], {"a": b""}),
        ([call(What.CREATE), call(What.SYNC, "/r"), call(What.WRITE, data=b"xy"), call(What.SYNC)], {"a": b"xy"}),
        ([call(What.CREATE), call(What.SYNC, "/r"), call(What.RENAME, other="/r/b")], {"a": b""}),
        ([call(What.CREATE), call(What.RENAME, other="/r/b"), call(What.SYNC, "/r")], {"b": b""}),
        ([call(What.CREATE), call(What.SYNC, "/r"), call(What.UNLINK)], {"a": b""}),
        ([call(What.CREATE), call(What.UNLINK), call(What.SYNC, "/r")], {}),
    ],
)
def test_a_disk_keeps_what_was_synced_alone(tmp_path: Path, calls: list[Record], left: dict[str, bytes]) -> None:
    disk = Disk("/r")
    for each in calls:
        disk.apply(each)
    disk.survives(str(tmp_path / "left"), Kept.NONE, Kept.NONE, random.Random(0))
    assert contents(tmp_path / "left") == left


def test_a_disk_may_keep_some_of_the_rest(tmp_path: Path) -> None:
    disk = Disk("/r")
    for each in (call(What.CREATE), call(What.SYNC, "/r"), call(What.WRITE, data=b"x" * 512 + b"y" * 512)):
        disk.apply(each)
    left = set()
    for seed in range(40):
        disk.survives(str(tmp_path / str(seed)), Kept.SOME, Kept.NONE, random.Random(seed))
        left.add((tmp_path / str(seed) / "a").read_bytes())
    x, y, zeros = b"x" * 512, b"y" * 512, bytes(512)
    assert {b"", x, x + y, zeros + y} <= left
