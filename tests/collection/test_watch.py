"""Following a folder: what changes in it is in the collection a moment later."""

from __future__ import annotations

import math
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lookalike.collection import Collection, SyncReport
from lookalike.collection.lock import writer_lock
from lookalike.collection.place import Place
from lookalike.collection.sync.signs import Signs, Watched
from lookalike.errors import ArgumentError

from .conftest import PICTURES, Draw

pytestmark = pytest.mark.thorough

PATIENCE = 60  # seconds; a change takes one or two


class Follower:
    """A thread that watches a collection of its own."""

    def __init__(self, where: Path, poll: float | None = None) -> None:
        self._where, self._poll = where, poll
        self._reports: queue.Queue[SyncReport | BaseException] = queue.Queue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def next(self) -> SyncReport:
        """The next report; an error of the watch is raised here."""
        report = self._reports.get(timeout=PATIENCE)
        if isinstance(report, BaseException):
            raise report
        return report

    def total(self, name: str, count: int) -> list[SyncReport]:
        """Reports until their counts of that name add up."""
        reports = [self.next()]
        while sum(getattr(report, name) for report in reports) < count:
            reports.append(self.next())
        assert sum(getattr(report, name) for report in reports) == count
        return reports

    def end(self) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with Collection.open(self._where) as collection:
                for report in collection.watch(self._stop, poll=self._poll):
                    self._reports.put(report)
                    if self._ended.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 (told to the thread that waits for reports)
            self._reports.put(error)

    def _stop(self, done: int, total: int) -> None:
        if self._ended.is_set():
            raise KeyboardInterrupt


@pytest.fixture
def folder(folder: Path) -> Path:
    """Pictures that have settled long ago, so that the first report has all of them."""
    for path in folder.rglob("*.png"):
        os.utime(path, (1, 1))
    return folder


@pytest.fixture(params=[None, 0.2], ids=["system", "poll"])
def follower(request: pytest.FixtureRequest, folder: Path) -> Iterator[Follower]:
    """One that has indexed the folder."""
    follower = Follower(folder, request.param)
    assert follower.next().new == PICTURES
    yield follower
    (folder / "the end.png").write_text("makes a round, in which the follower ends")
    follower.end()


def test_new_changed_moved_and_removed(follower: Follower, folder: Path, draw: Draw) -> None:
    draw(folder / "new.png", seed=100)
    assert follower.next().new == 1
    draw(folder / "new.png", seed=101, size=(99, 66))
    assert follower.next().changed == 1
    (folder / "new.png").rename(folder / "below" / "moved.png")
    report = follower.next()
    assert (report.moved, report.embedded, report.removed) == (1, 0, 0)
    (folder / "below" / "moved.png").unlink()
    assert follower.next().removed == 1


def test_whole_folders(follower: Follower, folder: Path, draw: Draw) -> None:
    for i in range(5):
        draw(folder / "a" / "b" / f"{i}.png", seed=100 + i)
    assert sum(report.embedded for report in follower.total("new", 5)) == 5
    (folder / "a").rename(folder / "c")
    assert all(report.embedded == 0 for report in follower.total("moved", 5))
    draw(folder / "c" / "b" / "later.png", seed=200)
    follower.total("new", 1)
    (folder / "c").rename(folder.parent / "outside")
    follower.total("removed", 6)


