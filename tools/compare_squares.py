"""What becomes of wide, tall and letterboxed pictures by the ways to make squares of them: the tables of docs/model.md.

    python tools/compare_squares.py SETS [--sets clothing,grocery,...]

SETS is as for tools/compare_models.py. Long pictures are made of the samples of ImageNet: strips of them (panoramas),
pages of text and pictures (screenshots), and stills in black frames.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from labelled_sets import fit, open_rgb, read_sources, white_along_long_edges
from lookalike.fitting import LONG, count_squares
from lookalike.images.bars import without_bars
from lookalike.models import get_model

Vector = npt.NDArray[np.float32]
Part = tuple[float, ...]

SIDE = 224
LEAST = 1.15  # ratio of the sides; less long pictures are the same by all ways
PHOTOS, SCREENSHOTS, STILLS = 150, 75, 50
WORDS = [
    "the",
    "a",
    "river",
    "window",
    "report",
    "total",
    "account",
    "light",
    "garden",
    "street",
    "bread",
    "never",
    "twelve",
    "letter",
    "train",
    "north",
]


@dataclass
class Squares:
    """The vectors of some squares of a picture.

    Attributes:
        ratio: of its sides.
        is_padded: it is white along its long edges, and by all ways padded.
    """

    ratio: float
    is_padded: bool
    vectors: dict[str, Vector] = field(default_factory=dict)


def squares(image: Image.Image) -> tuple[Squares, dict[str, npt.NDArray[np.uint8]]]:
    """Squares of a picture, by their names; a number is the share of the way along the picture."""
    width, height = image.size
    edge, longer = min(image.size), max(image.size)
    about = Squares(longer / edge, white_along_long_edges(image) >= 0.5)
    made = {"today": np.asarray(fit(image, SIDE, "seamless"))}
    if about.ratio >= LEAST and not about.is_padded:
        made |= {how: np.asarray(fit(image, SIDE, how)) for how in ("pad", "squeeze")}
        grey = Image.new("RGB", (longer, longer), (127, 127, 127))
        grey.paste(image, ((longer - width) // 2, (longer - height) // 2))
        made["grey"] = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3))
        for share in {0.0, 0.5, 1.0, *covering(about.ratio)}:
            start = share * (longer - edge)
            box = (start, 0, start + edge, edge) if width >= height else (0, start, edge, start + edge)
            made[str(share)] = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box, reducing_gap=3))
    return about, made


def covering(ratio: float) -> list[float]:
    count = count_squares(max(ratio, LONG), 1)
    return [number / (count - 1) for number in range(count)]


def unit(vector: Vector) -> Vector:
    return vector / np.float32(np.linalg.norm(vector))


def mean(vectors: Sequence[Vector]) -> Vector:
    return unit(np.mean([unit(each) for each in vectors], axis=0))


def rms(vectors: Sequence[Vector]) -> Vector:
    return unit(np.sqrt(np.mean(np.square(vectors), axis=0)))


def of(pool: Callable[[Sequence[Vector]], Vector], *names: str) -> Callable[[Squares], Vector]:
    def vector(picture: Squares) -> Vector:
        every = [*names, *(map(str, covering(picture.ratio)) if "covering" in names else ())]
        return pool([picture.vectors[name] for name in every if name != "covering"])

    return vector


WAYS: Mapping[str, tuple[float, Callable[[Squares], Vector]]] = {
    "the middle alone": (math.inf, of(mean, "today")),
    "squeezed": (1.3, of(mean, "squeeze")),
    "padded with white": (1.3, of(mean, "pad")),
    "padded with grey": (1.3, of(mean, "grey")),
    "mean of the middle and squeezed": (1.3, of(mean, "0.5", "squeeze")),
    "mean of the middle and padded with grey": (1.3, of(mean, "0.5", "grey")),
    "mean of both ends": (1.45, of(mean, "0.0", "1.0")),
    "root mean square of squares along it": (1.6, of(rms, "covering")),
    **{
        f"mean of squares along it, from {ratio}": (ratio, of(mean, "covering"))
        for ratio in (1.15, 1.3, 1.45, 1.6, 1.7)
    },
}
"""From which ratio of the sides on, and how."""


def strip(image: Image.Image, ratio: float) -> Image.Image:
    upright = image if image.width >= image.height else image.rotate(90, expand=True)
    height = upright.width / ratio
    top = (upright.height - height) / 2
    return upright.crop((0, round(top), upright.width, round(top + height)))


def exchanged(image: Image.Image) -> Image.Image:
    """Its ends are exchanged; the square in its middle stays."""
    width, height = image.size
    end = min((width - height) // 2, width // 3)
    made = image.copy()
    made.paste(image.crop((width - end, 0, width, height)), (0, 0))
    made.paste(image.crop((0, 0, end, height)), (width - end, 0))
    return made


def screenshot(photos: Sequence[Image.Image], seed: int) -> Image.Image:
    dice = random.Random(seed)
    dark = dice.random() < 0.4
    back, fore = ((18, 18, 20), (230, 230, 230)) if dark else ((246, 246, 248), (20, 20, 20))
    page = Image.new("RGB", (720, dice.choice([1280, 1560, 1600, 2400])), back)
    pen, y, left = ImageDraw.Draw(page), 150, list(photos)
    pen.rectangle((0, 0, 720, 110), fill=tuple(dice.randrange(40, 220) for _ in range(3)))
    pen.text((30, 40), " ".join(dice.choices(WORDS, k=3)), font=ImageFont.load_default(36), fill=fore)
    while y < page.height - 40:
        if left and dice.random() < 0.25:
            photo = left.pop()
            photo.thumbnail((dice.choice([400, 640, 720]), 600))
            page.paste(photo, (dice.choice([0, 40]), y))
            y += photo.height + 30
            continue
        for _ in range(dice.randrange(1, 6)):
            line = " ".join(dice.choices(WORDS, k=dice.randrange(3, 8)))
            pen.text((30, y), line, font=ImageFont.load_default(26), fill=fore)
            y += 36
        y += 30
    return page


def letterboxed(image: Image.Image, frame: float) -> Image.Image:
    width, height = image.size
    size = (width, round(width / frame)) if width / height >= frame else (round(height * frame), height)
    made = Image.new("RGB", size)
    made.paste(image, ((size[0] - width) // 2, (size[1] - height) // 2))
    return made


def cut(image: Image.Image, ratio: float) -> Image.Image:
    width, height = image.size
    wide, high = (round(height * ratio), height) if width / height > ratio else (width, round(width / ratio))
    left, top = (width - wide) // 2, (height - high) // 2
    return image.crop((left, top, left + wide, top + high))


def long_pictures(folder: Path) -> Iterator[tuple[str, str, int, Image.Image]]:
    """The kind, the alteration ("" for what is in the collection), the number, and the picture."""
    paths = sorted(folder.glob("*.JPEG"))
    random.Random(1).shuffle(paths)
    for number, path in enumerate(paths[:PHOTOS]):
        for ratio in (2, 3):
            long = strip(open_rgb(path), ratio)
            end = long.height
            yield f"panorama {ratio}:1", "", number, long
            yield f"panorama {ratio}:1", "left end", number, long.crop((0, 0, end, end))
            yield f"panorama {ratio}:1", "right end", number, long.crop((long.width - end, 0, long.width, end))
            yield f"panorama {ratio}:1", "ends exchanged", number, exchanged(long)
    for number in range(SCREENSHOTS):
        page = screenshot([open_rgb(path) for path in paths[PHOTOS + number : PHOTOS + number + 3]], number)
        yield "screenshot", "", number, page
        yield "screenshot", "top square", number, page.crop((0, 0, page.width, page.width))
        yield "screenshot", "top half", number, page.crop((0, 0, page.width, page.height // 2))
    shapes = (
        (2.39, 16 / 9, "film in 16:9"),
        (16 / 9, 4 / 3, "16:9 in 4:3"),
        (9 / 16, 16 / 9, "portrait"),
    )
    for number, path in enumerate(paths[-STILLS:]):
        for shape, frame, kind in shapes:
            still = cut(open_rgb(path), shape)
            boxed = letterboxed(still, frame)
            yield kind, "", number, still
            yield kind, "letterboxed", number, boxed
            if part := without_bars(boxed, None):
                yield kind, "letterboxed, without its bars", number, boxed.crop(part)


Key = tuple[str, str, str, str]  # the set or kind, the label, the alteration, which


def embedded(given: Iterator[tuple[Key, Image.Image]]) -> dict[Key, Squares]:
    model, found = get_model(), {}
    waiting: list[tuple[Squares, str, npt.NDArray[np.uint8]]] = []

    def flush() -> None:
        if waiting:
            vectors = model.embed(np.stack([pixels for _, _, pixels in waiting]))
            for (picture, name, _), vector in zip(waiting, vectors, strict=True):
                picture.vectors[name] = vector
            waiting.clear()

    for key, image in given:
        found[key], made = squares(image)
        waiting += [(found[key], name, pixels) for name, pixels in made.items()]
        if len(waiting) >= 128:
            flush()
    flush()
    return found


def every(root: Path, sets: Sequence[str]) -> Iterator[tuple[Key, Image.Image]]:
    for kind, alteration, number, image in long_pictures(root / "imagenet-sample-images"):
        yield ("long", kind, alteration, str(number)), image
    for picture in read_sources(root):
        if picture.set in sets:
            yield (picture.set, picture.label, "", str(picture.path)), open_rgb(picture.path)


def labelled(keys: Sequence[Key], vectors: Mapping[Key, Vector]) -> str:
    """Precision at 1 and at 5, leave-one-out."""
    matrix, labels = np.stack([vectors[key] for key in keys]), np.array([key[1] for key in keys])
    likeness = matrix @ matrix.T
    np.fill_diagonal(likeness, -np.inf)
    hits = labels[np.argsort(-likeness, axis=1)[:, :5]] == labels[:, np.newaxis]
    return f"{hits[:, 0].mean():.3f} {hits.mean():.3f}"


def altered(keys: Sequence[Key], stored: Sequence[Key], vectors: Mapping[Key, Vector]) -> str:
    """The share that finds its original first among all, and the median distance to it."""
    matrix = np.stack([vectors[key] for key in stored])
    at = {key: row for row, key in enumerate(stored)}
    asked = [(key, at[key[0], key[1], "", key[3]]) for key in keys]
    likeness = np.stack([vectors[key] for key, _ in asked]) @ matrix.T
    own = likeness[np.arange(len(asked)), [row for _, row in asked]]
    first = np.mean([stored[row][3] == key[3] for (key, _), row in zip(asked, likeness.argmax(axis=1), strict=True)])
    return f"{first:.3f} {np.median(1 - own):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, metavar="SETS")
    parser.add_argument("--sets", dest="names", default="stamps,clipart,grocery,clothing,animals")
    given = parser.parse_args()
    names = given.names.split(",")
    pictures = embedded(every(given.sets, names))
    stored = [key for key in pictures if not key[2]]
    kinds = list(dict.fromkeys((key[1], key[2]) for key in pictures if key[2]))
    print(f"{len(stored):,} pictures in the collection")
    print("| way | " + " | ".join([f"{kind}: {alteration}" for kind, alteration in kinds] + names) + " |")
    print("|---" * (1 + len(kinds) + len(names)) + "|")
    for way, (least, vector) in WAYS.items():
        vectors = {
            key: vector(one) if one.ratio >= max(least, LEAST) and not one.is_padded else unit(one.vectors["today"])
            for key, one in pictures.items()
        }
        cells = [altered([key for key in pictures if key[1:3] == kind], stored, vectors) for kind in kinds]
        cells += [labelled([key for key in stored if key[0] == name], vectors) for name in names]
        print(f"| {way} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
