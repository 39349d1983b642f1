"""Vectors that are three times as many as the memory they may take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.memory import GROWN

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

COUNT, DIM = 150_000, 1280
SIZE = COUNT * DIM * 4 >> 20  # MiB

SYNC = f"""{GROWN}
import sys
import onnxruntime  # else its import is measured
from lookalike.collection import Collection
from lookalike.collection.sealed import bulk, segments
bulk.MOST_BYTES //= 4  # all is as of a file that is four times as large
segments._MUCH //= 4
file, index = sys.argv[1:]

def work():
    with Collection.create(file, index, metric="euclidean") as collection:
        collection.sync()
        print(len(collection), collection.info().segments)

print(grown(work))
"""


def took(file: Path, index: Path) -> int:
    """MiB, while all of a file is taken in."""
    command = [sys.executable, "-W", "error", "-c", SYNC, str(file), str(index)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    count, segments, most = map(int, done.stdout.split())
    assert (count, segments) == (COUNT, 1)
    print("MiB", most, "of", SIZE)
    return most


def test_an_import_and_another(tmp_path: Path) -> None:
    file = tmp_path / "v.npy"
    dice = np.random.default_rng(0)
    mix = dice.standard_normal((32, DIM), np.float32)  # as of a network, whose features depend on each other
    matrix = np.lib.format.open_memmap(file, "w+", np.float32, (COUNT, DIM))
    for start in range(0, COUNT, 5000):
        matrix[start : start + 5000] = dice.standard_normal((5000, 32), np.float32) @ mix
    matrix.flush()
    assert took(file, tmp_path / "index") < SIZE / 3
    matrix[::2] += 1
    matrix.flush()
    assert took(file, tmp_path / "index") < SIZE / 3
