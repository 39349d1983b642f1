"""Make the SIFT data set: 1,000,000 descriptors × 128, Euclidean.

    python benchmarks/make_sift.py sift.hdf5

Descriptors (Lowe 2004) of Debian's wallpapers by OpenCV, in its own values, 0 to 255. Queries are of motifs that are
not in the base. What is found in one picture is kept in the folder of --work, so an interrupted run goes on.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from making import arguments, progress, say, write
from pictures import Motifs, read, split

BASE, TEST, TUNE = 1_000_000, 10_000, 5_000
LONGEST = 2560
CONTRAST = 0.005
"""OpenCV's own threshold is 0.04; smooth wallpapers have too few points above that."""

Descriptors = npt.NDArray[np.uint8]


def describe(path: Path, kept: Path) -> Descriptors:
    """The descriptors of one picture: (n, 128)."""
    if not kept.exists():
        grey = cv2.cvtColor(np.asarray(read(path, LONGEST)), cv2.COLOR_RGB2GRAY)
        sift: Any = cv2.SIFT_create(contrastThreshold=CONTRAST)  # type: ignore[attr-defined,unused-ignore]
        found = sift.detectAndCompute(grey, None)[1]
        part = kept.with_suffix(".part.npy")
        np.save(part, np.zeros((0, 128), np.uint8) if found is None else found.astype(np.uint8))
        part.rename(kept)
    descriptors: Descriptors = np.load(kept)
    return descriptors


def gather(motifs: Motifs, count: int, work: Path, seed: int) -> npt.NDArray[np.float32]:
    """`count` different descriptors in random order, as evenly from the motifs as their number allows."""
    report, pools = progress(len(motifs)), []
    for done, (name, paths) in enumerate(motifs.items(), 1):
        found = [describe(path, work / f"{zlib.crc32(str(path).encode()):08x}.npy") for path in paths]
        distinct = np.unique(np.concatenate(found), axis=0)
        pools.append(np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(distinct))
        report(done)
    most = even_share([len(pool) for pool in pools], count)
    together = np.unique(np.concatenate([pool[:most] for pool in pools]), axis=0)
    if len(together) < count:
        raise SystemExit(f"expected {count:,} different descriptors; these pictures have {len(together):,}")
    say(f"{sum(map(len, pools)):,} descriptors, at most {most:,} of a motif")
    return np.random.default_rng(seed).permutation(together)[:count].astype(np.float32)


def even_share(sizes: list[int], count: int) -> int:
    """The least number such that the pools, each cut to it, hold 1 % more than `count`."""
    for most in sorted(sizes):
        if sum(min(size, most) for size in sizes) >= 1.01 * count:
            smaller = [size for size in sizes if size < most]
            return -int(-(1.01 * count - sum(smaller)) // (len(sizes) - len(smaller)))
    return max(sizes)


def main() -> None:
    given = arguments(__doc__)
    cv2.setNumThreads(2)
    kept = given.work / "sift"
    kept.mkdir(exist_ok=True)
    parts = split(given.work, given.seed)
    base, test, tune = (gather(p, n, kept, given.seed) for p, n in zip(parts, (BASE, TEST, TUNE), strict=True))
    write(given.output, "euclidean", base, test, tune)


if __name__ == "__main__":
    main()
