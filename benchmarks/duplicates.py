"""How long `lookalike dedupe` takes to find which pairs of many pictures may be copies, and which share it finds.

    python benchmarks/duplicates.py                  # 100,000 pictures, a tenth of them altered copies
    python benchmarks/duplicates.py --count 1000000  # 21 GiB of memory

Nothing is decoded: thumbnails are drawn of random fields whose spectrum falls like that of pictures (1/f), vectors
(1,280 dimensions, as of the shipped model) in clusters. A copy is mirrored or turned in one of eight ways, lighter or
darker, noisy, and its vector moved by 0.0002 to 0.045. What follows, comparing the whole pictures, is not timed here.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import numpy as np
import numpy.typing as npt

from lookalike import Index
from lookalike.dedupe.candidates import REACH, by_thumbnail, plausible
from lookalike.dedupe.near import Pairs, near, pairs_of
from lookalike.images.thumb import SIDE
from making import say

DIM, CLUSTERS, COPIES = 1280, 2000, 0.1

Vectors = npt.NDArray[np.float32]
Light = npt.NDArray[np.uint8]


def drawn(random: np.random.Generator, count: int) -> Light:
    """Thumbnails (count, SIDE, SIDE)."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    fall = 1 / np.maximum(frequency, 1 / SIDE)
    fields = np.fft.irfft2(np.fft.rfft2(random.standard_normal((count, SIDE, SIDE), np.float32)) * fall, s=(SIDE, SIDE))
    fields /= fields.std(axis=(1, 2), keepdims=True)
    return np.clip(128 + 45 * fields, 0, 255).astype(np.uint8)


def altered(random: np.random.Generator, light: Light) -> Light:
    found = np.empty_like(light)
    for position, picture in enumerate(light):
        turned = np.rot90(picture, int(random.integers(4)))
        found[position] = turned[:, ::-1] if random.random() < 0.5 else turned
    lighter = found * random.uniform(0.7, 1.2, (len(found), 1, 1)) + random.normal(0, 2, found.shape)
    return np.clip(lighter, 0, 255).astype(np.uint8)


def unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    copies = int(given.count * COPIES)
    originals = given.count - copies
    of = random.choice(originals, copies, replace=False)

    light = np.empty((given.count, SIDE, SIDE), np.uint8)
    for begin in range(0, originals, 10_000):
        light[begin : min(begin + 10_000, originals)] = drawn(random, min(10_000, originals - begin))
    light[originals:] = altered(random, light[of])
    index = Index(DIM, "cosine")
    centres = unit(random.standard_normal((CLUSTERS, DIM), np.float32))
    scale = np.float32(1.2 / np.sqrt(DIM))
    vectors = np.empty((given.count, DIM), np.float32)
    for begin in range(0, originals, 10_000):
        end = min(begin + 10_000, originals)
        spread = random.standard_normal((end - begin, DIM), np.float32) * scale
        vectors[begin:end] = unit(centres[random.integers(CLUSTERS, size=end - begin)] + spread)
    moved = random.uniform(0.02, 0.3, (copies, 1)).astype(np.float32) / np.float32(np.sqrt(DIM))
    vectors[originals:] = unit(vectors[of] + moved * random.standard_normal((copies, DIM), np.float32))
    index.add(vectors)
    index.optimize()

    start = perf_counter()
    by_vector = pairs_of(near(index, index.ids, vectors.__getitem__, REACH))
    vector_seconds = perf_counter() - start
    known = np.ones(given.count, np.bool_)
    start = perf_counter()
    by_thumb = pairs_of(by_thumbnail(light, known))
    thumb_seconds = perf_counter() - start
    start = perf_counter()
    pairs = pairs_of([by_vector, by_thumb])
    left = plausible(light, known, pairs)
    settled_seconds = perf_counter() - start

    say(f"{given.count:,} pictures, {copies:,} of them copies")
    say(f"by vectors:    {len(by_vector.one):,} pairs in {vector_seconds:.0f} s; {_found(by_vector, of, originals)}")
    say(f"by thumbnails: {len(by_thumb.one):,} pairs in {thumb_seconds:.0f} s; {_found(by_thumb, of, originals)}")
    say(f"thumbnails leave {left.sum():,} of {len(left):,} pairs, in {settled_seconds:.0f} s")
    say(f"together {vector_seconds + thumb_seconds + settled_seconds:.0f} s")


def _found(pairs: Pairs, of: npt.NDArray[np.int64], originals: int) -> str:
    true = set(zip(of.tolist(), range(originals, originals + len(of)), strict=True))
    hit = true & set(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True))
    return f"{len(hit) / len(true):.4f} of the copies"


if __name__ == "__main__":
    main()
