"""The page in a real browser: every picture is drawn, nothing overflows, nothing complains."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from lookalike.pages import Row, Tile, gallery, write_page

from ..conftest import Require
from .evil import evil_page, picture, tile
from .test_groups import page as groups_page

# Reads the page from inside a frame: a window would not become narrower than 500 pixels.
# The page itself allows no script, so it is a copy that is read.
PROBE = """<script>addEventListener("load", () => parent.postMessage(JSON.stringify({
  width: innerWidth,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  undrawn: [...document.images].filter(image => !image.complete || !image.naturalWidth).length,
  images: document.images.length,
  queryTop: document.querySelector(".query .mat, .kept .mat").getBoundingClientRect().top,
  nearestTop: document.querySelector(".neighbours .mat").getBoundingClientRect().top,
  smallest: Math.min(...[...document.querySelectorAll(".mat")].map(mat => mat.getBoundingClientRect().width)),
  ground: getComputedStyle(document.body).backgroundColor,
}), "*"))</script>"""
FRAME = """<!doctype html><meta charset="utf-8">
<script>addEventListener("message", event => document.documentElement.dataset.probe = event.data)</script>
<iframe src="page.html" style="border: 0; width: {}px; height: {}px"></iframe>"""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
]
SIZES = [(1280, 900), (390, 844), (360, 640), (3840, 2160)]


@pytest.fixture(scope="module")
def chromium(require_or_skip: Require) -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require_or_skip(found, "Chromium is not installed (Debian: apt-get install chromium)")
    assert found
    return found


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Browse:
    return Browse(chromium, tmp_path)


class Browse:
    """Chromium without a window, with a profile of its own."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder

    def probe(self, page: str, size: tuple[int, int], *flags: str) -> dict[str, float | str]:
        """What the probe reads of the page in a window of that size."""
        copy = page.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
        assert copy != page
        write_page(copy.replace("</body>", PROBE + "</body>"), str(self._folder / "page.html"))
        write_page(FRAME.format(*size), str(self._folder / "frame.html"))
        dom, _ = self._run("frame.html", "--dump-dom", *flags)
        (found,) = re.findall(r'data-probe="([^"]*)"', dom)
        return json.loads(found.replace("&quot;", '"'))  # type: ignore[no-any-return]

    def screenshot(self, page: str, size: tuple[int, int]) -> tuple[Image.Image, list[str]]:
        """The page as it is, and what its console said."""
        write_page(page, str(self._folder / "page.html"))
        file = self._folder / "screenshot.png"
        _, log = self._run("page.html", f"--screenshot={file}", f"--window-size={size[0]},{size[1]}")
        with Image.open(file) as image:
            return image.convert("RGB"), [line for line in log.splitlines() if ":CONSOLE" in line]

    def _run(self, name: str, *flags: str) -> tuple[str, str]:
        profile = f"--user-data-dir={self._folder / 'profile'}"
        done = subprocess.run(
            [self._binary, *FLAGS, profile, *flags, (self._folder / name).as_uri()],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=True,
        )
        return done.stdout, done.stderr


def plain_page(queries: int, k: int) -> str:
    found = [tile(f"holiday/IMG_{n:04}.jpg", n / 10, picture("JPEG")) for n in range(k)]
    return gallery([Row(tile("query.jpg", thumbnail=picture()), found)] * queries, "Look-alikes", [("Model", "x")])


@pytest.mark.parametrize("size", SIZES)
def test_every_picture_is_drawn_and_nothing_overflows(browse: Browse, size: tuple[int, int]) -> None:
    seen = browse.probe(plain_page(2, 3), size)
    assert seen["width"] == size[0]
    assert seen["images"] == 8
    assert seen["undrawn"] == 0
    assert float(seen["overflow"]) <= 0
    assert float(seen["queryTop"]) < float(seen["nearestTop"])
    assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES[:2])
def test_many_neighbours_and_evil_names_fit_as_well(browse: Browse, size: tuple[int, int]) -> None:
    for page in (plain_page(1, 48), evil_page()):
        seen = browse.probe(page, size)
        assert seen["undrawn"] == 0
        assert float(seen["overflow"]) <= 0
        assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [3, 12])
def test_several_examples_fit(browse: Browse, size: tuple[int, int], k: int) -> None:
    first, *others = [tile(f"example_{n}.jpg", thumbnail=picture())._replace(weight=n - 2.5) for n in range(5)]
    found = [tile(f"{n}.jpg", n / 10, picture())._replace(score=1 / (n + 1)) for n in range(k)]
    text = Tile("“a long text”", "", None, text="some words " * 40, weight=1)
    seen = browse.probe(gallery([Row(first, found, "", [*others, text])], "Look-alikes"), size)
    assert (seen["images"], seen["undrawn"]) == (5 + k, 0)
    assert float(seen["overflow"]) <= 0
    assert float(seen["queryTop"]) < float(seen["nearestTop"])
    assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES)
def test_groups_fit(browse: Browse, size: tuple[int, int]) -> None:
    seen = browse.probe(groups_page(), size)
    assert seen["images"] == 2 * (1 + 8)
    assert seen["undrawn"] == 0
    assert float(seen["overflow"]) <= 0
    assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES[:2])
def test_the_page_renders_and_its_console_is_silent(browse: Browse, size: tuple[int, int]) -> None:
    image, console = browse.screenshot(evil_page(), size)
    assert console == []
    assert image.size == size
    assert len(image.getcolors(1 << 24) or []) > 100  # gradients, not a blank or an error page


def test_the_policy_refuses_what_would_come_from_elsewhere(browse: Browse) -> None:
    """Also the proof that the test above would see a complaint."""
    page = plain_page(1, 1).replace("</main>", '<img src="http://127.0.0.1:9/spy.png" alt=""></main>')
    _, console = browse.screenshot(page, SIZES[0])
    assert any("Content Security Policy" in line for line in console), console


def test_dark_is_dark_and_light_is_light(browse: Browse) -> None:
    grounds = [
        browse.probe(plain_page(1, 1), SIZES[0], f"--blink-settings=preferredColorScheme={scheme}")["ground"]
        for scheme in (0, 1)
    ]
    dark, light = (sum(map(int, re.findall(r"\d+", str(ground))[:3])) / 3 for ground in grounds)
    assert dark < 50
    assert light > 230
