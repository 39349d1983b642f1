"""The page in a real browser: every picture is drawn, nothing overflows, nothing complains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from lookalike.pages import Row, Tile, gallery, write_page

from .browse import SIZES, Browse
from .evil import evil_page, picture, tile
from .test_groups import page as groups_page

pytestmark = pytest.mark.thorough

SEEN = """{
  width: innerWidth,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  undrawn: [...document.images].filter(image => !image.complete || !image.naturalWidth).length,
  images: document.images.length,
  queryTop: document.querySelector(".query .mat, .kept .mat").getBoundingClientRect().top,
  nearestTop: document.querySelector(".neighbours .mat").getBoundingClientRect().top,
  smallest: Math.min(...[...document.querySelectorAll(".mat")].map(mat => mat.getBoundingClientRect().width)),
  ground: getComputedStyle(document.body).backgroundColor,
}"""


def plain_page(queries: int, k: int) -> str:
    found = [tile(f"holiday/IMG_{n:04}.jpg", n / 10, picture("JPEG")) for n in range(k)]
    return gallery([Row(tile("query.jpg", thumbnail=picture()), found)] * queries, "Look-alikes", [("Model", "x")])


@pytest.mark.parametrize("size", SIZES)
def test_every_picture_is_drawn_and_nothing_overflows(browse: Browse, size: tuple[int, int]) -> None:
    seen = browse.probe(plain_page(2, 3), size, SEEN)
    assert seen["width"] == size[0]
    assert seen["images"] == 8
    assert seen["undrawn"] == 0
    assert float(seen["overflow"]) <= 0
    assert float(seen["queryTop"]) < float(seen["nearestTop"])
    assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES[:2])
def test_many_neighbours_and_evil_names_fit_as_well(browse: Browse, size: tuple[int, int]) -> None:
    for page in (plain_page(1, 48), evil_page()):
        seen = browse.probe(page, size, SEEN)
        assert seen["undrawn"] == 0
        assert float(seen["overflow"]) <= 0
        assert float(seen["smallest"]) >= 80


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [3, 12])
def test_several_examples_fit(browse: Browse, size: tuple[int, int], k: int) -> None:
    first, *others = [tile(f"example_{n}.jpg", thumbnail=picture())._replace(weight=n - 2.5) for n in range(5)]
    found = [tile(f"{n}.jpg", n / 10, picture())._replace(score=1 / (n + 1)) for n in range(k)]
    text = Tile("“a long text”", "", None, text="some words " * 40, weight=1)
    seen = browse.probe(gallery([Row(first, found, "", [*others, text])], "Look-alikes"), size, SEEN)
    assert (seen["images"], seen["undrawn"]) == (5 + k, 0)
    assert float(seen["overflow"]) <= 0
    assert float(seen["queryTop"]) < float(seen["nearestTop"])
    assert float(seen["smallest"]) >= 80


GROUPS = """(() => {
  groups.forEach(show);
  const width = mat => mat.getBoundingClientRect().width;
  const mats = selector => Math.min(...[...document.querySelectorAll(selector)].map(width));
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    images: document.images.length,
    undrawn: [...document.images].filter(image => image.complete && !image.naturalWidth).length,
    judged: mats(".square .mat, .wide .mat, .tall .mat"),
    small: mats(".small .mat"),
    framed: [...document.querySelectorAll(".region")].every(frame => {
      const [inner, outer] = [frame, frame.parentElement].map(element => element.getBoundingClientRect());
      const near = (one, other) => Math.abs(one - other) < 2;
      return near(inner.left, outer.left + outer.width / 4) && near(inner.width, outer.width / 2)
        && near(inner.top, outer.top + outer.height / 2) && near(inner.bottom, outer.bottom);
    }),
    shaped: [...document.querySelectorAll(".square .across")].every(frame => {
      const { width, height } = frame.getBoundingClientRect();
      return Math.abs(width / height - 1.5) < 0.02;
    }),
  };
})()"""


# Virtual time leaps where nothing is to be done, but what is in sight is told with frames, which take real time.
LATER = """(() => {
  const count = () => ({ images: document.images.length, groups: document.querySelectorAll(".group").length });
  const later = left => {
    for (let i = 0; i < 1e7; ++i);
    if (left === 0) parent.postMessage(JSON.stringify(count()), "*");
    else setTimeout(later, 10, document.images.length ? Math.min(left - 1, 20) : left - 1);
  };
  later(400);
  return {};
})()"""


@pytest.mark.parametrize("size", SIZES)
def test_groups_fit(browse: Browse, size: tuple[int, int]) -> None:
    seen = browse.probe(groups_page(), size, GROUPS)
    assert (seen["images"], seen["undrawn"]) == (4 * 2 * (1 + 8), 0)
    assert float(seen["overflow"]) <= 0
    assert float(seen["judged"]) >= (320 if size[0] >= 1000 else 280)
    assert float(seen["small"]) >= 140
    assert seen["framed"]
    assert seen["shaped"]


SETTLED = "--virtual-time-budget=5000"  # its scripts have time before it is looked at


# else a sandboxed frame is drawn by a process of its own, for which a screenshot does not wait
IN_ONE_PROCESS = "--disable-features=IsolateSandboxedIframes"


def colours(image: Image.Image) -> int:
    """How many there are in the lower half, where pictures begin."""
    return len(image.crop((0, 450, 1280, 900)).getcolors(1 << 24) or [])


def test_pictures_of_groups_are_shown_as_one_comes_near(browse: Browse) -> None:
    """The script of the page as it is, under its own policy: far below nothing is drawn yet."""
    page = groups_page(40, 2)
    image, console = browse.screenshot(page, SIZES[0], "page.html", SETTLED)
    assert console == []
    assert colours(image) > 100
    seen = browse.probe(page, SIZES[0], LATER, SETTLED)
    assert 2 <= int(seen["images"]) < 40  # in a frame only what is in sight: browsers look ahead in whole windows alone


def test_pictures_of_groups_are_shown_without_scripts(browse: Browse, tmp_path: Path) -> None:
    write_page(groups_page(), str(tmp_path / "groups.html"))
    frame = '<!doctype html><iframe sandbox src="groups.html" style="width: 1250px; height: 880px"></iframe>'
    image, console = browse.screenshot(frame, SIZES[0], "page.html", SETTLED, IN_ONE_PROCESS)
    assert any("sandboxed and the 'allow-scripts' permission is not set" in line for line in console)
    assert colours(image) > 100


def test_no_other_script_runs_on_the_page_of_groups(browse: Browse) -> None:
    page = groups_page().replace("</main>", "<script>document.body.remove()</script></main>")
    image, console = browse.screenshot(page, SIZES[0], "page.html", SETTLED)
    assert any("Content Security Policy" in line for line in console)
    assert colours(image) > 100


def test_five_thousand_groups_open(browse: Browse) -> None:
    page = groups_page(1250, 1)
    image, console = browse.screenshot(page, SIZES[0], "page.html", SETTLED)
    assert (console, colours(image) > 100) == ([], True)
    seen = browse.probe(page, SIZES[0], LATER, SETTLED)
    assert seen["groups"] == 5000
    assert int(seen["images"]) < 100


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
        browse.probe(plain_page(1, 1), SIZES[0], SEEN, f"--blink-settings=preferredColorScheme={scheme}")["ground"]
        for scheme in (0, 1)
    ]
    dark, light = (sum(map(int, re.findall(r"\d+", str(ground))[:3])) / 3 for ground in grounds)
    assert dark < 50
    assert light > 230
