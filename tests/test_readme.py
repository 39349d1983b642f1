"""What the README shows is run: its Python in one go, its commands in a home with pictures.

The two `pip install` lines are run by .ci/run, in a fresh virtual environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.demo import folder

README = (Path(__file__).parent.parent / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """cat.jpg, photos/ and ~/Pictures, as the README takes them to be there."""
    cats = sorted(Path(folder(), "cats").iterdir())
    for place in ("photos", "Pictures"):
        shutil.copytree(cats[0].parent, tmp_path / place)
        shutil.copy(cats[0], tmp_path / place / "cat.jpg")
    shutil.copy(cats[1], tmp_path / "cat.jpg")
    return tmp_path


def test_python(home: Path) -> None:
    program = "\n".join(blocks("python"))
    assert "lookalike.open" in program
    assert "Index(" in program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=home, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "photos/" in done.stdout


def test_commands(home: Path) -> None:
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    runnable = [command for command in commands if "pip install" not in command]
    assert runnable
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    for command in runnable:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=home,
            env=os.environ | {"HOME": str(home), "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_links_lead_somewhere() -> None:
    root = Path(__file__).parent.parent
    for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (root / page).read_text()):
            assert (root / target).exists(), f"{page}: {target}"