def test_a_picture_that_is_written_slowly_is_taken_once_and_whole(follower: Follower, folder: Path, draw: Draw) -> None:
    data = draw(folder.parent / "picture.png", seed=100, size=(400, 300)).read_bytes()
    with (folder / "slow.png").open("wb", buffering=0) as file:
        for start in range(0, len(data), len(data) // 8 + 1):
            file.write(data[start : start + len(data) // 8 + 1])
            time.sleep(0.2)
    report = follower.next()
    assert (report.new, report.failed) == (1, [])


def test_names_are_bytes(follower: Follower, folder: Path, draw: Draw) -> None:
    draw(folder.parent / "picture.png", seed=100).rename(os.fsdecode(bytes(folder) + b"/latin-\xe9\n.png"))
    assert follower.next().new == 1


def test_a_picture_that_cannot_be_read_is_news_once(follower: Follower, folder: Path, draw: Draw) -> None:
    (folder / "bad.png").write_text("a text")
    report = follower.next()
    assert (report.newly_failed, len(report.failed)) == (1, 1)
    draw(folder / "good.png", seed=100)
    report = follower.next()
    assert (report.new, report.newly_failed, len(report.failed)) == (1, 0, 1)


def test_nothing_is_locked_between_rounds(follower: Follower, folder: Path) -> None:
    with writer_lock(str(folder / ".lookalike"), wait=PATIENCE):
        pass


def test_a_round_waits_for_another_writer(follower: Follower, folder: Path, draw: Draw) -> None:
    with writer_lock(str(folder / ".lookalike"), wait=PATIENCE):
        draw(folder / "new.png", seed=100)
        time.sleep(2)
    assert follower.next().new == 1


def test_two_followers_of_one_folder(follower: Follower, folder: Path, draw: Draw) -> None:
    second = Follower(folder)
    assert second.next().unchanged == PICTURES
    for i in range(4):
        draw(folder / f"new{i}.png", seed=100 + i)
    with Collection.open(folder) as collection:
        deadline = time.monotonic() + PATIENCE
        while len(collection) < PICTURES + 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(collection) == PICTURES + 4
        assert collection.sync(wait=PATIENCE).unchanged == PICTURES + 4
    (folder / "the end.png").write_text("makes a round")
    second.end()


def test_a_lost_source_keeps_its_pictures_and_is_followed_when_it_is_back(
    tmp_path: Path, folder: Path, draw: Draw
) -> None:
    disk, away = tmp_path / "disk", tmp_path / "away"
    os.utime(draw(disk / "a.png", seed=200), (1, 1))
    Collection.create([folder, disk], tmp_path / "index").close()
    follower = Follower(tmp_path / "index")
    assert follower.next().new == PICTURES + 1
    disk.rename(away)
    report = follower.next()
    assert (report.kept, report.removed, [source.path for source in report.lost]) == (1, 0, [str(disk)])
    away.rename(disk)
    report = follower.next()
    assert (report.lost, report.unchanged) == ([], PICTURES + 1)
    draw(disk / "b.png", seed=201)
    assert follower.next().new == 1
    (disk / "the end.png").write_text("makes a round")
    follower.end()


def test_the_only_source_may_be_lost_and_come_back(tmp_path: Path, folder: Path, draw: Draw) -> None:
    Collection.create(folder, tmp_path / "index").close()
    follower = Follower(tmp_path / "index")
    assert follower.next().new == PICTURES
    folder.rename(tmp_path / "away")
    assert follower.next().kept == PICTURES
    (tmp_path / "away").rename(folder)
    assert follower.next().unchanged == PICTURES
    (folder / "the end.png").write_text("makes a round")
    follower.end()


@pytest.mark.parametrize("how", ["the same", "a copy"])
def test_the_folder_that_holds_the_collection_may_be_lost_and_come_back(
    follower: Follower, folder: Path, draw: Draw, how: str
) -> None:
    folder.rename(away := folder.with_name("away"))
    report = follower.next()
    assert (report.kept, report.changes) == (PICTURES, 0)
    assert [source.path for source in report.lost] == [str(folder / ".lookalike")]
    if how == "the same":
        away.rename(folder)
    else:
        shutil.copytree(away, folder.with_name("copy"))
        folder.with_name("copy").rename(folder)
    report = follower.next()
    assert (report.lost, report.unchanged) == ([], PICTURES)
    draw(folder / "new.png", seed=300)
    assert follower.next().new == 1


def test_a_collection_elsewhere_may_be_lost_and_come_back(tmp_path: Path, folder: Path, draw: Draw) -> None:
    Collection.create(folder, tmp_path / "index").close()
    follower = Follower(tmp_path / "index")
    assert follower.next().new == PICTURES
    (tmp_path / "index").rename(tmp_path / "away")
    assert [source.path for source in follower.next().lost] == [str(tmp_path / "index")]
    (tmp_path / "away").rename(tmp_path / "index")
    assert follower.next().unchanged == PICTURES
    draw(folder / "new.png", seed=300)
    assert follower.next().new == 1
    (folder / "the end.png").write_text("makes a round")
    follower.end()


@pytest.mark.parametrize("poll", [None, math.inf], ids=["system", "poll"])
def test_a_file_that_is_written_all_the_time_makes_no_look_at_everything(
    folder: Path, draw: Draw, poll: float | None
) -> None:
    draw(folder / "written.png", seed=100)
    looks, ended = 0, threading.Event()

    def write() -> None:
        with (folder / "written.png").open("ab", buffering=0) as file:
            for _ in range(150):
                file.write(b"x")
                time.sleep(0.04)
        ended.set()

    def look(done: int, total: int) -> None:
        nonlocal looks
        looks += done == 0

    writing = threading.Thread(target=write)
    writing.start()
    with Collection.open(folder) as collection:
        reports = collection.watch(look, poll=poll)
        first = next(reports)
        assert (first.new, first.unsettled) == (PICTURES, 1)
        assert next(reports).new == 1
        assert ended.is_set()
        assert looks <= 3
        reports.close()  # type: ignore[attr-defined]  # a generator
    writing.join()


def test_pictures_that_were_just_put_there_are_in_the_first_report(folder: Path, draw: Draw) -> None:
    with Collection.open(folder) as collection:
        for path in folder.rglob("*.png"):
            os.utime(path)
        report = next(collection.watch(poll=math.inf))
        assert (report.new, report.unsettled) == (PICTURES, 0)


@pytest.mark.parametrize("poll", [0, -1, math.nan, "often"])
def test_a_poll_of_no_time_at_all_is_refused(folder: Path, poll: object) -> None:
    with Collection.open(folder) as collection, pytest.raises(ArgumentError, match="poll"):
        next(collection.watch(poll=poll))  # type: ignore[arg-type]


@pytest.fixture(params=["link/index", "photos/below/link", "link/link"])
def linked(request: pytest.FixtureRequest, tmp_path: Path, folder: Path) -> Path:
    """A collection directory below its source, by a name with a link: of the folder around it, its own, or both."""
    (folder / "below" / "index").mkdir()
    (folder / "below" / "link").symlink_to("index")
    (tmp_path / "link").symlink_to(folder / "below")
    return tmp_path / str(request.param)


@pytest.mark.parametrize("source", [".", "below"])
def test_a_collection_by_the_name_of_a_link_in_its_source_is_no_part_of_that(
    linked: Path, folder: Path, draw: Draw, source: str
) -> None:
    with Collection.create(folder / source, linked) as collection:
        report = collection.sync()
        assert {os.path.basename(path) for path, _, _ in report.skipped} <= {"notes.txt", "link"}
        sources = collection.info().roots
        with closing(Signs(lambda: sources, collection.place.directory)) as signs:
            draw(folder / "below" / "new.png", seed=100)
            assert signs.wait(PATIENCE)
            collection.sync()
            assert not signs.wait(1), "what the sync itself wrote"
            draw(folder / "below" / "newer.png", seed=101)
            assert signs.wait(PATIENCE)


def test_what_the_system_does_not_tell_is_found_by_looking(
    tmp_path: Path, folder: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lookalike.collection.sync.signs.LOOK", 1.5)
    outside = draw(tmp_path / "outside.png", seed=100)
    os.utime(outside, (1, 1))
    (folder / "link.png").symlink_to(outside)
    follower = Follower(folder)
    assert follower.next().new == PICTURES + 1
    draw(outside, seed=101)
    assert follower.next().changed == 1
    (folder / "the end.png").write_text("makes a round")
    follower.end()


def test_a_source_that_is_added_meanwhile_is_followed(tmp_path: Path, folder: Path, draw: Draw) -> None:
    Collection.create(folder, tmp_path / "index").close()
    follower = Follower(tmp_path / "index")
    assert follower.next().new == PICTURES
    os.utime(draw(tmp_path / "more" / "a.png", seed=100), (1, 1))
    Collection.create(tmp_path / "more", tmp_path / "index", wait=PATIENCE).close()
    assert follower.next().new == 1
    draw(tmp_path / "more" / "b.png", seed=101)
    assert follower.next().new == 1
    (folder / "the end.png").write_text("makes a round")
    follower.end()


def test_names_that_are_not_utf_8_come_one_by_one(folder: Path, draw: Draw) -> None:
    follower = Follower(folder)
    assert follower.next().new == PICTURES
    picture = draw(folder.parent / "picture.png", seed=100).read_bytes()
    number = 60
    for i in range(number):
        with open(bytes(folder) + b"/\xff%d\xe9.png" % i, "wb") as file:
            file.write(picture)
        time.sleep(0.005 + i % 10 * 0.03)
    follower.total("new", number)
    (folder / "the end.png").write_text("makes a round")
    follower.end()


def test_a_folder_whose_name_is_not_utf_8(tmp_path: Path, folder: Path, draw: Draw) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/\xe9"))
    folder.rename(odd)
    follower = Follower(odd)
    assert follower.next().new == PICTURES
    (odd / "below\udcff").mkdir()
    draw(odd / "below\udcff" / "new.png", seed=100)
    assert follower.next().new == 1
    draw(odd / "below\udcff" / "newer.png", seed=101)
    assert follower.next().new == 1
    (odd / "the end.png").write_text("makes a round")
    follower.end()


# -- what is followed


def watches() -> int:
    """The inotify watches of this process."""
    found = [Path(f"/proc/self/fdinfo/{each}") for each in os.listdir("/proc/self/fd")]
    return sum(path.read_text().count("inotify wd:") for path in found if path.exists())


@pytest.mark.skipif(not os.path.exists("/proc/self/fdinfo"), reason="needs Linux")
def test_links_to_folders_are_not_followed(tmp_path: Path, folder: Path, draw: Draw) -> None:
    for number in range(50):
        (tmp_path / "elsewhere" / str(number)).mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "!first").symlink_to(tmp_path)  # which leads to the collection itself, by a name before its own
    before = watches()
    with Collection.open(folder) as collection:
        collection.sync()
        with closing(Signs(lambda: [str(folder)], collection.place.directory)) as signs:
            assert watches() - before == 2, "of the folder and the one below it, without `.lookalike`"
            draw(folder / "new.png", seed=100)
            assert signs.wait(PATIENCE)
            collection.sync()
            assert not signs.wait(3), "what the sync itself wrote"
            (tmp_path / "elsewhere" / "1" / "x").touch()
            assert not signs.wait(1), "what lies behind a link"
    assert watches() == before


def test_a_folder_that_is_moved_is_followed_where_it_is(tmp_path: Path, folder: Path) -> None:
    signs = Signs(lambda: [str(folder)], Place.at(str(folder / ".lookalike")).directory)
    with closing(signs):
        (folder / "below").rename(folder / "moved")
        assert signs.wait(PATIENCE)
        (folder / "moved" / "x").touch()
        assert signs.wait(PATIENCE)
        (folder / "moved").rename(tmp_path / "outside")
        assert signs.wait(PATIENCE)
        (tmp_path / "outside" / "y").touch()
        (folder / ".hidden").touch()
        assert not signs.wait(2)


@pytest.mark.parametrize("error", [RuntimeError("odd"), OSError(5, "odd"), UnicodeError("odd")])
def test_whatever_goes_wrong_is_a_sign(folder: Path, draw: Draw, error: Exception) -> None:
    signs = Signs(lambda: [str(folder)], Place.at(str(folder / ".lookalike")).directory)
    with closing(signs):

        class Broken:
            def next(self, seconds: float) -> set[str]:
                raise error

            def close(self) -> None: ...

        signs._teller = Broken()
        assert signs.wait(PATIENCE)
        assert not signs.wait(1)
        draw(folder / "new.png", seed=100)
        assert signs.wait(PATIENCE)


def test_what_other_systems_are_asked_by(folder: Path, draw: Draw) -> None:
    with closing(Watched([str(folder)])) as watched:
        draw(folder / "new.png", seed=100)
        found: set[str] = set()
        end = time.monotonic() + PATIENCE
        while str(folder / "new.png") not in found and time.monotonic() < end:
            found |= watched.next(1)
        assert str(folder / "new.png") in found


LIMITED = """
import sys
from lookalike.collection import Collection
from lookalike.collection.sync import signs
signs.POLL = signs.LOOK = 0.5
with Collection.open(sys.argv[1]) as collection:
    for report in collection.watch():
        print(report.new, report.polled, flush=True)
"""


@pytest.mark.parametrize(("limit", "least"), [("max_inotify_watches", 1), ("max_inotify_instances", 0)])
def test_where_the_limit_is_reached_it_looks_by_the_clock_and_says_so(
    folder: Path, draw: Draw, limit: str, least: int
) -> None:
    shell = ["unshare", "-Ur", "sh", "-c", f'echo {least} > /proc/sys/user/{limit} && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*shell, "true"], capture_output=True).returncode:
        pytest.skip("needs a namespace of users, to have limits of one's own")
    arguments = [*shell, sys.executable, "-c", LIMITED, str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = process.stdout.readline()
        assert told.startswith(f"{PICTURES} the system tells no changes (the limit fs.inotify.max_user_")
        os.utime(draw(folder / "new.png", seed=100), (1, 1))
        assert process.stdout.readline().startswith("1 the system tells no changes")
        process.kill()
