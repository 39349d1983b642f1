"""Files of vectors that go away, come back, change while they are read, or are written while they are followed."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.sealed import bulk
from lookalike.collection.sync.settle import Settling
from lookalike.errors import NoPicturesError

from .conftest import Python
from .test_watch import Follower
from .vectors import COUNT, NAMES, VECTORS, at, by_steps, counts, plain, require_holds, rows, write

UNNAMED = [f"v.npy:{i}" for i in range(COUNT)]


def test_a_file_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    other = write(tmp_path / "w.h5", rows(["w"], VECTORS[:1]), 0)
    with Collection.create([file, other], tmp_path / "index") as collection:
        collection.sync()
        file.rename(tmp_path / "away")
        for _ in range(2):
            report = collection.sync()
            assert counts(report) == {"kept": COUNT, "unchanged": 1, "lost": 1}
            assert "no such file" in report.lost[0].reason
        require_holds(collection, rows() | rows(["w"], VECTORS[:1]))
        (tmp_path / "away").rename(file)
        assert counts(collection.sync()) == {"unchanged": COUNT + 1}
        write(file, rows(NAMES[1:], VECTORS[1:]), 1)
        assert counts(collection.sync()) == {"removed": 1, "unchanged": COUNT}


def test_the_only_file_goes_away(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        file.unlink()
        with pytest.raises(NoPicturesError, match=f"{file}: expected a file of vectors, received no such file"):
            collection.sync()
        require_holds(collection, rows())


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5])


def become_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def become_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def become_empty(file: Path) -> None:
    file.write_bytes(b"")


def lose_a_dimension(file: Path) -> None:
    plain(file, VECTORS[:, 1:])


def become_another_kind(file: Path) -> None:
    """Of which the options of this one are none."""
    file.write_text("\n".join(f"word{i} 1 2 3 4 5 6 7" for i in range(9)))


@pytest.mark.parametrize(
    "change", [damage, become_a_folder, become_a_pipe, become_empty, lose_a_dimension, become_another_kind]
)
def test_a_file_that_cannot_be_taken_any_more(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Its vectors are kept, and the other files are taken; the file is taken when it is well again."""
    file = plain(tmp_path / "v.npy", VECTORS.T, 0)
    other = write(tmp_path / "w.h5", rows(["w"], VECTORS[:1]), 0)
    with Collection.create(file, tmp_path / "index", layout="columns") as collection:
        collection.sync()
    with Collection.create(other, tmp_path / "index") as collection:
        collection.sync()
        change(file)
        write(other, rows(["w"], VECTORS[1:2]), 1)
        report = collection.sync()
        assert counts(report) == {"kept": COUNT, "changed": 1, "lost": 1}
        assert report.lost[0].path == str(file)
        assert str(file) in report.lost[0].reason
        require_holds(collection, rows(UNNAMED) | rows(["w"], VECTORS[1:2]))
        if file.is_dir():
            file.rmdir()
        else:
            file.unlink()
        plain(file, VECTORS.T[:, :-1], 2)
        assert counts(collection.sync()) == {"unchanged": COUNT, "removed": 1}


SYNC = """
import sys
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    report = collection.sync()
    print(report.kept, report.unchanged, [lost.reason for lost in report.lost])
"""


def test_a_file_that_may_not_be_read_any_more(tmp_path: Path, python: Python, unprivileged: tuple[str, ...]) -> None:
    first, second = (write(tmp_path / name, rows([name], VECTORS[:1]), 0) for name in ("a.h5", "b.h5"))
    with Collection.create([first, second], tmp_path / "index") as collection:
        collection.sync()
    write(first, rows(["a.h5"], VECTORS[1:2]), 1).chmod(0)
    done = python(SYNC, tmp_path / "index", prefix=unprivileged)
    assert done.stdout.startswith("1 1 ["), done.stderr
    assert "'Permission denied'" in done.stdout


def test_a_package_that_reads_it_is_not_there_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def save(vectors: np.ndarray, time: int) -> Path:
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        parquet.write_table(pa.table({"path": NAMES, "vector": lists}), tmp_path / "v.parquet")
        return at(tmp_path / "v.parquet", time)

    files = [save(VECTORS, 0), write(tmp_path / "w.h5", rows(["w"], VECTORS[:1]), 0)]
    with Collection.create(files, tmp_path / "index") as collection:
        collection.sync()
        save(VECTORS + 1, 1)
        imported = builtins.__import__

        def no_pyarrow(name: str, *given: object, **how: object) -> object:
            if name.partition(".")[0] == "pyarrow":
                raise ImportError(name)
            return imported(name, *given, **how)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(builtins, "__import__", no_pyarrow)
            report = collection.sync()
        assert counts(report) == {"kept": COUNT, "unchanged": 1, "lost": 1}
        assert "pip install 'lookalike[parquet]'" in report.lost[0].reason
        assert counts(collection.sync()) == {"changed": COUNT, "unchanged": 1}


