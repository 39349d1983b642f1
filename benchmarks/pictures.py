"""The pictures that SIFT and CNN vectors are made of: Debian's wallpapers, split into motifs that do not look alike."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_jxl  # noqa: F401  # teaches Pillow to read JPEG XL
from PIL import Image

from making import say

PACKAGES = [
    "gnome-backgrounds",
    "plasma-workspace-wallpapers",
    "mate-backgrounds",
    "ukui-wallpapers",
    "lomiri-wallpapers",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "phosh-wallpapers",
    "budgie-backgrounds",
    "sway-backgrounds",
]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".jxl"}
"""What Pillow reads; some of GNOME's pictures are SVG, and are left out."""

TEST_MOTIFS, TUNE_MOTIFS = 20, 12

Motifs = dict[str, list[Path]]


class Split(NamedTuple):
    base: Motifs
    test: Motifs
    tune: Motifs


def fetch(work: Path) -> Path:
    """The folder in which every package is unpacked; none is installed, and none fetched twice."""
    folder = work / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not (folder / package).exists():
            say(f"fetching {package}")
            subprocess.run(["apt-get", "download", package], cwd=work, check=True)
            (archive,) = work.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, folder / f"{package}.part"], check=True)
            (folder / f"{package}.part").rename(folder / package)
    return folder


def motifs(folder: Path) -> Motifs:
    """The pictures, by motif: what differs only in size, or is the dark version of another, is one motif.

    A motif is a wallpaper's folder, where it has one, or else the first word of the file's name; in both cases
    within its package.
    """
    found: Motifs = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink() and path.stem != "screenshot":
            name = parts[parts.index("contents") - 1] if "contents" in parts else path.stem
            found[f"{parts[0]}/{name.replace('_', '-').split('-')[0]}"].append(path)
    return dict(found)


def split(work: Path, seed: int) -> Split:
    """All motifs, those to search among and those to query with kept apart."""
    every = motifs(fetch(work))
    names = sorted(every)
    np.random.default_rng(seed).shuffle(names)
    test, tune, base = np.split(np.array(names), [TEST_MOTIFS, TEST_MOTIFS + TUNE_MOTIFS])
    say(f"{sum(map(len, every.values()))} pictures of {len(every)} motifs, {len(base)} of them in the base")
    return Split(*({name: every[name] for name in sorted(part)} for part in (base, test, tune)))


def read(path: Path, longest: int) -> Image.Image:
    """The picture in RGB, made smaller if its longer side exceeds `longest` pixels."""
    with Image.open(path) as picture:
        picture.draft("RGB", (longest, longest))
        rgb = picture.convert("RGB")
    rgb.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return rgb
