"""Saving: the old file or the whole new one, whatever happens."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index, errors
from tests.conftest import LONG
from tests.index.brute_force import METRICS, Metric, clusters


def small() -> Index:
    index = Index(2, "euclidean")
    index.add([[1.0, 2.0], [3.0, 4.0]])
    return index


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not bind root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_what_is_opened_is_what_was_saved(metric: Metric, hashed: bool, tmp_path: Path) -> None:
    vectors = clusters(700, 9, seed=1)
    index = Index(9, metric, seed=7, buckets=20 if hashed else None)
    index.add(vectors, np.random.default_rng(1).permutation(10_000)[:700])
    index.remove(index.ids[::5])
    index.add(vectors[0] + 1, 10_000)
    index.save(tmp_path / "index")
    opened = Index.open(tmp_path / "index")
    assert (opened.dim, opened.metric, len(opened), repr(opened)) == (9, metric, len(index), repr(index))
    np.testing.assert_array_equal(opened.ids, index.ids)
    for options in ({}, {"exact": True}, {"probes": 3}, {"recall": 0.5}):
        a, b = (each.search(vectors[:50], 6, **options) for each in (index, opened))
        np.testing.assert_array_equal(a.ids, b.ids)
        np.testing.assert_array_equal(a.distances, b.distances)
        np.testing.assert_array_equal(a.candidates, b.candidates)
        np.testing.assert_array_equal(a.recall, b.recall)
    assert opened.add(vectors[1]).tolist() == [10_001]
    np.testing.assert_array_equal(opened[10_000], vectors[0] + 1)


def test_saving_over_the_file_that_is_mapped(tmp_path: Path) -> None:
    small().save(tmp_path / "index")
    one, other = Index.open(tmp_path / "index"), Index.open(tmp_path / "index")
    one.add([5.0, 6.0])
    one.save(tmp_path / "index")
    one.remove([0, 1])
    assert other.ids.tolist() == [0, 1]
    assert other[1].tolist() == [3.0, 4.0]
    assert Index.open(tmp_path / "index").ids.tolist() == [0, 1, 2]


def test_the_same_index_is_the_same_bytes_however_often_it_is_saved(tmp_path: Path) -> None:
    small().save(tmp_path / "a")
    opened = Index.open(tmp_path / "a")
    opened.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_many_buckets_are_visited_in_the_same_order_after_opening(tmp_path: Path) -> None:
    vectors, queries = clusters(6000, 24, seed=1) + 50, clusters(200, 24, seed=2) + 50
    index = Index(24, "euclidean", buckets=600)
    index.add(vectors)
    index.save(tmp_path / "a")
    opened = Index.open(tmp_path / "a")
    opened.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    for probes in (1, 7, 100, 600):
        found = [each.search(queries, 5, probes=probes) for each in (index, opened, Index.open(tmp_path / "b"))]
        for again in found[1:]:
            np.testing.assert_array_equal(again.ids, found[0].ids)
            np.testing.assert_array_equal(again.distances, found[0].distances)
            np.testing.assert_array_equal(again.candidates, found[0].candidates)


def test_a_note_is_kept_until_another_is_given(tmp_path: Path) -> None:
    index = small()
    assert index.note == {}
    note = {"model": "efficientnet", "naïve": '\udcff\n"', "": "x" * 100_000}
    index.save(tmp_path / "a", note=note)
    assert index.note == note
    opened = Index.open(tmp_path / "a")
    assert opened.note == note
    opened.save(tmp_path / "b")
    assert Index.open(tmp_path / "b").note == note
    opened.save(tmp_path / "b", note={})
    assert Index.open(tmp_path / "b").note == {}


@pytest.mark.parametrize("note", [{"a": 1}, {1: "a"}, {"a": None}, {"a": ["b"]}, "abc", ["a"], 1])
def test_a_note_is_text(note: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(errors.ArgumentError, match=r"note .*; expected text"):
        small().save(tmp_path / "index", note=note)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name", [b"\xff\xfe\xe9.segment", b"new\nline", "ü ☂ \u202e".encode(), b"x" * 255, b".tmp", b"-"]
)
def test_names_are_bytes(name: bytes, tmp_path: Path) -> None:
    path = os.path.join(tmp_path, os.fsdecode(name))
    small().save(path)
    assert os.listdir(os.fsencode(tmp_path)) == [name]
    assert Index.open(path).ids.tolist() == [0, 1]
    os.truncate(path, 100)
    with pytest.raises(errors.DamagedError) as caught:
        Index.open(path)
    assert path in str(caught.value)


def test_a_bare_name_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small().save("index")
    small().save(tmp_path / "index")
    assert os.listdir() == ["index"]
    assert len(Index.open("./index")) == 2


def test_a_nul_in_a_path_is_not_its_end(tmp_path: Path) -> None:
    for use in (small().save, Index.open):
        for name in ("index\0.old", "\ud800"):
            with pytest.raises(errors.ArgumentError, match="which no file can have"):
                use(f"{tmp_path}/{name}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", [123, None, 1.5, [b"a"]])
def test_what_is_no_path(path: object) -> None:
    for use in (small().save, Index.open, Index.salvage):
        with pytest.raises(errors.ArgumentError, match="expected a path, received"):
            use(path)  # type: ignore[arg-type]


def refused(path: str | Path, number: int, words: str) -> None:
    index = small()
    with pytest.raises(errors.WriteError, match=words) as caught:
        index.save(path)
    assert caught.value.errno == number
    assert isinstance(caught.value, OSError)
    assert str(path) in str(caught.value)
    assert index.search([1.0, 2.0], 1).ids.tolist() == [0]


def test_no_such_folder(tmp_path: Path) -> None:
    refused(tmp_path / "no" / "index", errno.ENOENT, "what was there before is unchanged")
    refused("", errno.ENOENT, "cannot write")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "index", errno.ENOTDIR, "Not a directory")
    assert os.listdir(tmp_path) == ["file"]


def test_the_target_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", errno.EISDIR, "directory")
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == []


def test_the_target_is_a_link_or_no_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        small().save(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert len(Index.open(tmp_path / "real")) == 2
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to pipe").symlink_to("pipe")
    for name in ("pipe", "to pipe"):
        refused(tmp_path / name, errno.EEXIST, "another kind")
    refused("/dev/null", errno.EEXIST, "another kind")
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe", "real", "to pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_no_permission() -> None:
    folder = tempfile.mkdtemp()  # nobody must be able to reach it
    try:
        os.chmod(folder, 0o555)
        with as_nobody():
            refused(f"{folder}/index", errno.EACCES, "Permission denied")
        assert os.listdir(folder) == []
    finally:
        os.rmdir(folder)


def test_a_folder_that_can_be_written_but_not_listed() -> None:
    folder = tempfile.mkdtemp()
    try:
        os.chmod(folder, 0o333)
        with as_nobody():
            refused(f"{folder}/index", errno.EACCES, "the new file is in place")
            assert len(Index.open(f"{folder}/index")) == 2
    finally:
        os.chmod(folder, 0o700)
        os.unlink(f"{folder}/index")
        os.rmdir(folder)


def test_an_unreadable_file() -> None:
    folder = tempfile.mkdtemp()
    try:
        os.chmod(folder, 0o777)
        small().save(f"{folder}/index")
        os.chmod(f"{folder}/index", 0o000)
        with as_nobody(), pytest.raises(errors.ReadError, match="Permission denied"):
            Index.open(f"{folder}/index")
    finally:
        os.unlink(f"{folder}/index")
        os.rmdir(folder)


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        small().save(tmp_path / "index")
    finally:
        os.umask(before)
    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, require_or_skip: Callable[[object, str], None]) -> None:
    require_or_skip(os.geteuid() == 0 and sys.platform == "linux", "needs root, to mount a small tmpfs")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], check=False, capture_output=True
    )
    require_or_skip(mounted.returncode == 0, "may not mount a tmpfs here")
    try:
        small().save(tmp_path / "index")
        large = Index(100)
        large.add(clusters(2000, 100, seed=2))
        for _ in range(2):
            with pytest.raises(errors.WriteError, match="No space left on device") as caught:
                large.save(tmp_path / "index")
            assert caught.value.errno == errno.ENOSPC
            assert os.listdir(tmp_path) == ["index"]
        assert Index.open(tmp_path / "index").ids.tolist() == [0, 1]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_file_size_limit_leaves_the_old_file(tmp_path: Path) -> None:
    small().save(tmp_path / "index")
    code = """
