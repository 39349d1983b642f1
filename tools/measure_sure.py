"""Measure when a search says "no good match", and how scores go with kinds; docs/sure.md has the results.

    python tools/measure_sure.py SETS              # docs/model.md says how to lay out the folder SETS

Half of each set is the collection, the other half its queries, of the same kind: few should be without a match. Noise,
plain colours, gradients and pages of text should be, among photographs. Altered copies of what is there should not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from labelled_sets import ALTERATIONS, MAX_PIXELS, SOURCES, open_rgb, pixels, two_folders
from lookalike.collection.sure import NO_MATCH, Calibration
from lookalike.images.decode import fit_image
from lookalike.index import Index
from lookalike.models import embed_squares, get_model

Floats = npt.NDArray[np.float32]
EACH = 24
"""Made pictures of each kind."""
MOST = 2500
"""Pictures of each set."""
PHOTOS = ("grocery", "clothing", "imagenet")
SIZES = ((640, 480), (480, 640), (500, 500), (1024, 768))

random = np.random.default_rng(1)


def noise(i: int, fine: int = 1) -> Image.Image:
    width, height = SIZES[i % 4]
    small = random.integers(0, 256, (height // fine, width // fine, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def colour() -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue


def gradient(i: int) -> Image.Image:
    width, height = SIZES[i % 4]
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    along = (x, y, (x + y) / 2, np.hypot(x - 0.5, y - 0.5))[i % 4][..., np.newaxis]
    first, last = np.array(colour()), np.array(colour())
    return Image.fromarray((first + (last - first) * along).astype(np.uint8))


def page_of_text(i: int) -> Image.Image:
    letters = np.array(list("aaabcdeeeefghiiijklmnooopqrrssttuuvwxyz"))
    page = Image.new("RGB", (850, 1100), "white")
    font, pen = ImageFont.load_default(14 + 4 * (i % 4)), ImageDraw.Draw(page)
    for y in range(60, 1040, 20 + 6 * (i % 4)):
        words = ["".join(random.choice(letters, random.integers(1, 10))) for _ in range(30)]
        while pen.textlength(" ".join(words), font) > 730:
            words.pop()
        pen.text((60, y), " ".join(words), "black", font)
    return page


MADE: dict[str, Callable[[int], Image.Image]] = {
    "noise": noise,
    "grey noise": lambda i: Image.effect_noise(SIZES[i % 4], 20 + 5 * i).convert("RGB"),
    "soft noise": lambda i: noise(i, 4 + 4 * (i % 8)),
    "plain colour": lambda i: Image.new("RGB", SIZES[i % 4], colour()),
    "gradient": gradient,
    "page of text": page_of_text,
}


def burst(image: Image.Image) -> Image.Image:
    """As the next picture of a series: cut, turned and lit a little differently."""
    left, upper = (int(edge * random.uniform(0, 0.02)) for edge in image.size)
    cut = image.crop((left, upper, image.width - left, image.height - upper)).rotate(random.uniform(-0.5, 0.5))
    return ImageEnhance.Brightness(cut).enhance(random.uniform(0.97, 1.03))


def vectors(images: Iterator[Image.Image]) -> Floats:
    model = get_model()
    found = embed_squares(model, [fit_image(image, model.input) for image in images])
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def read_sets(root: Path) -> dict[str, tuple[list[Path], npt.NDArray[np.str_], Floats]]:
    """Paths, kinds and vectors of each set; of the ImageNet samples each picture is a kind of its own."""
    sets = {}
    for source in SOURCES[:5]:
        folder = root / source.folder
        found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
        labelled = [path for path in found if source.label(path.relative_to(folder).parts) != ""]
        usable = [path for path in labelled if path.is_file() and pixels(path) <= MAX_PIXELS]
        order = np.random.default_rng(0).permutation(len(usable))[:MOST]
        paths = [usable[i] for i in order]
        name = "imagenet" if source.name == "animals" else source.name
        parts = [path.relative_to(folder).parts for path in paths]
        kinds = np.array([each[-1] if name == "imagenet" else kind_of(name, each) for each in parts])
        sets[name] = paths, kinds, vectors(map(open_rgb, paths))
    return sets


def kind_of(name: str, parts: Sequence[str]) -> str:
    return parts[1] if name == "clothing" else two_folders(parts) or ""


class Judged:
    """A collection, and what it says of queries."""

    def __init__(self, collection: Floats) -> None:
        self.index = Index(collection.shape[1])
        self.index.add(collection)
        calibration = Calibration.of(self.index)
        assert calibration
        self.calibration = calibration

    def scores(self, queries: Floats) -> npt.NDArray[np.float64]:
        """Of the nearest of each."""
        return np.array([self._score(query) for query in queries])

    def refused(self, queries: Floats) -> float:
        """The share without a good match."""
        return float(np.mean(self.scores(queries) < NO_MATCH))

    def _score(self, query: Floats) -> float:
        sure = self.calibration.judge(self.index, query, frozenset())
        assert sure
        return sure.score(float(self.index.search(query, 1).distances[0]))


def row(*cells: object) -> None:
    print("|", *(f"{cell:.2f} |" if isinstance(cell, float) else f"{cell} |" for cell in cells), flush=True)


def reliability(judged: Judged, kinds: npt.NDArray[np.str_], queries: Floats, asked: npt.NDArray[np.str_]) -> None:
    """By score, the share of nearest ones that are of the query's kind."""
    scores = judged.scores(queries)
    same = kinds[judged.index.search(queries, 1).ids[:, 0]] == asked
    edges = [0, 0.02, NO_MATCH, 0.5, 0.95, 1.01]
    bins = [(scores >= low) & (scores < high) for low, high in pairwise(edges)]
    row(*(f"{same[each].mean() if each.any() else np.nan:.2f} of {each.sum()}" for each in bins))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    sets = read_sets(parser.parse_args().sets)
    made = {name: vectors(make(i) for i in range(EACH)) for name, make in MADE.items()}
    halves = {name: (x[::2], x[1::2]) for name, (_, _, x) in sets.items()}

    print("\nno good match, by collection:")
    together = {name: [name] for name in sets} | {"all photographs": [*PHOTOS], "everything": [*sets]}
    row("queries", *together)
    judged = {name: Judged(np.concatenate([halves[each][0] for each in names])) for name, names in together.items()}
    for name in sets:
        row(f"other {name}", *(each.refused(halves[name][1]) for each in judged.values()))
    for name, queries in made.items():
        row(name, *(each.refused(queries) for each in judged.values()))

    print("\nof the nearest, of the query's kind, by score:")
    for name, names in together.items():
        kinds = np.concatenate([sets[each][1][::2] for each in names])
        asked = np.concatenate([sets[each][1][1::2] for each in names])
        print(name, end=" ")
        reliability(judged[name], kinds, np.concatenate([halves[each][1] for each in names]), asked)

    print("\nbursts of 4 and of 7 of 125 ImageNet samples: copies altered more, other samples, noise")
    paths, _, x = sets["imagenet"]
    images = [open_rgb(path) for path in paths[::8]]
    altered = vectors(alter(image) for image in images for alter in ALTERATIONS.values())
    series = vectors(burst(image) for image in images for _ in range(6)).reshape(len(images), 6, -1)
    for count in (3, 6):
        bursts = Judged(np.concatenate([x[::8], series[:, :count].reshape(-1, x.shape[1])]))
        row(
            count + 1,
            bursts.refused(altered),
            bursts.refused(np.delete(x, np.s_[::8], 0)),
            bursts.refused(made["noise"]),
        )
    row("no bursts", Judged(x).refused(altered))

    print("\nsmall collections, mean of 20 draws: pictures, other pictures, made ones")
    for name in sets:
        for size in (20, 50):
            shares = []
            for seed in range(20):
                order = np.random.default_rng(seed).permutation(len(sets[name][2]))
                few = Judged(sets[name][2][order[:size]])
                shares.append([few.refused(sets[name][2][order[-100:]]), *map(few.refused, made.values())])
            row(name, size, *(float(share) for share in np.mean(shares, axis=0)))


if __name__ == "__main__":
    main()
