"""The pictures that pairs are made of, as packages carry them; a third of them is held out.

Photos: Debian's budgie-backgrounds, lomiri-wallpapers-16.04 and -20.04, mate-backgrounds, ukui-wallpapers,
plasma-workspace-wallpapers and opencv-doc; PyPI's scikit-image and scikit-learn. Drawings: Debian's
tuxpaint-stamps-default and openclipart-png, and such wallpapers as are drawn. Videos and pairs of one scene
from two cameras: opencv-doc, scikit-image. What is not installed takes no part; `missing()` tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

Part = Literal["tuning", "held-out", "all"]

BACKGROUNDS = Path("/usr/share/backgrounds")
WALLPAPERS = Path("/usr/share/wallpapers")
OPENCV = Path("/usr/share/doc/opencv-doc/examples/data")
STAMPS = Path("/usr/share/tuxpaint/stamps")
CLIPART = Path("/usr/share/openclipart/png")

# what in the folders of wallpapers is a photograph, and what is drawn: looked at one by one
_PHOTOS = """
Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Kleiber_by_Lukas_Baubkus Picture_0B_by_freespace
Picture_1A_by_freespace Wine_by_Jakkub_Mede aitzgorri_by_Aitzol_Berasategi analogpattern_by_Peter_Nerlich
free_by_Peter_Nerlich friends_by_Aitzol_Berasategi greentock_by_Peter_Nerlich life_by_Aitzol_Berasategi
picosdeeuropa_by_Aitzol_Berasategi seeding_by_Clements_Engelhardt sunset_by_Aitzol_Berasategi
beacon-street-sunset blue-periwinkle canyon-wren casa-mila extreme-desert-hike high-trestle-trail lake-sherburne
oakland-zoo-otters ocean-waves perched-osprey piazza-gae-aulenti roman-colosseum singaporean-cityscape tea-gardens
Aqua Blinds Dune FreshFlower Garden GreenMeadow LadyBird RainDrops Storm TwoWings YellowFlower
BytheWater ColdRipple ColorfulCups EveningGlow FallenLeaf Kite OneStandsOut Path
aloeL baboon board building fruits home messi5 orange starry_night graf1 box_in_scene squirrel_cls chicky_512
"""
_DRAWN = """
2004default calla city desert firstgeneration goldfish rhythm rollpaper string valley-midnight waves-midnight
Painting-Colors_by__herobrine7gamer Altai Autumn Canopee Cascade Cluster Flow FlyingKonqui Honeywave IceCold Kay
Mountain Patak SafeLanding ScarletTree Shell
"""
_SCIKIT_PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "coins.png", "brick.png")
_VIDEOS = ("vtest.avi", "Megamind.avi", "tree.avi")
_STEREO = (("aloeL.jpg", "aloeR.jpg"), ("left.jpg", "right.jpg"), ("basketball1.png", "basketball2.png"))


class Source(NamedTuple):
    """A picture, a video, or a picture of one scene and `other`, that of a second camera."""

    name: str
    path: Path
    other: Path | None = None


def held_out(name: str) -> bool:
    """Whether the source of this name is of the third that nothing is tuned on: by its hash, whatever is installed."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3 == 0


def in_part(name: str, part: Part) -> bool:
    return part == "all" or held_out(name) == (part == "held-out")


def sources(material: str, part: Part) -> list[Source]:
    """The sources of one material in one part, in an order that does not follow their names."""
    found: dict[str, Callable[[], list[Source]]] = {
        "photo": _photos,
        "drawing": _drawings,
        "video": _videos,
        "stereo": _stereo,
    }
    kept = [source for source in found[material]() if in_part(source.name, part)]
    return sorted(kept, key=lambda source: hashlib.sha256(f"order {source.name}".encode()).digest())


def missing() -> list[str]:
    """The packages that are not there, of those that the whole table is made of."""
    places = {
        "budgie-backgrounds": BACKGROUNDS / "budgie",
        "lomiri-wallpapers-16.04": BACKGROUNDS / "free_by_Peter_Nerlich.jpg",
        "lomiri-wallpapers-20.04": BACKGROUNDS / "Kleiber_by_Lukas_Baubkus.jpg",
        "mate-backgrounds": BACKGROUNDS / "mate",
        "ukui-wallpapers": BACKGROUNDS / "calla.png",
        "plasma-workspace-wallpapers": WALLPAPERS / "Altai",
        "opencv-doc": OPENCV,
        "openclipart-png": CLIPART,
        "tuxpaint-stamps-default": STAMPS,
    }
    packages = {"scikit-image": "skimage", "scikit-learn": "sklearn", "av": "av"}
    absent = [name for name, place in places.items() if not place.exists()]
    return absent + [name for name, module in packages.items() if find_spec(module) is None]


