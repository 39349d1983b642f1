"""Which files a watch takes, and which it leaves for a moment."""

from __future__ import annotations

import time
from pathlib import Path

from lookalike.collection.sync.compare import File
from lookalike.collection.sync.settle import Settling


def file(age: float, size: int = 1) -> File:
    return File(b"a.png", "/a.png", size, time.time_ns() - int(age * 1e9))


def test_a_file_that_was_written_long_ago_has_settled() -> None:
    assert Settling(5).part([file(age=60)]) == set()


def test_a_file_that_was_just_written_settles_by_its_age() -> None:
    settling, young = Settling(0.05), file(age=0)
    assert settling.part([young]) == {young.key}
    time.sleep(0.06)
    assert settling.part([young]) == set()


def test_a_file_of_the_future_settles_when_it_stays_the_same() -> None:
    settling, future = Settling(0.05), file(age=-3600)
    assert settling.part([future]) == {future.key}
    assert settling.part([future]) == {future.key}, "asked again at once"
    time.sleep(0.06)
    assert settling.part([future]) == set()


def test_a_file_that_grows_begins_to_settle_anew() -> None:
    settling, future = Settling(0.05), file(age=-3600)
    settling.part([future])
    time.sleep(0.06)
    grown = future._replace(size=2)
    assert settling.part([grown]) == {grown.key}


def test_files_that_are_gone_are_forgotten() -> None:
    settling, future = Settling(0.05), file(age=-3600)
    settling.part([future])
    settling.part([])
    time.sleep(0.06)
    assert settling.part([future]) == {future.key}


def test_files_are_looked_at_until_one_is_over(tmp_path: Path) -> None:
    def found(name: str) -> File:
        status = (tmp_path / name).stat()
        return File(name.encode(), str(tmp_path / name), status.st_size, status.st_mtime_ns)

    settling = Settling(0.3)
    assert not settling.is_one_over()
    for name in ("grows", "goes"):
        (tmp_path / name).write_text("begun")
    assert settling.part([found("grows"), found("goes")]) == {b"grows", b"goes"}
    assert settling.paths == {str(tmp_path / "grows"), str(tmp_path / "goes")}
    assert not settling.is_one_over()
    (tmp_path / "goes").unlink()
    assert settling.is_one_over()
    settling.part([found("grows")])
    time.sleep(0.31)
    with (tmp_path / "grows").open("a") as file:
        file.write("more")
    assert not settling.is_one_over()
    time.sleep(0.31)
    assert settling.is_one_over()
    assert settling.part([found("grows")]) == set()
    assert settling.paths == frozenset()


def test_a_file_that_changed_while_it_was_read_has_to_settle_though_its_time_is_old() -> None:
    settling, old = Settling(5), file(age=60)
    settling.unsettle(old)
    assert settling.part([grown := old._replace(size=2)]) == {grown.key}
    assert settling.part([grown]) == set()
