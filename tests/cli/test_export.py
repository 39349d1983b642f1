"""`lookalike export`, as typed."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from lookalike.vectors import read_vectors, write_vectors
from lookalike.vectors.write import Writable

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough

COUNT = 2000
NAMES = [f"w{i}" for i in range(COUNT)]
VECTORS = np.random.default_rng(0).standard_normal((COUNT, 8)).astype(np.float32)
VECTORS[5] = 0


@pytest.fixture
def words(run: Run, tmp_path: Path) -> Path:
    """A collection of vectors, of which one has no direction."""
    write_vectors(tmp_path / "words.h5", [(NAMES, VECTORS)])
    run("index", "words.h5", "--to", "words")
    return tmp_path / "words"


def test_vectors(run: Run, words: Path, tmp_path: Path) -> None:
    done = run("export", words, "--to", "out.h5")
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "1,999 vectors, 8 dimensions, written to out.h5",
        f"  1 vector left out that could not be indexed, listed by: lookalike info {words}",
    ]
    names, vectors = read_vectors(tmp_path / "out.h5")
    assert names == NAMES[:5] + NAMES[6:]
    assert np.array_equal(vectors, np.delete(VECTORS, 5, 0))


def test_pictures(run: Run, photos: Path, tmp_path: Path) -> None:
    run("index", "photos")
    assert "pictures, 1280 dimensions, written to out.h5" in run("export", "photos", "--to", "out.h5").stderr
    names, _ = read_vectors(tmp_path / "out.h5")
    assert sorted(names or []) == sorted(str(path) for path in photos.glob("[!.]*/*"))


def test_json(run: Run, words: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    done = run("export", words, "--to", tmp_path / "out.npy", "--json")
    assert json.loads(done.stdout) == {
        "paths": [str(tmp_path / "out.npy"), str(tmp_path / "out.parquet")],
        "count": COUNT - 1,
        "dim": 8,
        "format": "npy",
        "failed": 1,
    }
    assert f"written to {tmp_path / 'out.npy'} and {tmp_path / 'out.parquet'}" in done.stderr


def test_facts_come_back_by_names(run: Run, words: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "facts.csv").write_text("path,label\nw1,cat\n./w2,dog\nw3,cat\n")
    done = run("sync", words, "--metadata", "facts.csv")
    assert "facts given to 2 vectors\n  1 name with facts but without a vector here:\n    ./w2\n" in done.stderr
    run("export", words, "--to", "out.npy")
    done = run("index", "out.npy", "--to", "again", "--metadata", "out.parquet")
    assert "facts given to 1,999 vectors" in done.stderr
    run("export", "again", "--to", "cats.vec", "--where", "label = 'cat' and id > 0")
    assert read_vectors(tmp_path / "cats.vec")[0] == ["w1", "w3"]


def test_the_formats_are_those_that_are_written(run: Run, words: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")  # for names beside .npy
    for name in get_args(Writable):
        run("export", words, "--to", f"{name}.any", "--format", name)
    assert (tmp_path / "hdf5.any").read_bytes()[:4] == b"\x89HDF"


def test_a_file_that_is_there(run: Run, words: Path, tmp_path: Path) -> None:
    (tmp_path / "out.vec").write_text("mine")
    done = run("export", words, "--to", "out.vec", code=2)
    assert "received one; choose another name, or ask to overwrite it (`--overwrite` on" in sentence(done.stderr)
    assert (tmp_path / "out.vec").read_text() == "mine"
    run("export", words, "--to", "out.vec", "--overwrite")
    assert len(read_vectors(tmp_path / "out.vec")[1]) == COUNT - 1


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["words"], "Missing option '--to'"),
        (["words", "--to", "out"], "expected one of the endings .h5 .hdf5 .npy .txt .vec .bin, received ''"),
        (["words", "--to", "out.h5", "--format", "csv"], "'csv' is not one of 'hdf5'"),
        (["words", "--to", "none/out.h5"], "'No such file or directory' from the system; choose a folder that exists"),
        (["words", "--to", "words", "--format", "hdf5"], "or a regular one, received another kind"),
        (["words", "--to", "words/out.h5"], "expected a file outside"),
        (["words", "--to", "/dev/stdout", "--format", "hdf5", "--overwrite"], "received another kind; choose another"),
        (["words", "--to", "out.h5", "--where", "label = 'cat'"], "expected one of the facts known here"),
        (["words", "--to", "out.h5", "--where", "size ="], "in the condition"),
        (["words", "--to", "out.h5", "--where", "size > 1000"], "received none of which size > 1000; nothing was"),
        (["none", "--to", "out.h5"], "expected a folder of pictures or a collection at none, received nothing"),
        (["empty", "--to", "out.h5"], "empty is not indexed; index it with"),
    ],
)
def test_what_is_refused(run: Run, words: Path, tmp_path: Path, arguments: list[str], match: str) -> None:
    (tmp_path / "empty").mkdir()
    done = run("export", *arguments, code=2)
    assert done.stdout == ""
    assert match in sentence(done.stderr)
    assert sorted(os.listdir(tmp_path)) == ["empty", "words", "words.h5"]


def test_a_word_with_white_space_is_named(run: Run, tmp_path: Path) -> None:
    write_vectors(tmp_path / "a.h5", [(["one", "two words"], VECTORS[:2])])
    run("index", "a.h5", "--to", "a", "--layout", "columns")
    text = sentence(run("export", "a", "--to", "out.vec", code=2).stderr)
    assert "received 'two words' in row 1; nothing was written: choose hdf5 or npy, which keep every name" in text
    assert not (tmp_path / "out.vec").exists()


def test_a_full_disk(words: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for it."""
    line = f"ulimit -f 60; {command()} export words --to out.vec"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected to write it, received 'File too large' from the system" in sentence(done.stderr)
    assert sorted(os.listdir(tmp_path)) == ["words", "words.h5"]


INTERRUPTED = """
import os, signal, sys
from lookalike.cli import bar
from lookalike.cli.main import main
bar.Bar.show = lambda self, done, total: done and os.kill(os.getpid(), signal.SIGINT)
sys.argv = ["lookalike", "export", "words", "--to", sys.argv[1]]
main()
"""


@pytest.mark.parametrize("ending", ["h5", "npy", "vec", "bin"])
def test_an_interrupt(words: Path, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("pyarrow")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERRUPTED, f"out.{ending}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "lookalike: interrupted\n")
    assert sorted(os.listdir(tmp_path)) == ["words", "words.h5"]


def test_it_needs_no_right_to_write_the_collection(
    run: Run, words: Path, tmp_path: Path, without_powers: list[str]
) -> None:
    for path in (words, words / "segments"):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    line = [*without_powers, command(), "export", str(words), "--to", str(tmp_path / "out.h5")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    words.chmod(stat.S_IRWXU)
    assert done.returncode == 0, done.stderr
    assert len(read_vectors(tmp_path / "out.h5")[1]) == COUNT - 1


def test_a_bar_on_a_terminal(words: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "NO_COLOR": "1"}
    line = [command(), "export", str(words), "--to", str(tmp_path / "out.vec"), "--json"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 4096):
            written += part
    except OSError:  # how Linux tells that the other end was closed
        pass
    os.close(ours)
    assert process.stdout
    with process.stdout as stdout:
        assert json.loads(stdout.read())["count"] == COUNT - 1
    assert process.wait(timeout=60) == 0
    text = written.decode()
    assert "exporting" in text
    assert f"{COUNT - 1}/{COUNT - 1}" in text
    assert "1,999 vectors, 8 dimensions, written to" in text
