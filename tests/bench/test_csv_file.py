"""The CSV: all that was measured, read back by Python's own reader."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from lookalike.bench.csv_file import COLUMNS, write_csv
from lookalike.bench.results import MODES, Outcome, Point, Results

from .made import made


def read(results: Results, folder: Path) -> list[dict[str, str]]:
    write_csv([results], folder / "results.csv")
    with open(folder / "results.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_a_row_for_every_setting_and_for_who_has_none(tmp_path: Path) -> None:
    results = made()
    rows = read(results, tmp_path)
    points = sum(len(one.points(mode)) for one in results.outcomes for mode in MODES)
    failed = [row for row in rows if not row["mode"]]
    assert len(rows) == points + 2
    assert [row["competitor"] for row in failed] == ["svs-lvq", "datasketch"]
    assert all(row["error"] and row["dataset"] == "glove" and row["build_s"] == "" for row in failed)
    assert [row["began"] for row in failed] == [one.began for one in results.outcomes[-2:]]


def test_every_column_is_what_was_measured(tmp_path: Path) -> None:
    results = made()
    rows = read(results, tmp_path)
    assert list(rows[0]) == list(COLUMNS)
    hnswlib = next(one for one in results.outcomes if one.name == "hnswlib")
    row = next(row for row in rows if row["competitor"] == "hnswlib" and row["mode"] == "single")
    point = hnswlib.single[0]
    assert json.loads(row["setting"]) == point.setting
    assert json.loads(row["software"]) == results.software
    numbers = {
        "n": 321_479,
        "dim": 100,
        "k": 10,
        "asked": 2000,
        "recall": point.recall,
        "distance_ratio": point.ratio,
        "best_qps": max(point.rates),
        "worst_qps": min(point.rates),
        "rounds": 3,
        "p50_us": point.latencies[0],
        "p95_us": point.latencies[1],
        "p99_us": point.latencies[2],
        "touched": point.touched,
        "build_s": 60.7,
        "build_peak_bytes": hnswlib.build_peak,
        "memory_bytes": hnswlib.memory,
        "search_peak_bytes": hnswlib.search_peak,
        "call_us": hnswlib.overhead,
        "disk_bytes": hnswlib.disk,
        "load_s": hnswlib.load,
        "adds_per_s": hnswlib.added,
        "deletes_per_s": hnswlib.removed,
        "threads": 2,
        "seed": 7,
    }
    assert {name: float(row[name]) for name in numbers} == numbers
    texts = {"version": "0.8.0", "parameters": "M=16, ef_construction=200", "distance": "cosine"}
    texts |= {"machine": results.machine, "began": hnswlib.began, "notes": "", "error": ""}
    assert {name: row[name] for name in texts} == texts
    assert set(COLUMNS) == {*numbers, *texts, "dataset", "competitor", "mode", "setting", "software"}


def test_what_is_not_known_is_empty(tmp_path: Path) -> None:
    one = Outcome("numpy", batch=[Point({}, 0.0, [5.0], ratio=math.nan)])
    (row,) = read(Results("s", "cosine", 9, 8, 5, 1, 1, 1, "m", [one]), tmp_path)
    empty = ("distance_ratio", "p50_us", "p99_us", "touched", "disk_bytes", "load_s", "adds_per_s", "call_us", "error")
    assert {row[name] for name in empty} == {""}


@pytest.mark.parametrize("text", ['a,"b"', "line\nbreak", "\udce9\udcff", "\x1b[2J", "=1+1"])
def test_any_text_stays_in_its_cell(tmp_path: Path, text: str) -> None:
    outcomes = [
        Outcome(text, text, text, single=[Point({text: 1.0}, 1.0, [1.0])], began=text),
        Outcome(text, error=text, began=text),
    ]
    results = Results(text, "cosine", 9, 8, 5, 1, 1, 1, text, outcomes, {text: text})
    rows = read(results, tmp_path)
    assert len(rows) == 2
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len((tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()) == 3
