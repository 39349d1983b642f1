"""The main job on real pictures: the stamps of Tux Paint (Debian's tuxpaint-stamps-default)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike

from ..conftest import Require
from .conftest import Run

STAMPS = Path("/usr/share/tuxpaint/stamps")


@pytest.fixture(scope="module")
def stamps(tmp_path_factory: pytest.TempPathFactory, require_or_skip: Require) -> Path:
    """The pictures alone, in folders by kind, and indexed."""
    require_or_skip(STAMPS.is_dir(), "needs Debian's tuxpaint-stamps-default")
    place = tmp_path_factory.mktemp("stamps")
    for picture in sorted(STAMPS.rglob("*.png")):
        target = place / picture.relative_to(STAMPS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, target)
    lookalike.open(place).close()
    return place


def test_a_mandarin_looks_like_other_citrus_fruit(run: Run, stamps: Path) -> None:
    done = run("search", stamps / "food/fruit/mandarine.png", stamps, "-k", "3", "--json")
    names = [Path(json.loads(line)["path"]).relative_to(stamps) for line in done.stdout.splitlines()]
    assert names[0] == Path("food/fruit/orange.png")
    assert all(name.parts[:2] == ("food", "fruit") for name in names)
    assert done.stderr == f"left out: {stamps / 'food/fruit/mandarine.png'}, which was searched by\n", "indexed already"


def test_the_nearest_is_mostly_of_the_same_kind(stamps: Path) -> None:
    """Precision@1 of the first two folder names, a floor below the figure in docs/model.md."""

    def kind(path: str) -> tuple[str, ...]:
        return Path(path).relative_to(stamps).parts[:2]

    with lookalike.Collection.open(stamps) as collection:
        paths = collection.paths()
        same = sum(kind(collection.search(path, k=1)[0].path) == kind(path) for path in paths)
    assert len(paths) > 900
    assert same / len(paths) > 0.6


def test_noise_is_no_good_match_and_stamps_mostly_have_one(run: Run, stamps: Path, tmp_path: Path) -> None:
    """Ceilings above the figures in docs/sure.md, which are of one half of the stamps among the other."""
    random = np.random.default_rng(0)
    with lookalike.Collection.open(stamps) as collection:
        for _ in range(5):
            noise = Image.fromarray(random.integers(0, 256, (480, 640, 3), np.uint8))
            assert collection.search(noise, k=1).match is False
        refused = [collection.search(path, k=1).match is False for path in collection.paths()]
    assert np.mean(refused) < 0.15
    Image.fromarray(random.integers(0, 256, (480, 640, 3), np.uint8)).save(tmp_path / "noise.png")
    assert run("search", "noise.png", stamps).stderr.startswith("no good match")
