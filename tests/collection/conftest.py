"""Small folders of pictures, and Python in a process of its own."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from lookalike.collection import Collection
from lookalike.models import model as registry
from tests.conftest import Require
from tests.faults import pictures

Draw = Callable[..., Path]
Python = Callable[..., "subprocess.CompletedProcess[str]"]

PICTURES = 6

LEAVE_A_WAL = """
import os, signal, sys
from lookalike.collection import Collection
collection = Collection.open(sys.argv[1])
collection.describe({path: {"stars": 5} for path in collection.paths()})
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A script that gives each picture of a collection five stars, and leaves that in the WAL alone."""


def draw_picture(path: Path, seed: int, size: tuple[int, int] = (96, 64)) -> Path:
    """A picture of a few shapes, another one for each seed."""
    dice = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return (dice.randrange(256), dice.randrange(256), dice.randrange(256))

    picture = Image.new("RGB", size, colour())
    pen = ImageDraw.Draw(picture)
    for shape in (pen.ellipse, pen.rectangle) * 3:
        x, y = dice.randrange(size[0] - 40), dice.randrange(size[1] - 40)
        shape((x, y, x + dice.randrange(8, 40), y + dice.randrange(8, 40)), fill=colour())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        picture.save(file, "PNG")
    return path


@pytest.fixture
def draw() -> Draw:
    return draw_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of `PICTURES` pictures, a text file among them, and one more in a folder of its own."""
    place = tmp_path / "photos"
    for i in range(PICTURES - 1):
        draw_picture(place / f"{i}.png", seed=i)
    draw_picture(place / "below" / "last.png", seed=PICTURES - 1)
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Run a script in a fresh process, and give what it printed."""

    def run(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, "-c", script, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            check=False,
        )

    return run


@pytest.fixture
def unprivileged(require_or_skip: Require) -> tuple[str, ...]:
    """What to put before a command so that permissions hold for it, also when root runs the tests."""
    if os.geteuid():
        return ()
    require_or_skip(shutil.which("setpriv"), "root needs setpriv (of util-linux) to drop its powers")
    powers = "-dac_override,-dac_read_search,-chown,-fowner"
    return ("setpriv", f"--bounding-set={powers}", f"--inh-caps={powers}")


@pytest.fixture
def with_a_wal(tmp_path: Path, draw: Draw, python: Python) -> Path:
    """A folder of three pictures with five stars each, of which the WAL of its catalogue alone knows."""
    place = tmp_path / "photos"
    for i in range(3):
        draw(place / f"{i}.png", seed=i)
    with Collection.open(place) as collection:
        collection.sync()
    python(LEAVE_A_WAL, place)
    assert (place / ".lookalike" / "catalogue.sqlite-wal").stat().st_size
    return place


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model of the tests of faults, which costs nothing, and knows its pictures by their seeds."""
    monkeypatch.setitem(registry._models, pictures.MODEL, pictures.model)
    pictures.expect(range(1000))
