"""The labelled sets of pictures on which tools/compare_models.py compares; docs/model.md says where they come from."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

PER_LABEL = 40
"""No label counts with more pictures than this, else a few large folders would decide."""
NEUTRAL = 400
"""Pictures of each source that are in no test set: on them means and principal components are learnt."""
ALTERED = 40
"""Pictures of each set that are altered."""
MAX_PIXELS = 16_000_000
"""Larger pictures are left out: openclipart holds some of 600 megapixels."""


Pixels = npt.NDArray[np.uint8]
Label = str | None
"""What a picture shows; None puts it into the neutral pool, "" leaves it out."""


@dataclass(frozen=True)
class Source:
    """A folder of pictures; `label` is given the parts of a picture's path within the folder."""

    name: str
    folder: str
    label: Callable[[Sequence[str]], Label]


@dataclass(frozen=True)
class Picture:
    path: Path
    set: str  # "" in the neutral pool
    label: str
    alteration: str = ""


def two_folders(parts: Sequence[str]) -> Label:
    return "/".join(parts[:-1][:2])


def clipart(parts: Sequence[str]) -> Label:
    """Icons, plain shapes and patterns are no kind of thing."""
    vague = {"shapes", "special", "unsorted", "computer", "buttons", "logos", "decorations"}
    return None if parts[0] in vague else two_folders(parts)


def garment(parts: Sequence[str]) -> Label:
    return "" if parts[0] == "train" else parts[1]


def animal(parts: Sequence[str]) -> Label:
    wordnet_id = parts[0][:9]
    kinds = (k for k, ranges in _ANIMALS.items() if any(a <= wordnet_id <= b for a, b in ranges))
    return next(kinds, None)


_ANIMALS = {
    "fish": [("n01440764", "n01498041"), ("n02514041", "n02655020")],
    "bird": [("n01514668", "n01622779"), ("n01795545", "n01860187"), ("n02002556", "n02058221")],
    "amphibian": [("n01629819", "n01644900")],
    "turtle": [("n01664065", "n01669191")],
    "lizard": [("n01675722", "n01698640")],
    "snake": [("n01728572", "n01756291")],
    "arthropod": [("n01768244", "n01776313")],
    "sea invertebrate": [("n01910747", "n01930112"), ("n01950731", "n01986214")],
    "dog": [("n02085620", "n02113978")],
    "wild dog": [("n02114367", "n02120505")],
    "cat": [("n02123045", "n02130308")],
    "bear": [("n02132136", "n02134418")],
    "insect": [("n02165105", "n02281787")],
    "rodent or rabbit": [("n02325366", "n02364673")],
    "hoofed": [("n02389026", "n02437616")],
    "weasel": [("n02441942", "n02447366")],
    "primate": [("n02480495", "n02500267")],
    "fruit or vegetable": [("n07714571", "n07768694")],
}
"""Kinds as ranges of WordNet ids, with which the names of the pictures begin."""


def neutral(_: Sequence[str]) -> Label:
    return None


SOURCES = [
    Source("stamps", "tuxpaint-stamps-default/usr/share/tuxpaint/stamps", two_folders),
    Source("clipart", "openclipart-png/usr/share/openclipart/png", clipart),
    Source("grocery", "GroceryStoreDataset/dataset/test", two_folders),
    Source("clothing", "clothing-dataset-small", garment),
    Source("animals", "imagenet-sample-images", animal),
    Source("cats and dogs", "Dog-Cat-Classifier/Data/Train_Data", neutral),
]


def read_sources(root: Path) -> list[Picture]:
    """The pictures of every source: thinned by the hash of their content, exact duplicates dropped."""
    pictures: list[Picture] = []
    for source in SOURCES:
        by_label: dict[Label, list[Path]] = defaultdict(list)
        for path in _unique(root / source.folder):
            by_label[source.label(path.relative_to(root / source.folder).parts)].append(path)
        pictures += [Picture(path, "", "") for path in by_label.pop(None, [])[:NEUTRAL]]
        by_label.pop("", None)
        for label, paths in by_label.items():
            if len(paths) >= 3:
                pictures += [Picture(path, source.name, label or "") for path in paths[:PER_LABEL]]
    return pictures


def with_altered(pictures: list[Picture]) -> list[Picture]:
    """The pictures, and every alteration of some of each set."""
    altered: list[Picture] = []
    for name in dict.fromkeys(p.set for p in pictures if p.set):
        members = [p for p in pictures if p.set == name]
        sample = members[:: max(1, len(members) // ALTERED)][:ALTERED]
        altered += [replace(p, alteration=a) for p in sample for a in ALTERATIONS]
    return pictures + altered


def _unique(folder: Path) -> Iterator[Path]:
    """One picture of each content, in the order of the contents' hashes: an arbitrary but lasting order."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg"})
    usable = sorted(p for p in found if p.is_file() and not p.is_symlink() and pixels(p) <= MAX_PIXELS)
    contents = {hashlib.sha256(path.read_bytes()).digest(): path for path in reversed(usable)}
    return (path for _, path in sorted(contents.items()))


def pixels(path: Path) -> int:
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as image:
        return image.width * image.height


def open_rgb(path: Path) -> Image.Image:
    with Image.open(path) as image:
        rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def crop(image: Image.Image) -> Image.Image:
    w, h = image.size
    return image.crop((w // 5, h // 10, w, h - h // 10))


def recompress(image: Image.Image) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=20)
    return Image.open(data).convert("RGB")


ALTERATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "crop to 64 %": crop,
    "JPEG quality 20": recompress,
    "shrink to 64 px": lambda image: image.resize((64, max(1, 64 * image.height // image.width))),
    "mirror": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turn by 10 degrees": lambda image: image.rotate(10, Image.Resampling.BICUBIC, fillcolor="white"),
    "brightness x 1.5": lambda image: ImageEnhance.Brightness(image).enhance(1.5),
}


def fit(image: Image.Image, side: int, how: str) -> Image.Image:
    w, h = image.size
    if how == "seamless":
        how = "pad" if white_along_long_edges(image) >= 0.5 else "crop"
    if how == "crop":
        edge = min(w, h)
        image = image.crop(((w - edge) // 2, (h - edge) // 2, (w + edge) // 2, (h + edge) // 2))
    elif how == "pad":
        edge = max(w, h)
        square = Image.new("RGB", (edge, edge), "white")
        square.paste(image, ((edge - w) // 2, (edge - h) // 2))
        image = square
    return image.resize((side, side), Image.Resampling.BICUBIC)


def white_along_long_edges(image: Image.Image) -> float:
    small = np.asarray(image.resize((64, 64), Image.Resampling.BICUBIC)).min(axis=2) >= 240
    along = small if image.width >= image.height else small.T
    return float((along[0].mean() + along[-1].mean()) / 2)


def decode(picture: Picture, side: int, how: str) -> Pixels:
    image = open_rgb(picture.path)
    if picture.alteration:
        image = ALTERATIONS[picture.alteration](image)
    return np.asarray(fit(image, side, how))
