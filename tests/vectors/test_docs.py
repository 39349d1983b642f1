"""What docs/vectors.md shows in Python is run, and its formats are those that there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.vectors import read_vectors
from lookalike.vectors.kind import FORMATS
from lookalike.vectors.limits import BLOCK, MOST_DIM, MOST_NAME, ROWS, SPAN

PAGE = (Path(__file__).parent.parent.parent / "docs" / "vectors.md").read_text()


def test_its_python_and_then_its_commands(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    made = {"features.h5", "features.npy", "features.parquet", "again.h5", "words.vec", "words.bin"}
    made |= {"cats.npy", "cats.parquet", "collection", "features", "labelled.npy", "labelled.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == made
    assert read_vectors(tmp_path / "labelled.npy")[0] == ["photos/7.jpg"]

    commands = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    for line in commands:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    made |= {"exported.h5", "exported.npy", "exported.parquet", "again", "some.npy", "some.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == made
    for name in ("exported.h5", "exported.npy"):
        names, vectors = read_vectors(tmp_path / name)
        expected = read_vectors(tmp_path / "features.h5")
        assert names == expected[0]
        assert np.array_equal(vectors, expected[1])
    assert read_vectors(tmp_path / "some.npy")[0] == [f"photos/{i}.jpg" for i in range(10)]


def test_its_formats() -> None:
    table = PAGE.partition("## What is refused")[0]
    told = [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]
    assert tuple(told[1:]) == FORMATS


def test_its_numbers() -> None:
    assert f"at most {ROWS:,} vectors and {BLOCK >> 20} MiB at a time" in PAGE
    assert f"1 to {MOST_NAME:,} bytes" in PAGE
    assert f"more than {MOST_DIM:,}" in PAGE
    assert f"{SPAN >> 20} MiB, and as much again" in PAGE
    assert f"refused above {BLOCK >> 20} MiB" in PAGE
