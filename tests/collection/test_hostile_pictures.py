"""The issue's line: 100 hostile pictures among 10,000 good ones, in a folder, a tar and a zip."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = 10_000
MIB = 1024
"""MiB of address space that a decoder has, and a reader of tars and zips."""

ROOT = Path(__file__).parents[2]


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")
@pytest.mark.parametrize("where", ["folder", "tar", "zip"])
def test_all_good_ones_are_indexed_and_each_hostile_one_is_told(
    tmp_path: Path, where: str, unprivileged: tuple[str, ...]
) -> None:
    """The module looks at each file's end, at the counts, at the catalogue, and for processes that are left."""
    command = [*unprivileged, sys.executable, "-W", "error", "-m", "tests.hostile_pictures", str(tmp_path), "--cheap"]
    command += ["--count", str(GOOD), *([] if where == "folder" else ["--archive", where])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    print(where, told)
    assert told["hostile"] >= 100
    assert told["found"] == GOOD + told["hostile"] == told["indexed"] + told["skipped"] + told["failed"]
    assert GOOD <= told["indexed"] <= GOOD + told["hostile"] / 2
    assert told["embedded"] <= told["indexed"]
    assert told["decoded"] <= told["found"]
    # what may not be read is tried again, as permissions change without a sign; and one had grown meanwhile
    assert told["decoded again"] == (2 if where == "folder" else 0)
    assert told["MiB at most"] - told["MiB before"] < 128
    assert told["MiB of the largest child"] < MIB
    assert told["MiB that a child may take"] == [MIB]
