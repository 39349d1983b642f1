"""Collections of vectors, as a user makes them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.vectors import write_vectors
from tests.segment_files import segment

from .conftest import Run

pytestmark = pytest.mark.thorough

COUNT, DIM = 50, 4

VECTORS = np.random.default_rng(2).standard_normal((COUNT, DIM)).astype(np.float32)
NAMES = [f"photos/{i}.jpg" for i in range(COUNT)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_vectors(tmp_path / "v.h5", [(NAMES, VECTORS)])
    return tmp_path / "v.h5"


def test_a_file_is_indexed_and_kept_up_to_date(run: Run, file: Path, tmp_path: Path) -> None:
    done = run("index", "v.h5", "--to", "index", "--stats")
    assert done.stderr.startswith("50 vectors indexed: 50 new, in ")
    assert "vectors/s" in done.stderr
    assert done.stdout == ""
    assert run("index", "v.h5", "--to", "index").stderr.startswith("50 vectors indexed: nothing new, in ")
    write_vectors(file, [([*NAMES[1:], "new"], VECTORS)], overwrite=True)
    told = json.loads(run("sync", "index", "--json").stdout)
    assert (told["things"], told["new"], told["changed"], told["removed"], told["indexed"]) == ("vectors", 1, 49, 1, 50)
    about = run("info", "index").stdout
    assert "vectors     50" in about
    assert "each        4 dimensions, cosine distance" in about
    assert f"sources     {file}" in about
    assert "efficientnet" not in about
    assert json.loads(run("info", "index", "--json").stdout)["things"] == "vectors"
    run("verify", "index")


def test_how_it_is_read_and_compared(run: Run, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as made:
        made["a"], made["b"], made["words"] = VECTORS, VECTORS[:DIM] + 1, ["k", "l", "m", "n"]
    options = ("--key", "b", "--names", "words", "--layout", "columns", "--metric", "euclidean", "--format", "hdf5")
    assert run("index", "v.h5", "--to", "index", *options).stderr.startswith("4 vectors indexed: 4 new")
    with Collection.open(tmp_path / "index") as collection:
        assert np.array_equal(collection.vector("l"), VECTORS[:DIM, 1] + 1)
        assert collection.info().metric == "euclidean"
    assert run("sync", "index").stderr.startswith("4 vectors indexed: nothing new")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--metric", "hamming"), "cosine, euclidean, sqeuclidean, dot"),
        (("--format", "csv"), "expected one of npy,"),
        (("--key", "other"), "give another key"),
    ],
)
def test_a_wrong_option(run: Run, file: Path, tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    done = run("index", "v.h5", "--to", "index", *options, code=2)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "index").exists()


def test_vectors_that_none_can_compare(run: Run, tmp_path: Path) -> None:
    wrong = VECTORS.copy()
    wrong[49, 0] = np.nan
    np.save(tmp_path / "v.npy", wrong)
    assert "received nan in row 49" in run("index", "v.npy", "--to", "index", code=2).stderr
    assert not (tmp_path / "index").exists()
    wrong[49] = 0
    np.save(tmp_path / "v.npy", wrong)
    done = run("index", "v.npy", "--to", "index")
    assert done.stderr.startswith("49 vectors indexed: 49 new")
    assert "  1 could not be read:\n    v.npy:49: a zero vector" in done.stderr
    wrong[1:] = 0
    np.save(tmp_path / "v.npy", wrong)
    assert run("sync", "index").stderr.startswith("1 vector indexed: nothing new")
    np.save(tmp_path / "z.npy", wrong[1:])
    assert "of 49 vectors in" in run("index", "z.npy", "--to", "zeros", code=2).stderr


def test_a_file_that_is_away(run: Run, file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", VECTORS)
    for name in ("v.h5", "w.npy"):
        run("index", name, "--to", "index")
    (tmp_path / "w.npy").unlink()
    done = run("sync", "index")
    assert done.stderr.startswith(f"not looked at, its vectors are kept as they were: {tmp_path / 'w.npy'}: ")
    file.unlink()
    assert "no such file" in run("sync", "index", code=2).stderr


def test_what_is_said_of_a_search_is_said_of_vectors(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VECTORS + np.array([9, 0, 0, 0], np.float32))
    np.save(tmp_path / "far.npy", np.array([-9, 0, 0, 0], np.float32))
    run("index", "v.npy", "--to", "index")
    far = run("search", "--vector", "far.npy", "index", "--where", "size > 1", "--html", "page.html")
    assert far.stderr.startswith("page written to page.html\nno good match: the nearest are farther away than 9")
    assert far.stderr.endswith(" of 100 vectors here are from theirs\n")
    assert "only vectors of which size &gt; 1; no good match" in (tmp_path / "page.html").read_text()
    none = run("search", "--vector", "far.npy", "index", "--where", "size > 50", code=1)
    assert none.stderr == "nothing found among the other vectors in index of which size > 50\n"


def test_facts_go_by_names(run: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("path,stars\nphotos/7.jpg,5\n./photos/8.jpg,4\n")
    done = run("index", "v.h5", "--to", "index", "--metadata", "facts.csv")
    assert "facts given to 1 vector\n" in done.stderr
    assert "1 name with facts but without a vector here:\n    ./photos/8.jpg" in done.stderr
    with Collection.open(tmp_path / "index") as collection:
        assert collection.paths("stars = 5") == ["photos/7.jpg"]
    (tmp_path / "facts.csv").write_text("path,stars\nphotos/8.jpg,5\n")
    assert "facts given to 1 vector\n" in run("sync", "index", "--metadata", "facts.csv").stderr


def test_duplicates_are_those_of_pictures(run: Run, file: Path, tmp_path: Path) -> None:
    run("index", "v.h5", "--to", "index")
    assert "which is of vectors" in run("dedupe", "index", code=2).stderr


def test_damage_is_mended(run: Run, file: Path, tmp_path: Path) -> None:
    run("index", "v.h5", "--to", "index")
    segment(tmp_path / "index").unlink()
    run("verify", "index", code=2)
    file.rename(tmp_path / "away.h5")
    done = run("repair", "index", code=2)
    assert "expected to read the vectors again that are damaged" in done.stderr
    assert "--give-up" in done.stderr
    (tmp_path / "away.h5").rename(file)
    assert "vectors: 0 intact, 50 made again, 0 lost" in run("repair", "index").stderr


def test_info_shows_what_searches_find_and_cost_by_both_kinds_of_queries(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(3).standard_normal((9000, 8), np.float32))
    run("index", "v.npy", "--to", "index")
    lines = run("info", "index").stdout.splitlines()
    first, second = (n for n, line in enumerate(lines) if "by queries such as" in line)
    assert lines[first].startswith("recall      asked → found of the nearest 10, compared, time; ")
    assert lines[second] == "            by queries such as nothing here is like, midpoints of two"
    for start in (first, second):
        for asked, line in zip(("0.80", "0.90", "0.95", "0.99"), lines[start + 1 : start + 5], strict=True):
            assert line.startswith(f"            {asked} → ")
            assert " of 9,000, " in line
    told = json.loads(run("info", "index", "--json").stdout)
    for name in ("recall_curve", "recall_curve_without_relatives"):
        assert [point["asked"] for point in told[name]] == [0.8, 0.9, 0.95, 0.99]
