"""What docs/search.md shows is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import lookalike
from lookalike.collection import sure
from lookalike.demo import folder

from .conftest import Python

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "search.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The files that the page takes to be there."""
    for kind in ("cats", "fruit", "clocks", "birds", "patterns"):
        shutil.copytree(Path(folder(), kind), tmp_path / "photos" / kind)
    cats, dogs = (sorted(Path(folder(), kind).iterdir()) for kind in ("cats", "dogs"))
    for source, name in (
        (cats[0], "cat.jpg"),
        (cats[1], "kitten.jpg"),
        (dogs[0], "dog.jpg"),
        (cats[2], "photos/tabby.jpg"),
    ):
        shutil.copy(source, tmp_path / name)
    Image.effect_noise((640, 480), 90).save(tmp_path / "noise.png")
    return tmp_path


def test_its_python(home: Path, python: Python) -> None:
    program = "\n".join(blocks("python"))
    assert "match is False" in program
    done = python(program)
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout.splitlines()


def test_its_commands(home: Path) -> None:
    with lookalike.open(home / "photos") as photos:
        vector = photos.vector(home / "photos" / "tabby.jpg")
    vector.tofile(home / "cat.txt", sep=" ")
    (home / "save.py").write_text("import numpy as np\nnp.save('cat.npy', np.loadtxt('cat.txt'))\n")
    subprocess.run([sys.executable, "save.py"], cwd=home, timeout=60, check=True)
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) > 8
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=home,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, "photos/" in done.stdout) == (0, True), f"{command}\n{done.stderr}"
        assert ("no good match" in done.stderr) is ("noise" in command), f"{command}\n{done.stderr}"


def test_the_numbers_that_are_told() -> None:
    page = (DOCS / "sure.md").read_text()
    assert f"Below {sure.NO_MATCH}" in page
    assert f"Fewer than {sure.FEWEST} pictures" in page
    assert f"fewer than {sure.FEWEST} pictures" in PAGE
    assert f"{sure._SAMPLE} items are drawn" in page
    assert sure._AROUND == 5
    assert "nearest five others" in page
