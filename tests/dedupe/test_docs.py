"""What docs/dedupe.md shows is run, in a home with pictures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from lookalike.dedupe import KEEP, WITHIN

from .conftest import tree

PAGE = (Path(__file__).parents[2] / "docs" / "dedupe.md").read_text()


def test_commands(photos: Path, tmp_path: Path) -> None:
    photos.rename(tmp_path / "Pictures")
    before = tree(tmp_path / "Pictures")
    commands = [
        line[2:] for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()
    ]
    assert len(commands) == 3
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    environment = os.environ | {"HOME": str(tmp_path), "PATH": path}
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if "--move-to" in command:
            assert len(tree(tmp_path / "Duplicates")) == 3
    assert tree(tmp_path / "Pictures") == before


def test_defaults() -> None:
    assert f"`--within {WITHIN}`" in PAGE
    assert all(f"`{rule}`" in PAGE or f"`--keep {rule}`" in PAGE for rule in KEEP)
