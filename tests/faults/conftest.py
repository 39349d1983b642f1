"""Harnesses that run in a process of their own, under the shim where they need it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Require
from tests.faults import shim

Harness = Callable[..., dict[str, int]]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory, require_or_skip: Require) -> dict[str, str]:
    """The environment of a process whose calls that change files are counted."""
    require_or_skip(shim.compiler(), "needs Linux and a C compiler, to count the calls that change files")
    return shim.preloaded(shim.build(tmp_path_factory.mktemp("shim")))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, where there is one: these tests sync often, and no disk is part of what they prove."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="lookalike-", dir=memory) as folder:
        yield Path(folder).resolve()


@pytest.fixture
def harness(place: Path) -> Harness:
    """Run a module of this package with options, in a process of its own; its tally."""

    def run(module: str, *options: object, environment: dict[str, str] | None = None) -> dict[str, int]:
        command = [sys.executable, "-m", f"tests.faults.{module}", *map(str, options), str(place / module)]
        quiet = (os.environ if environment is None else environment) | {"OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        tally: dict[str, int] = json.loads(done.stdout)
        print(module, tally)
        return tally

    return run
