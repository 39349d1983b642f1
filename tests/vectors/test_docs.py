"""What docs/vectors.md shows in Python is run, and its formats are those that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.vectors.kind import FORMATS
from lookalike.vectors.limits import BLOCK, MOST_DIM, MOST_NAME, ROWS, SPAN

PAGE = (Path(__file__).parent.parent.parent / "docs" / "vectors.md").read_text()


def test_its_python(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    files = {"features.h5", "features.npy", "features.parquet", "again.h5", "words.vec", "words.bin"}
    assert names == {*files, "features"}


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