class Meddler:
    """Does something to a file, once so much of it is read."""

    def __init__(self, after: int, meddle: Callable[[], object]) -> None:
        self._after = after
        self._meddle = meddle

    def __call__(self, done: int, total: int) -> None:
        if done == self._after:
            self._meddle()


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1000)


def overwrite(file: Path) -> None:
    """In its place, all rows that come next."""
    with open(file, "r+b") as stream:
        stream.seek(-VECTORS[100:].nbytes, os.SEEK_END)
        stream.write((VECTORS[100:] + 1).tobytes())
    at(file, 5)


def spoil(file: Path) -> None:
    with open(file, "r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(np.float32(np.nan).tobytes())
    at(file, 5)


def replace(file: Path) -> None:
    plain(file.with_name("new.npy"), VECTORS[:9], 5).replace(file)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("meddle", [truncate, overwrite, spoil, replace, Path.unlink])
def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, meddle: Callable[[Path], None], small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken of it may be in it; nothing is removed, and the next sync takes the file as it is then."""
    if small:
        monkeypatch.setattr(bulk, "_PART", 16)
        monkeypatch.setattr(bulk, "MOST_PARTS", 2)
    file = plain(tmp_path / "v.npy", VECTORS, 0)
    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        collection.describe({name: {"number": i} for i, name in enumerate(UNNAMED)})
        before = VECTORS.copy()
        before[:60] += 2
        plain(file, before, 1)
        report = collection.sync(Meddler(100, lambda: meddle(file)))
        assert (report.unsettled, len(report.skipped), len(report.failed), report.removed) == (1, 1, 0, 0)
        assert report.kept + report.changed == COUNT == len(collection)
        assert report.lost == []
        assert "while it was read" in report.skipped[0].reason
        allowed = [{row.tobytes() for row in rows} for rows in zip(VECTORS, before, VECTORS + 1, strict=True)]
        assert all(collection.vector(UNNAMED[i]).tobytes() in allowed[i] for i in range(COUNT))
        assert Collection.verify(tmp_path / "index") == []
        assert len(list((tmp_path / "index" / "segments").iterdir())) == collection.info().segments
        file.unlink(missing_ok=True)
        plain(file, VECTORS[:250], 7)
        report = collection.sync()
        assert (report.removed, report.indexed) == (50, 250)
        require_holds(collection, rows(UNNAMED[:250], VECTORS[:250]))
        assert collection.given(UNNAMED) == {name: {"number": i} for i, name in enumerate(UNNAMED[:250])}


def test_a_first_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    file = plain(tmp_path / "v.npy", VECTORS, 0)
    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        report = collection.sync(Meddler(100, lambda: replace(file)))
        assert counts(report) == {"skipped": 1, "unsettled": 1}
        assert counts(collection.sync()) == {"new": 9}
        require_holds(collection, rows(UNNAMED[:9], VECTORS[:9]))


def test_a_file_is_taken_by_a_watch_once_it_is_written(tmp_path: Path) -> None:
    file = plain(tmp_path / "v.npy", VECTORS[:50], 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
    follower = Follower(tmp_path / "index")
    assert counts(follower.next()) == {"unchanged": 50}
    np.save(tmp_path / "whole.npy", VECTORS)
    whole = (tmp_path / "whole.npy").read_bytes()
    with open(file, "r+b") as stream:
        for start in range(0, len(whole), 2000):
            stream.seek(start)
            stream.write(whole[start : start + 2000])
            stream.flush()
            time.sleep(0.1)
    report = follower.next()
    assert counts(report) == {"new": COUNT - 50, "unchanged": 50}, "no half of it was taken, and none told to be lost"
    os.rename(file, tmp_path / "away.npy")
    assert counts(follower.next()) == {"kept": COUNT, "lost": 1}
    os.rename(tmp_path / "away.npy", file)
    assert counts(follower.next()) == {"unchanged": COUNT}
    plain(tmp_path / "less.npy", VECTORS[:200], 0).replace(file)
    assert counts(follower.next()) == {"removed": 100, "unchanged": 200}
    at(file, 1)  # makes a round, in which the follower ends
    follower.end()


def test_a_file_that_changed_while_a_watch_read_it_is_looked_at_again(tmp_path: Path) -> None:
    """By its own clock, for the sign of its change may have been before."""
    file = plain(tmp_path / "v.npy", VECTORS, 0)
    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        settling = Settling()
        collection._sync(Meddler(100, lambda: plain(file, VECTORS[:9], 1)), 64, False, 0, settling)
        assert settling.paths == {str(file)}
        assert counts(collection._sync(None, 64, False, 0, settling)) == {"skipped": 1, "unsettled": 1}, (
            "is it another?"
        )
        assert counts(collection._sync(None, 64, False, 0, settling)) == {"new": 9}
        assert settling.paths == set()
