"""`lookalike bench`, as typed; the peers are those that NumPy is enough for."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from lookalike.bench.competitors import NAMES
from lookalike.bench.results import Results
from tests.conftest import Require

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough

BRIEF = ("--peers", "brute-numpy,brute-pairs", "--rounds", "1", "-k", "3")
VECTORS = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    np.save(tmp_path / "some.npy", VECTORS)
    return tmp_path / "some.npy"


def test_everything_is_measured_and_kept(run: Run, vectors: Path, tmp_path: Path) -> None:
    done = run("bench", vectors, *BRIEF)
    place = tmp_path / "bench-results" / "some"
    said = done.stderr.splitlines()
    assert said[0] == "some: 360 vectors of 8, 40 queries, cosine"
    assert [line.partition(":")[0] for line in said[1:-1]] == ["lookalike", "brute-numpy", "brute-pairs"]
    assert said[-1] == "to look at: bench-results/some/index.html"
    assert done.stdout.count("\n| brute-numpy") == 2  # speed, and what it takes
    results = Results.load(place / "results.json")
    assert [one.name for one in results.outcomes] == ["lookalike", "brute-numpy", "brute-pairs"]
    for one in results.outcomes:
        assert not one.error
        assert one.single[0].recall == one.batch[0].recall == 1
        assert one.disk
        assert one.load
        assert one.added
        assert one.removed
        assert one.single[0].touched == 360
        assert one.notes == []
    page = (place / "index.html").read_text()
    assert "some: lookalike beside 2 others" in page
    assert "What a missed neighbour looks like" not in page
    for mode in ("single", "batch"):
        assert (place / f"recall-{mode}.svg").read_text().startswith("<svg")
    with (place / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["competitor"] for row in rows} == {"lookalike", "brute-numpy", "brute-pairs"}
    assert len(list(place.glob("ann-benchmarks/results/some/3/*/*.hdf5"))) == 6
    again = run("bench", vectors, *BRIEF)
    assert again.stderr.splitlines() == [said[0], said[-1]]  # nothing was measured
    assert again.stdout == done.stdout


def test_several_sets_and_json(run: Run, vectors: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "table.hdf5", "w") as file:
        file.attrs["distance"] = "euclidean"
        file["train"], file["test"] = VECTORS[:300], VECTORS[300:320]
    words = (*BRIEF, "--peers", "lookalike", "--out", tmp_path / "out", "--json")
    lines = run("bench", vectors, tmp_path / "table.hdf5", *words).stdout.splitlines()
    first, second = map(json.loads, lines)
    assert (first["dataset"], first["distance"], first["count"]) == ("some", "cosine", 360)
    assert (second["dataset"], second["distance"], second["count"], second["queries"]) == (
        "table",
        "euclidean",
        300,
        20,
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["some", "table"]
    other = tmp_path / "other"
    other.mkdir()
    np.save(other / "some.npy", VECTORS)
    refused = sentence(run("bench", vectors, other / "some.npy", *BRIEF, code=2).stderr)
    assert "two data sets are called some" in refused


def test_sets(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [" ".join(f"word{item}" for item in random.choice(60, 12)) for _ in range(200)]
    (tmp_path / "texts.txt").write_text("\n".join(lines))
    words = ("bench", "texts.txt", "--format", "sets", "--rounds", "1", "-k", "3")
    done = run(*words, "--peers", "brute-pairs,inverted-index,annoy")
    said = done.stderr.splitlines()
    assert said[0] == "texts: 180 sets over 60 items, 20 queries, jaccard"
    assert "annoy: it does not compare sets" in said
    assert "texts: 180 sets over 60 items, jaccard" in done.stdout
    results = Results.load(tmp_path / "bench-results" / "texts" / "results.json")
    assert [one.name for one in results.outcomes if not one.error] == ["lookalike", "brute-pairs", "inverted-index"]
    assert all(max(point.recall for point in one.single) == 1 for one in results.outcomes[:3])
    kept = tmp_path / "bench-results" / "texts" / "ann-benchmarks" / "results" / "texts" / "3" / "inverted-index"
    with h5py.File(next(kept.iterdir())) as file:
        assert file.attrs["distance"] == "jaccard"
        assert file["distances"][()].max() <= 1
    refused = sentence(run(*words, "--metric", "cosine", code=2).stderr)
    assert "expected no --metric, as sets have Jaccard's distance; received cosine" in refused


def test_queries_of_ones_own(run: Run, vectors: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "queries.npy", VECTORS[:7])
    words = ("--peers", "lookalike", "--rounds", "1", "-k", "1", "--metric", "euclidean")
    done = run("bench", vectors, "--queries", "queries.npy", *words)
    assert done.stderr.startswith("some: 400 vectors of 8, 7 queries, euclidean\n")
    assert run("bench", vectors, "--queries", "9", *words).stderr.startswith("some: 391 vectors of 8, 9 queries")


def test_a_collection_of_pictures_shows_what_was_found(run: Run, photos: Path, tmp_path: Path) -> None:
    run("index", "photos", "--to", "index")
    run("bench", "index", *BRIEF, "--queries", "5")
    page = (tmp_path / "bench-results" / "index" / "index.html").read_text()
    assert page.count("What a missed neighbour looks like") == 1
    assert page.count('<figure><span class="mat">') == 4
    assert page.count("<image id=") >= 3
    assert "brute-pairs" in page


def test_a_collection_of_vectors(run: Run, vectors: Path) -> None:
    run("index", vectors, "--metric", "euclidean", "--to", "index")
    done = run("bench", "index", "--peers", "lookalike", "--rounds", "1")
    assert done.stderr.startswith("index: 360 vectors of 8, 40 queries, euclidean\n")
    run("index", vectors, "--metric", "dot", "--to", "inner")
    assert "its metric is dot; expected cosine or euclidean" in sentence(run("bench", "inner", code=2).stderr)


def test_interrupted_it_goes_on(vectors: Path, tmp_path: Path) -> None:
    words = [command(), "bench", str(vectors), *BRIEF]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("lookalike: built"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    kept = "what is finished is kept in bench-results/some: the same command goes on"
    assert rest.splitlines()[-2:] == [kept, "lookalike: interrupted"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    assert "lookalike: built" not in done.stderr
    assert "brute-pairs: built" in done.stderr
    assert not (tmp_path / "bench-results" / "some" / "work").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("nowhere.npy",), "nowhere.npy"),
        (("some.npy", "--peers", "bogus"), f"expected competitors among {', '.join(NAMES)}; received bogus"),
        (("some.npy", "-k", "0"), "k is 0"),
        (("some.npy", "-k", "361"), "hold out 40 as queries and to find 361 neighbours"),
        (("some.npy", "--rounds", "0"), "rounds is 0"),
        (("some.npy", "--single", "0"), "single is 0"),
        (("some.npy", "--queries", "0"), "to hold out 1 as queries"),
        (("some.npy", "--queries", "-3"), "-3"),
        (("some.npy", "--build-limit", "0"), "build-limit is 0"),
        (("some.npy", "--search-limit", "nan"), "search-limit is nan"),
        (("some.npy", "--tune"), "expected a dataset called tune"),
        (("text.npy",), "text.npy"),
        (("empty",), "empty"),
        (
            ("some.npy", "--out", "some.npy"),
            "cannot write into some.npy/some: Not a directory; choose another with --out",
        ),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    run: Run, vectors: Path, words: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    (tmp_path / "text.npy").write_text("no vectors")
    (tmp_path / "empty").mkdir()
    assert expected in sentence(run("bench", *words, code=2).stderr)
    assert not any(tmp_path.rglob("competitors"))


def test_the_commands_of_its_guide(run: Run, photos: Path, tmp_path: Path) -> None:
    """With fewer peers and rounds than they have there."""
    np.save(tmp_path / "vectors.npy", VECTORS)
    np.save(tmp_path / "queries.npy", VECTORS[:9])
    for name in ("glove", "sift"):
        with h5py.File(tmp_path / f"{name}.hdf5", "w") as file:
            file["train"], file["test"] = VECTORS[:300], VECTORS[300:]
    with h5py.File(tmp_path / "kosarak.hdf5", "w") as file:
        file.attrs["distance"] = "jaccard"
        file["train"], file["size_train"] = np.arange(300) % 70, [3] * 100
        file["test"], file["size_test"] = np.arange(20), [2] * 10
    (tmp_path / "texts.txt").write_text("\n".join(f"one two {row} {row % 7}" for row in range(100)))
    run("index", "photos", "--to", "index")
    guide = (Path(__file__).parents[2] / "docs" / "bench.md").read_text()
    commands = re.findall(r"^(?:\$|\|) `?lookalike (bench [^`\n]+)", guide, re.MULTILINE)
    assert len(commands) == 9
    for words in commands:
        run(*words.split(), "--peers", "lookalike", "--rounds", "1", "-k", "3")


def test_a_full_disk_is_said(vectors: Path, tmp_path: Path, require_or_skip: Require) -> None:
    require_or_skip(os.geteuid() == 0 and sys.platform == "linux", "needs root, to mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    np.save(vectors, np.random.default_rng(0).standard_normal((40_000, 8)).astype(np.float32))
    mount = f"mount -t tmpfs -o size=1m none {small}"
    script = f"{mount} && exec {command()} bench {vectors} --peers lookalike --out {small}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    reason = r"(No space left on device|\d+ requested and \d+ written)"
    expected = rf"lookalike: cannot write into {small}/some: {reason}; choose another with --out"
    assert re.fullmatch(expected, done.stderr.splitlines()[-1])
