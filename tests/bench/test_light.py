"""Peers, h5py and matplotlib are imported by those who take part, and by nobody else."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"h5py", "matplotlib", "hnswlib", "annoy", "faiss", "scann", "rabitqlib", "usearch", "voyager", "svs"}
HEAVY |= {"datasketch", "nearpy", "numba", "pynndescent", "sklearn", "threadpoolctl"}


def test_the_command_imports_no_peer() -> None:
    code = "import sys, lookalike.bench.run, lookalike.cli.bench; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
