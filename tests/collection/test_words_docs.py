"""What docs/words.md shows is run, and the figures that the code has are those that it tells."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.collection import classes, classes_file
from lookalike.demo import folder
from lookalike.models.words import kinds, meaning
from lookalike.models.words.nouns import neighbours, nouns, plain

from .conftest import Python

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "words.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for kind in ("cats", "fruit", "clocks", "dogs", "vehicles"):
        shutil.copytree(Path(folder(), kind), tmp_path / "photos" / kind)
    shutil.copy(Path(folder(), "fruit", "banana.png"), tmp_path / "beach.jpg")
    return tmp_path


def test_its_commands_and_its_python(home: Path, python: Python) -> None:
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) == 7
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    for command in commands:
        environment = os.environ | {"PATH": path}
        done = subprocess.run(
            ["bash", "-c", command], cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "photos/" in done.stdout or "probably" in done.stdout, command
    done = python("\n".join(blocks("python")))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[6].startswith("dog 1.0"), done.stdout


def test_the_numbers_that_it_tells() -> None:
    assert f"{len(nouns().synsets):,} synsets" in PAGE
    assert f"{len(nouns().by_lemma):,} words" in PAGE
    assert round(len(neighbours()), -3) == 21_000
    assert "21,000 other nouns" in PAGE
    assert 55 <= len(kinds()) <= 65
    assert f"likeliest {classes.KEPT} classes" in PAGE
    assert f"from {classes_file.WORTH:,} new pictures on" in PAGE
    assert f"{8 + 4 * classes.KEPT} bytes a picture" in PAGE
    assert f"score of at least {classes.SURE}" in PAGE
    assert 1 / meaning.LEAST_KNOWN == 25
    assert meaning.LEAST_RIGHT == 0.5


def test_it_lists_what_was_measured() -> None:
    measured = json.loads((ROOT / "tools" / "words_measured.json").read_text())
    assert measured.keys() <= nouns().synsets.keys()
    work, guesses = (re.search(rf"^\*{name}\*: (.*)\.$", PAGE, re.MULTILINE) for name in ("Words that work", "Guesses"))
    assert work
    assert guesses
    for listed, unsure in ((work[1], False), (guesses[1], True)):
        for entry in listed.split(", "):
            word, photographs, drawings = entry.rsplit(" ", 2)
            found = meaning.meaning(nouns(), word)
            assert found is not None, word
            assert bool(found.unsure) is unsure, word
            for name, told in (("photographs", photographs), ("drawings", drawings)):
                counts = nouns().by_lemma[plain(word)][0][1].measured.get(name)
                assert told == ("–" if counts is None else f"{counts[0]}/{counts[1]}"), word
