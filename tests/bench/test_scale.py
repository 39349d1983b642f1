"""benchmarks/scale, on a tiny set: real processes, real files, and a real limit on memory where one can be set."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike import Index
from lookalike.bench.datasets import Dataset, Queries, save
from lookalike.bench.truth import exact_neighbors
from scale import limited as limits
from scale import run, size, tables, worker
from scale.figures import Built, Limited, Opened, Phase, Run, Searched, Size
from scale.limited import CannotLimitError, limited
from scale.others import Others
from scale.searching import Work, phase
from scale.series import neighbors, real, synthetic

pytestmark = pytest.mark.thorough

ASKED = 50


@pytest.fixture(scope="module")
def tiny() -> Dataset:
    """6,000 vectors around 20 centres; the engine puts so many in buckets."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((20, 16))
    drawn = centres[random.integers(20, size=6_060)] + 0.3 * random.standard_normal((6_060, 16))
    base, queries = drawn[60:].astype(np.float32), drawn[:60].astype(np.float32)
    return Dataset("tiny", "euclidean", base, Queries(queries, *exact_neighbors(base, queries, "euclidean", 10)))


@pytest.fixture
def words(tiny: Dataset, tmp_path: Path) -> list[str]:
    """Of a command that measures 5,000 and 6,000 real vectors, and 7,000 of a mixture."""
    save(tmp_path / "tiny.hdf5", tiny)
    sizes = ["--counts", "5000", "9000", "--mixture", "7000", "--components", "10", "--queries", f"{ASKED}"]
    return [str(tmp_path / "tiny.hdf5"), "--rounds", "1", *sizes, *folders(tmp_path)]


@pytest.fixture
def work(tiny: Dataset, tmp_path: Path) -> Work:
    series = real(tiny, [6_000], str(tmp_path))
    about = neighbors(series, 6_000, ASKED, 10, str(tmp_path))
    index = str(tmp_path / "index")
    return Work(series.base, 6_000, "euclidean", series.queries, about, index, 10**9, 10, 1, processor=False)


def folders(place: Path) -> list[str]:
    return ["--work", str(place / "work"), "--out", str(place / "out")]


def can_limit() -> str:
    """ "" where the memory of a process can be limited, or why it cannot."""
    try:
        with limited(200_000_000):
            return ""
    except CannotLimitError as error:
        return str(error)


