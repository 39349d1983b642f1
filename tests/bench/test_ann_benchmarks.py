"""The module for ann-benchmarks, run by a driver that makes the calls of its `runner.py` and `definitions.py`."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

Array = NDArray[Any]

FOLDER = Path(__file__).parents[2] / "benchmarks" / "ann_benchmarks" / "lookalike"
COUNT = 10

BASE = '''
"""What the harness gives every algorithm."""
import resource

class BaseANN:
    def done(self):
        pass

    def get_memory_usage(self):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def get_additional(self):
        return {}

    def __str__(self):
        return self.name
'''


class Definition(NamedTuple):
    module: str
    constructor: str
    arguments: list[Any]
    query_argument_groups: list[list[Any]]


class Run(NamedTuple):
    """What the harness keeps of one set of query arguments."""

    name: str
    additional: dict[str, Any]
    results: list[list[int]]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `ann_benchmarks` into which our folder was copied, that can be imported."""
    algorithms = tmp_path / "ann_benchmarks" / "algorithms"
    (algorithms / "base").mkdir(parents=True)
    (algorithms / "base" / "module.py").write_text(BASE)
    for package in (algorithms, algorithms.parent):
        (package / "__init__.py").touch()
    shutil.copytree(FOLDER, algorithms / "lookalike")
    monkeypatch.syspath_prepend(tmp_path)
    yield algorithms
    for name in [name for name in sys.modules if name.split(".")[0] == "ann_benchmarks"]:
        del sys.modules[name]


def definitions(algorithms: Path, point_type: str, metric: str) -> list[Definition]:
    """One for each combination of what a run group's `args` list."""
    config = yaml.safe_load((algorithms / "lookalike" / "config.yml").read_text())
    found = []
    for algorithm in config[point_type][metric]:
        assert {"name", "docker_tag", "module", "constructor", "base_args", "run_groups"} <= algorithm.keys()
        base = [{"@metric": metric}.get(argument, argument) for argument in algorithm["base_args"]]
        for group in algorithm["run_groups"].values():
            asked = [list(each) for each in itertools.product(*group["query_args"])]
            found += [
                Definition(algorithm["module"], algorithm["constructor"], [*base, *each], asked)
                for each in itertools.product(*group["args"])
            ]
    return found


def run(definition: Definition, train: Array, test: Array, count: int = COUNT, *, batch: bool = False) -> list[Run]:
    """Builds once, then asks all queries with each set of query arguments, twice."""
    module = importlib.import_module(f"{definition.module}.module")
    algorithm = getattr(module, definition.constructor)(*definition.arguments)
    before = algorithm.get_memory_usage()
    algorithm.fit(train)
    assert algorithm.get_memory_usage() >= before
    runs: list[Run] = []
    results: list[Array] = []
    for arguments in definition.query_argument_groups:
        algorithm.set_query_arguments(*arguments)
        for _ in range(2):
            if batch:
                assert algorithm.batch_query(test, count) is None
                results = algorithm.get_batch_results()
            else:
                results = [algorithm.query(query, count) for query in test]
        for found in results:
            assert len(found) == len(set(found)) <= count
            assert len(train[found]) == len(found)
        ids = [[int(id) for id in found] for found in results]
        runs.append(Run(str(algorithm), algorithm.get_additional(), ids))
    algorithm.done()
    return runs


def clustered(count: int, dim: int) -> Array:
    random = np.random.default_rng(7)
    return random.standard_normal((50, dim))[random.integers(50, size=count)] + random.standard_normal((count, dim))


def distances(metric: str, train: Array, query: Array) -> Array:
    """By the definitions of the harness."""
    gaps: Array
    if metric == "hamming":
        gaps = np.mean(train ^ query, axis=1)
    elif metric == "euclidean":
        gaps = np.linalg.norm(train - query, axis=1)
    else:
        gaps = 1 - train @ query / np.linalg.norm(train, axis=1) / np.linalg.norm(query)
    return gaps


def recall(found: list[list[int]], gaps: Array) -> float:
    """As the harness counts: whatever is no farther than the k-th neighbour."""
    farthest = np.sort(gaps, axis=1)[:, COUNT - 1] + 1e-3
    return float(
        np.mean([np.sum(row[ids] <= far) / COUNT for row, ids, far in zip(gaps, found, farthest, strict=True)])
    )


CASES = [
    ("float", "angular", ["float32", "float16"]),
    ("float", "euclidean", ["float32", "float16"]),
    ("bit", "hamming", ["bits"]),
]


@pytest.mark.parametrize(("point_type", "metric", "stores"), CASES, ids=[metric for _, metric, _ in CASES])
def test_finds_what_it_is_asked_to_find(checkout: Path, point_type: str, metric: str, stores: list[str]) -> None:
    vectors = clustered(6200, 24)  # enough for buckets
    if point_type == "bit":
        vectors = vectors > 0
    train, test = vectors[200:], vectors[:200]
    gaps = np.stack([distances(metric, train, query) for query in test])
    found = definitions(checkout, point_type, metric)
    assert [each.arguments for each in found] == [[metric, store] for store in stores]
    for definition in found:
        singles, batches = run(definition, train, test), run(definition, train, test, batch=True)
        assert len({single.name for single in singles}) == len(definition.query_argument_groups) == len(singles)
        for (wanted,), single, batch in zip(definition.query_argument_groups, singles, batches, strict=True):
            assert single.results == batch.results
            assert recall(single.results, gaps) >= wanted - 0.03
            assert single.additional == pytest.approx(batch.additional)
            assert single.additional["expected_recall"] >= wanted - 0.03
            assert 2 * len(test) * COUNT <= single.additional["dist_comps"] <= 2 * len(test) * len(train)


@pytest.mark.parametrize("batch", [False, True])
def test_zeros_have_no_angle(checkout: Path, batch: bool) -> None:
    vectors = clustered(300, 8).astype(np.float32)
    vectors[[0, 2, 150]] = 0
    train, test = vectors[100:], vectors[:4]
    one = definitions(checkout, "float", "angular")[0]
    (_, *_, last) = run(one, train, test, count=199, batch=batch)
    assert [len(found) for found in last.results] == [0, 199, 0, 199]
    assert sorted(last.results[1]) == [row for row in range(200) if row != 50]


@pytest.mark.parametrize("batch", [False, True])
def test_never_answers_with_minus_one(checkout: Path, batch: bool) -> None:
    vectors = clustered(8, 8)
    one = definitions(checkout, "float", "euclidean")[0]
    for each in run(one, vectors[:5], vectors[5:], batch=batch):
        assert [sorted(found) for found in each.results] == [[0, 1, 2, 3, 4]] * 3


def test_other_errors_come_through(checkout: Path) -> None:
    vectors = clustered(20, 8)
    algorithm = importlib.import_module("ann_benchmarks.algorithms.lookalike.module").Lookalike("angular", "float32")
    algorithm.fit(vectors)
    algorithm.set_query_arguments(0.9)
    with pytest.raises(ValueError, match="8 dimensions"):
        algorithm.query(vectors[0, :7], 3)


def test_refuses_another_metric() -> None:
    module = importlib.import_module("ann_benchmarks.algorithms.lookalike.module")
    with pytest.raises(NotImplementedError, match="jaccard"):
        module.Lookalike("jaccard", "float32")