import resource, sys, numpy as np, lookalike
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
index = lookalike.Index(100)
index.add(np.random.default_rng(0).normal(size=(2000, 100)))
try:
    index.save(sys.argv[1])
except lookalike.errors.WriteError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "index"], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert os.listdir(tmp_path) == ["index"]
    assert len(Index.open(tmp_path / "index")) == 2


def test_a_kill_in_mid_save_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    # One process forks children that save two indexes in turn, as fast as they can, and kills each.
    code = """
import os, signal, sys, time, numpy as np, lookalike
path, made = sys.argv[1], []
for rows in (1000, 3000):
    index = lookalike.Index(50, "euclidean")
    index.add(np.arange(rows * 50, dtype=np.float32).reshape(rows, 50))
    index.optimize()
    made.append(index)
made[0].save(path)
random = np.random.default_rng(1)
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        while True:
            for index in made:
                index.save(path)
    time.sleep(random.uniform(0.002, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    index = lookalike.Index.open(path)
    rows = len(index)
    assert rows in (1000, 3000)
    last = np.arange(50, dtype=np.float32) + (rows - 1) * 50
    assert index.search(last, 1, exact=True).ids[0] == rows - 1
print("whole", sum(".tmp-" in name for name in os.listdir(os.path.dirname(path))))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, tmp_path / "index", "1000" if LONG else "25"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    word, leftovers = done.stdout.split()
    assert word == "whole"
    assert int(leftovers) > 0, "no kill came in mid-save"


def test_what_a_killed_process_of_the_same_number_left_is_no_obstacle(tmp_path: Path) -> None:
    left = [tmp_path / f"index.tmp-{os.getpid()}-{serial}" for serial in range(2000)]
    for path in left:
        path.touch()
    small().save(tmp_path / "index")
    assert all(path.stat().st_size == 0 for path in left)
    assert len(Index.open(tmp_path / "index")) == 2
