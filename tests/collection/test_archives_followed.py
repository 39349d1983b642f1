"""Following archives: what changes in them is in the collection a moment later, and what is being written waits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archived import pack
from tests.faults.pictures import encoded

from .archiving import made, members, state
from .test_watch import Follower

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("tiles")]


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    """Two archives that have settled long ago, of a collection."""
    made_of = [pack(tmp_path / "a.tar", members(1, 2, 3), 0), pack(tmp_path / "b.zip", members(4), 0)]
    made(made_of, tmp_path).close()
    return made_of


@pytest.fixture(params=[None, 0.2], ids=["system", "poll"])
def follower(request: pytest.FixtureRequest, archives: list[Path], tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(tmp_path / "index", request.param)
    assert follower.next().new == 4
    yield follower
    pack(archives[1], {**members(4), "the end.png": encoded(999)}, 99)
    follower.end()


def test_an_archive_that_changes_goes_and_is_back(follower: Follower, archives: list[Path], tmp_path: Path) -> None:
    archive = archives[0]
    pack(archive, members(1, 2, 5), 1)
    report = follower.next()
    assert (report.new, report.removed, report.unchanged) == (1, 1, 3)
    archive.rename(tmp_path / "away")
    report = follower.next()
    assert (report.kept, [lost.path for lost in report.lost]) == (3, [str(archive)])
    (tmp_path / "away").rename(archive)
    report = follower.next()
    assert (report.unchanged, report.lost) == (4, [])
    pack(archive, {f"renamed/{name}": data for name, data in members(1, 2, 5).items()}, 2)
    assert follower.next().moved == 3


def test_an_archive_that_is_written_slowly_is_taken_once_and_whole(
    follower: Follower, archives: list[Path], tmp_path: Path
) -> None:
    data = pack(tmp_path / "c.tar", members(*range(1, 3), *range(10, 200)), 1).read_bytes()
    with archives[0].open("wb", buffering=0) as file:
        for start in range(0, len(data), len(data) // 8 + 1):
            file.write(data[start : start + len(data) // 8 + 1])
            time.sleep(0.2)
    report = follower.next()
    assert (report.new, report.removed, report.unchanged, report.lost, report.failed) == (190, 1, 3, [], [])
    expected = {f"a.tar/{seed}.png": seed for seed in (1, 2, *range(10, 200))}
    assert state(tmp_path, tmp_path) == {**expected, "b.zip/4.png": 4}


def test_an_archive_that_is_written_with_long_pauses_is_kept_meanwhile(
    follower: Follower, archives: list[Path], tmp_path: Path
) -> None:
    data = pack(tmp_path / "c.tar", members(*range(1, 60)), 1).read_bytes()
    archives[0].write_bytes(data[: len(data) // 2])
    report = follower.next()
    assert (report.kept, len(report.lost)) == (3, 1)
    assert "expected a whole tar archive" in report.lost[0].reason
    with archives[0].open("ab") as file:
        file.write(data[len(data) // 2 :])
    os.utime(archives[0], (1, 1))
    while not (report := follower.next()).new:  # a look between the two says that it is still being written
        assert (report.removed, report.kept) == (0, 3)
    assert (report.new, report.kept, report.lost) == (56, 0, [])
