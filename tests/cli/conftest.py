"""The command as a user types it, and a small folder of pictures to type it at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.demo import folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]

KINDS = ("fruit", "cats", "clocks")


def command() -> str:
    found = shutil.which("lookalike", path=os.path.dirname(sys.executable))
    assert found, "the lookalike command is not beside this Python; run: pip install -e '.[test]'"
    return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [command(), *(os.fspath(argument) for argument in arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures of three kinds, each in a folder of its own."""
    place = tmp_path / "photos"
    for kind in KINDS:
        shutil.copytree(Path(folder(), kind), place / kind)
    return place


@pytest.fixture
def picture(photos: Path) -> Path:
    return sorted((photos / "fruit").iterdir())[0]


@pytest.fixture
def without_powers() -> list[str]:
    """What to put before a command so that permissions hold for it, also when root runs the tests."""
    return [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def told(stderr: str) -> str:
    """What a command said but that the query itself was left out, and how many pairs were compared."""
    notes = ("left out: ", " compared as a whole in ")
    return "".join(line for line in stderr.splitlines(keepends=True) if not any(note in line for note in notes))