def table(text: str, title: str) -> list[list[str]]:
    """The cells of the table below a title, without its own titles."""
    lines = [line for line in text.partition(f"### {title}\n")[2].partition("\n### ")[0].splitlines() if "|" in line]
    assert len({line.count("|") for line in lines}) == 1
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_command(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    run.main([*words, "--limit", "200"])
    text = capsys.readouterr().out
    queries = table(text, "A query")
    names = [["tiny", "5,000"], ["tiny", "6,000"], ["tiny mixture (synthetic)", "7,000"]]
    assert [row[:2] for row in queries] == names
    assert all(float(found) > 0.85 for row in queries for found in (row[2], row[9]))
    assert [row[:2] for row in table(text, "Building")] == names
    assert all("(extrapolated)" in row[4] for row in table(text, "Beside the first experiment"))
    kept = json.loads((tmp_path / "out" / "scale.json").read_text())
    assert [one["mapped"]["exact_found"] for one in kept["sizes"]] == [1, 1, 1]
    assert all(one["built"]["disk"] > one["count"] * 16 * 4 for one in kept["sizes"])
    assert (tmp_path / "out" / "scale.png").read_bytes().startswith(b"\x89PNG")
    held = table(text, "Vectors larger than memory")
    if why := can_limit():
        assert f"Left out: {why}." in text
    else:
        assert [row[1] for row in held] == ["10", "3,000", f"{ASKED - 10}"]
        assert all(float(row[4]) > 0.8 for row in (held[0], held[2]))
        assert "not larger than that" in text
    assert [path.name for path in (tmp_path / "work").iterdir() if path.is_dir()] == []


def test_the_page_is_one_file_with_every_figure(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    run.main(words)
    printed = capsys.readouterr().out

    class Reader(HTMLParser):
        cells = 0
        text = ""

        def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
            self.cells += tag == "td"
            assert tag not in ("script", "link") or dict(attrs).get("href") == "data:,"
            outside = [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]
            assert all(value.startswith(("#", "data:")) for value in outside)

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed((tmp_path / "out" / "scale.html").read_text())
    for title in ("A query", "Beside the first experiment", "Building", "Its file"):
        assert all(cell in reader.text for row in table(printed, title) for cell in row)
    assert reader.cells == sum(len(row) for row in _rows(printed))


def _rows(text: str) -> list[list[str]]:
    titles = [line[4:] for line in text.splitlines() if line.startswith("### ")]
    return [row for title in titles for row in table(text, title)]


def test_what_is_finished_is_kept(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    words += ["--counts", "5000", "--mixture", "6000"]
    run.main(words)
    first = capsys.readouterr()
    run.main(words)
    second = capsys.readouterr()
    assert second.err.count("measured before") == 2
    assert "is built" not in second.err
    assert second.out == first.out
    next((tmp_path / "work").glob("size-*-6000.json")).unlink()
    run.main(words)
    third = capsys.readouterr().err
    assert third.count("measured before") == 1
    assert "tiny mixture (synthetic), 6,000: is built" in third
    assert "drawn" not in third
    run.main([*words, "--k", "5"])
    assert "measured before" not in capsys.readouterr().err


def test_too_little_memory_is_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    run.main([*words, "--counts", "5000", "--mixture"])
    text = capsys.readouterr().out
    assert "Left out: 0 MB of memory are too few for a process, which takes 100 MB." in text


def test_what_cannot_be_measured_is_refused(tmp_path: Path, words: list[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    with pytest.raises(SystemExit, match="received no such file"):
        run.main([str(tmp_path / "none.hdf5"), *words[1:]])
    with pytest.raises(SystemExit, match="2"):
        run.main([words[0], "--counts", "--mixture", *folders(tmp_path)])


def test_parts_make_the_same_set(work: Work) -> None:
    whole, parts = worker.build(work), worker.build(replace(work, memory=1_000_000, index=f"{work.index}.parts"))
    assert (whole["built"]["parts"], parts["built"]["parts"]) == (1, 2)
    assert parts["in_memory"] is None
    assert Path(work.index).parent.joinpath("index.parts.0").exists() is False
    one, other = Index.open(work.index), Index.open(f"{work.index}.parts")
    assert np.array_equal(one.ids, other.ids)
    assert np.array_equal(one[5_999], other[5_999])
    assert worker.opened(replace(work, index=f"{work.index}.parts"))["mapped"]["found"] > 0.85


def test_a_worker_that_fails_is_a_sentence(work: Work) -> None:
    with pytest.raises(size.WorkerError, match="6,000, opened: its process ended with exit code 1"):
        size._ask("opened", replace(work, index="/nowhere"))


def test_a_phase_ends_when_its_time_is_over(work: Work) -> None:
    index = Index(16, "euclidean")
    index.add(work.vectors)
    asked, ids = phase(index, work.asked, 10, 60.0)
    assert asked.queries == len(ids) == ASKED
    asked, ids = phase(index, work.asked, 10, -1.0)
    assert asked.queries == len(ids) == 1


def test_recall_of_later_queries_is_against_their_own_neighbours(work: Work) -> None:
    true = np.load(work.neighbors)
    assert work.recall(true[20:30], first=20) == 1
    assert work.recall(true[20:30], first=0) < 0.5


def test_cosine_vectors_of_a_mixture_have_unit_length(tiny: Dataset, tmp_path: Path) -> None:
    data = replace(tiny, distance="cosine").unit()
    series = synthetic(data, [500, 700], 5, str(tmp_path))
    assert list(series.counts) == [500, 700]
    base, queries = np.load(series.base), np.load(series.queries)
    assert base.shape == (700, 16)
    assert np.allclose(np.linalg.norm(base, axis=1), 1, atol=1e-6)
    assert not np.isin(queries[:, 0], base[:, 0]).any()
    assert (
        worker.pair(_cosine_work(series.base, series.queries, neighbors(series, 700, 20, 10, str(tmp_path))))["pair"]
        > 0
    )


def _cosine_work(base: str, queries: str, about: str) -> Work:
    return Work(base, 700, "cosine", queries, about, "", 10**9, 10, 1, processor=True)


def test_a_limited_process_cannot_have_more() -> None:
    if why := can_limit():
        assert why.startswith("the memory of a process cannot be limited here: ")
        return
    take = "import sys; held = b'x' * int(sys.argv[1]); print(len(held))"
    with limited(100_000_000) as bound:
        few = subprocess.run([*bound.prefix, sys.executable, "-c", take, "10000000"], capture_output=True, text=True)
        many = subprocess.run([*bound.prefix, sys.executable, "-c", take, "300000000"], capture_output=True, text=True)
    assert few.stdout.strip() == "10000000"
    assert many.returncode != 0
    assert many.stdout == ""


def test_why_no_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # neither systemd-run nor sh
    with pytest.raises(CannotLimitError, match=r"^the memory of a process cannot be limited here: .*systemd-run.*; "):
        limited(200_000_000).__enter__()


@pytest.mark.parametrize("seen_from_within", [False, True])
def test_of_version_2_the_nearest_that_hands_memory_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen_from_within: bool
) -> None:
    """A hierarchy as systemd makes it for a session, or as a container of that session sees it."""
    slice_, session = tmp_path / "user.slice", tmp_path / "user.slice" / "session-1.scope"
    session.mkdir(parents=True)
    for folder, handed_down in ((tmp_path, "cpu memory"), (slice_, "memory pids"), (session, "")):
        (folder / "cgroup.controllers").write_text("cpu memory pids")
        (folder / "cgroup.subtree_control").write_text(handed_down)
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "cgroup").write_text("0::/user.slice/session-1.scope\n")
    root, point = ("/user.slice", slice_) if seen_from_within else ("/", tmp_path)
    (proc / "mountinfo").write_text(
        "21 1 254:0 / / rw - ext4 /dev/vda rw\n"
        f"30 21 0:26 {root} {point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    monkeypatch.setattr(limits, "SELF", proc)
    (session / "memory.peak").write_text("4096\n")
    assert limits.most_used() == 4096
    version, new = limits._new()
    assert (version, new.parent) == (2, slice_)
    for folder in (slice_, tmp_path):
        (folder / "cgroup.subtree_control").write_text("cpu")
    with pytest.raises(CannotLimitError, match="no cgroup of this process has a say over memory"):
        limits._new()


def test_what_others_take_is_not_ours() -> None:
    others = Others()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    share = others.share()
    assert share is None or 0 <= share <= 1.05  # /proc counts in ticks
    text = tables.document(of(figures(1_000, 1.0, 1.0), figures(2_000, 1.0, 1.0, others=None)))
    assert "took this much of the processors: 25 %, ?" in text


def figures(count: int, query: float, build: float, **more: Any) -> Size:
    searched = Searched(0.96, [1.0, 2.0, 3.0], query, 1e5, 1e-8 * count, 1.0)
    built = Built(build, 10**9, 10**8, 1, 1.0, 10**8)
    opened = Opened(0.1, 10**6, 0.01, 10**7, 10**8)
    size = Size("s", False, count, 100, 2e-6, built, searched, opened, searched, None, "", 0.25)
    return replace(size, **more)


def of(*sizes: Size) -> Run:
    software = {"lookalike": "1", "commit": "abc"}
    return Run("s", "euclidean", 100, 10, 1, False, "a machine, 2 cores", software, "2026-01-01", list(sizes))


def test_an_exponent_is_that_of_the_growth() -> None:
    grown = [figures(n, n**0.25 / 1e6, n**1.25 / 1e5) for n in (10_000, 40_000)]
    text = tables.document(of(*grown, figures(80_000, 1.0, 1.0, series="t")))
    queries, builds = table(text, "A query"), table(text, "Building")
    assert [row[4] for row in queries] == ["", "0.25", ""]
    assert [row[3] for row in builds] == ["", "1.25", ""]
    assert (queries[1][5], builds[1][4]) == ("0.71", "0.71")  # 4^(0.25 − 0.5), 4^(1.25 − 1.5)


def test_the_original_took_almost_two_hours() -> None:
    run = of(figures(1_000_000, 20e-6, 10.0))
    [row] = table(tables.document(run), "Beside the first experiment")
    assert row[2:] == [
        "1.9 h",
        "2.0 µs",
        "2.0 s (extrapolated)",
        "3,500 ×",
        "10.0 ms",
        "700,000 ×",
        "20.0 µs",
        "350,000,000 ×",
    ]
    [sentence] = tables.summary(run)
    assert "at 7 ms a comparison a query took 1.9 h" in sentence
    assert "exact search 10.0 ms, 700,000 × as fast" in sentence


def test_what_was_not_found_or_not_held_is_a_dash() -> None:
    none = Searched(0.5, [1.0, 2.0, 3.0], None, 1e5, 0.01, 1.0)
    built = Built(10.0, 10**9, None, 3, None, 10**8)
    text = tables.document(of(figures(1_000, 1.0, 1.0, mapped=none, in_memory=None, built=built)))
    [query] = table(text, "A query")
    assert query[3:6] == ["–", "", ""]
    assert query[9:] == ["–"] * 4
    [build] = table(text, "Building")
    assert build[-2:] == ["–", "3 parts, brought into one through files"]


def test_what_is_kept_is_what_was_measured() -> None:
    phases = Phase(10, 1.0, 10**7, 0.9), Phase(0, 0.0, 0, None), Phase(5, 1.0, 10**6, 0.95)
    one = figures(1_000_000, 1e-5, 1.0, limited=Limited("cgroup v2", 2 * 10**8, 199 * 10**6, *phases))
    assert Size.of(json.loads(json.dumps(asdict(one)))) == one
    text = tables.document(of(one))
    assert "the float vectors take 400.0 MB" in text
    assert "The vectors are larger than that" in text
    cold, later = table(text, "Vectors larger than memory")
    assert cold == ["cold", "10", "10", "100.0 ms", "0.900", "1.0 MB"]
    assert later[1] == "5"