@cache
def _papers() -> dict[str, Path]:
    """Desktop pictures by name; of one that is there in several sizes the largest file."""
    names: dict[str, Path] = {}
    for path in sorted([*BACKGROUNDS.rglob("*.*"), *OPENCV.glob("*.*")]):
        if path.suffix in (".jpg", ".png") and not path.is_symlink():
            names.setdefault(path.stem, path)
    for folder in sorted(WALLPAPERS.glob("*/contents/images")):
        files = [path for path in folder.glob("*.*") if path.suffix in (".jpg", ".png")]
        if files:
            names[folder.parent.parent.name] = max(files, key=lambda path: (path.stat().st_size, path.name))
    return names


def _package(module: str, inside: str) -> Path:
    """A folder of an installed package, without importing it; one that does not exist where it is not installed."""
    found = find_spec(module)
    places = list(found.submodule_search_locations or []) if found else []
    return Path(places[0] if places else "/nonexistent", inside)


@cache
def _photos() -> list[Source]:
    named = [Source(name, _papers()[name]) for name in _PHOTOS.split() if name in _papers()]
    scikit = [_package("skimage", "data") / name for name in _SCIKIT_PHOTOS]
    learn = [_package("sklearn", "datasets/images") / name for name in ("china.jpg", "flower.jpg")]
    return named + [Source(path.name, path) for path in [*scikit, *learn] if path.exists()]


@cache
def _drawings() -> list[Source]:
    named = [Source(name, _papers()[name]) for name in _DRAWN.split() if name in _papers()]
    stamps = [Source(f"stamp {path.relative_to(STAMPS)}", path) for path in _walk(STAMPS)]
    clips = [Source(f"clip {path.relative_to(CLIPART)}", path) for path in _walk(CLIPART)[::9]]
    return named + stamps + clips


def _walk(folder: Path) -> list[Path]:
    """The pictures below a folder that have room for something: 20 kB to 1 MB."""
    files = (path for path in folder.rglob("*.png") if not path.is_symlink())
    return sorted(path for path in files if 20_000 <= path.stat().st_size <= 1_000_000)


def _videos() -> list[Source]:
    """Those whose frames can be had."""
    if find_spec("av") is None:
        return []
    return [Source(name, OPENCV / name) for name in _VIDEOS if (OPENCV / name).exists()]


def _stereo() -> list[Source]:
    boards = [(f"left{number:02}.jpg", f"right{number:02}.jpg") for number in range(1, 15)]
    pairs = [(OPENCV / one, OPENCV / other) for one, other in (*_STEREO, *boards)]
    data = _package("skimage", "data")
    pairs.append((data / "motorcycle_left.png", data / "motorcycle_right.png"))
    return [Source(one.name, one, other) for one, other in pairs if one.exists() and other.exists()]


def drawn_numbers(name: str, part: Part) -> Iterator[int]:
    """Numbers of what is drawn for one kind of pair: each is a source of its own, in one part or the other."""
    number = 0
    while True:
        if in_part(f"{name} {number}", part):
            yield number
        number += 1


def opened(source: Source | None) -> Image.Image:
    """The source's picture as RGB, on white where it is transparent, at most 3,000 pixels long."""
    assert source is not None, "asked for by a kind of pair that is drawn"
    return _read(source.path).copy()


@lru_cache(maxsize=4)
def _read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (3000, 3000))
        if picture.mode in ("P", "LA", "RGBA", "PA"):
            layer = picture.convert("RGBA")
            flat = Image.new("RGB", layer.size, "white")
            flat.paste(layer, mask=layer.getchannel("A"))
        else:
            flat = picture.convert("RGB")
    flat.thumbnail((3000, 3000), Image.Resampling.LANCZOS)
    flat.info.clear()  # its profile would stay in PNG, and be left out of JPEG: other colours
    return flat
