"""A rescue whose catalogue has its last transactions in the WAL, as where a reader is open, killed at every change of
a name; the reader, too, as by a loss of power."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.collection import Collection

from .conftest import Python

KILLED = """
import os, signal, sys
from lookalike.collection import Collection
left = int(sys.argv[2])
def counted(call):
    def one(*arguments, **named):
        global left
        if sys._getframe(1).f_globals["__name__"].startswith("lookalike.collection"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return one
for name in ("rename", "unlink", "link"):
    setattr(os, name, counted(getattr(os, name)))
Collection.repair(sys.argv[1])
"""

READER = """
import sys, time
from lookalike.collection import Collection
reader = Collection.open(sys.argv[1])
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def hurt(with_a_wal: Path) -> Path:
    """A collection whose facts are in the WAL alone, and whose catalogue is damaged elsewhere."""
    file = with_a_wal / ".lookalike" / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    data[data.index(b"1.png")] ^= 1
    file.write_bytes(data)
    return with_a_wal


def test_what_only_the_wal_held_is_there_after_a_kill(hurt: Path, tmp_path: Path, python: Python) -> None:
    shutil.copytree(hurt, tmp_path / "whole")
    for at in range(100):
        shutil.rmtree(hurt)
        shutil.copytree(tmp_path / "whole", hurt)
        with subprocess.Popen([sys.executable, "-c", READER, hurt], stdout=subprocess.PIPE) as reader:
            assert reader.stdout
            assert reader.stdout.readline() == b"open\n"
            done = python(KILLED, hurt, at)
            reader.kill()
        Collection.repair(hurt)
        with Collection.open(hurt) as collection:
            assert [collection.facts(hurt / f"{i}.png").get("stars") for i in (0, 2)] == [5, 5], at
        assert Collection.verify(hurt) == []
        if done.returncode == 0:
            break
    assert at > 5
