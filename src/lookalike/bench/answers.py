"""What was found, as ann-benchmarks keeps it: an HDF5 file for each setting, which its plots take.

    results/SET/K/NAME[-batch]/PARAMETERS.hdf5
    neighbors  (queries, k)  int32    −1 where nothing was found
    distances  (queries, k)  float32  inf there
    times      (queries,)    float32  seconds

The attributes are those of its `results.store_results` (Aumüller, Bernhardsson & Faithfull 2017, arXiv 1807.05614).
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from lookalike.bench.child import Timed
from lookalike.bench.datasets import WRITTEN, Dataset
from lookalike.bench.results import Mode, Outcome, Point, described
from lookalike.bench.runner import Answers
from lookalike.bench.truth import Ids, distances_of
from lookalike.vectors.hdf5_arrays import read_arrays, write_arrays


def write(folder: str, data: Dataset, k: int, outcome: Outcome, answers: Answers) -> None:
    """The answers of one competitor. WriteError where they cannot be written."""
    for mode in ("single", "batch"):
        for point in outcome.points(mode):
            if timed := answers.get((mode, described(point.setting))):
                path = path_of(folder, data.name, k, outcome.name, mode, point)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_arrays(path, _arrays(data, timed), _attributes(data, timed, k, outcome, mode, point))


def read(folder: str, name: str, k: int, competitor: str, mode: Mode, point: Point) -> Ids | None:
    """The ids that were found at a setting, (queries, k); None where they were not kept."""
    path = path_of(folder, name, k, competitor, mode, point)
    if not os.path.exists(path):
        return None
    arrays, _ = read_arrays(path, ("neighbors",))
    return arrays["neighbors"].astype(np.int64)


def path_of(folder: str, name: str, k: int, competitor: str, mode: Mode, point: Point) -> str:
    setting = re.sub(r"\W+", "_", described(point.setting)).strip("_")
    batch = "-batch" if mode == "batch" else ""
    return os.path.join(folder, "results", name, str(k), f"{competitor}{batch}", f"{setting}.hdf5")


def _arrays(data: Dataset, timed: Timed) -> dict[str, Any]:
    queries = data.test.vectors[: len(timed.found)]
    return {
        "neighbors": timed.found.astype(np.int32),
        "distances": distances_of(data.base, queries, data.distance, timed.found).astype(np.float32),
        "times": timed.each.astype(np.float32),
    }


def _attributes(data: Dataset, timed: Timed, k: int, outcome: Outcome, mode: Mode, point: Point) -> dict[str, Any]:
    return {
        "batch_mode": mode == "batch",
        "best_search_time": 1 / point.rate,
        "candidates": float((timed.found >= 0).sum(axis=1).mean()),
        "expect_extra": False,
        "name": f"{outcome.name} ({described(point.setting)})",
        "run_count": len(point.rates),
        "distance": WRITTEN[data.distance],
        "count": k,
        "build_time": outcome.build_seconds,
        "index_size": outcome.memory / 1024,  # kB
        "algo": outcome.name,
        "dataset": data.name,
    }
