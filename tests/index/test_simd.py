"""Every level of SIMD that runs here gives the same neighbours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index, _core
from tests.index.brute_force import METRICS, Metric, clusters

SEARCH = """
import sys, numpy as np, lookalike
from lookalike import _core
index = lookalike.Index.open(sys.argv[1])
exact = index.search(np.load(sys.argv[2]), 10, exact=True)
hashed = index.search(np.load(sys.argv[2]), 10, probes=5)
np.savez(sys.argv[3], level=_core.simd, ids=exact.ids, distances=exact.distances, hashed=hashed.ids)
"""


def run(code: str, level: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "LOOKALIKE_SIMD": level},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("metric", METRICS)
def test_levels_agree(metric: Metric, tmp_path: Path) -> None:
    vectors, queries = clusters(5000, 37, seed=1), clusters(50, 37, seed=2)
    index = Index(37, metric)
    index.add(vectors)
    index.save(tmp_path / "index")
    np.save(tmp_path / "queries.npy", queries)
    assert _core.simd_levels()[0] == "scalar"
    answers = {}
    for level in _core.simd_levels():
        done = run(SEARCH, level, *(str(tmp_path / name) for name in ("index", "queries.npy", f"{level}.npz")))
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / f"{level}.npz") as saved:
            answers[level] = dict(saved)
        assert answers[level]["level"] == level
    reference = answers["scalar"]
    # kernels.hpp: 1.01 (n + 3) 2^-24 of the sum of the terms' sizes, on either side of the difference.
    bound = 2.1 * 40 * 2.0**-24 * float(np.square(vectors).sum(axis=1).max())
    for answer in answers.values():
        np.testing.assert_array_equal(answer["ids"], reference["ids"])
        np.testing.assert_allclose(answer["distances"], reference["distances"], rtol=1e-5, atol=bound)
        assert (answer["hashed"] == reference["hashed"]).mean() > 0.99  # of equal estimates either may be taken


@pytest.mark.parametrize("level", ["fastest", "AVX2", "neon" if "neon" not in _core.simd_levels() else "avx2"])
def test_a_level_that_is_not_there_is_one_sentence(level: str) -> None:
    done = run("import lookalike.index", level)
    assert done.returncode == 1
    sentence = done.stderr.rstrip().splitlines()[-1]
    assert sentence.startswith(f"ImportError: LOOKALIKE_SIMD is '{level}'")
    assert ", ".join(_core.simd_levels()) in sentence


def test_an_empty_level_is_the_fastest() -> None:
    assert run("from lookalike import _core; print(_core.simd)", "").stdout.strip() == _core.simd_levels()[-1]
