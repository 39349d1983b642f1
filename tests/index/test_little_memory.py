"""Saving through files instead of memory: the same bytes, less memory, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import WriteError
from lookalike.index.store import Store
from lookalike.metric import Metric
from tests.conftest import Require
from tests.memory import GROWN

COUNT, DIM = 20_000, 96


def parts(folder: Path, metric: Metric, store: Store, dim: int = DIM) -> list[Path]:
    dice = np.random.default_rng(0)
    centres = dice.standard_normal((50, dim))
    paths = []
    for i, ids in enumerate(np.split(np.arange(COUNT), 4)):
        index = Index(dim, metric, store=store)
        index.add(centres[dice.integers(50, size=len(ids))] + 0.3 * dice.standard_normal((len(ids), dim)), ids)
        index.save(folder / f"{i}")
        paths.append(folder / f"{i}")
    return paths


@pytest.mark.parametrize(("metric", "store"), [("cosine", "float32"), ("euclidean", "float16"), ("dot", "none")])
def test_the_file_is_the_same(tmp_path: Path, metric: Metric, store: Store) -> None:
    paths = parts(tmp_path, metric, store)
    for name, little in (("a", False), ("b", True)):
        index = Index.open(*paths)
        index.add(np.random.default_rng(1).standard_normal((500, DIM)))
        index.add(index.search(np.ones(DIM)).ids[:, None] + np.ones((10, DIM)))
        index.remove(np.arange(0, COUNT, 7))
        index.save(tmp_path / name, little_memory=little)
        found = index.search(np.ones(DIM), exact=True)
        assert np.array_equal(found.ids, Index.open(tmp_path / name).search(np.ones(DIM), exact=True).ids)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "2", "3", "a", "b"]


MEASURED = f"""{GROWN}
import sys
from lookalike import Index
index = Index.open(*sys.argv[3:])
print(grown(lambda: index.save(sys.argv[1], little_memory=sys.argv[2] == "little")))
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_vectors_take_no_memory(tmp_path: Path) -> None:
    """20,000 of 2,048 dimensions are 156 MiB, as many again while they are brought in order, and a sample."""
    paths = parts(tmp_path, "euclidean", "float32", dim=2048)
    took = {}
    for way in ("little", "usual"):
        command = [sys.executable, "-c", MEASURED, str(tmp_path / way), way, *map(str, paths)]
        took[way] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert took["little"] < 100 < 300 < took["usual"]


LIMITED = """
import resource, sys
import numpy as np
from lookalike import Index
vectors = np.random.default_rng(0).standard_normal((60_000, 64), np.float32)
index = Index(64)
now = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) << 10
limit = now + (int(sys.argv[1]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    index.add(vectors)
    index.optimize()
    index.search(vectors[:100])
    print("done")
except MemoryError:
    print("MemoryError")
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_little_address_space_is_an_error_and_no_end() -> None:
    """As under `ulimit -v`: glibc would end a process whose thread finds no room for its first exception."""
    said = {}
    for room in (*range(4, 124, 6), 600):
        command = [sys.executable, "-c", LIMITED, str(room)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), f"{room} MiB"
        said[room] = done.stdout.strip()
    assert set(said.values()) == {"MemoryError", "done"}
    assert said[600] == "done"


@pytest.fixture
def small_disk(tmp_path: Path, require_or_skip: Require) -> Iterator[Path]:
    """A file system with room for the parts and little more."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)], stderr=subprocess.DEVNULL
    )
    require_or_skip(mounted, "needs root and a tmpfs")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_an_error_and_no_signal(small_disk: Path) -> None:
    paths = parts(small_disk, "cosine", "float32")
    index = Index.open(*paths)
    with pytest.raises(WriteError, match="MiB while vectors are sealed"):
        index.save(small_disk / "whole", little_memory=True)
    assert len(index) == COUNT
    assert sorted(os.listdir(small_disk)) == ["0", "1", "2", "3"]
