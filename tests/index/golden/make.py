"""Writes the golden file of the format's current version; run once for each version, never for an old one.

python tests/index/golden/make.py
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from lookalike import Index

VERSION = 3
FOLDER = os.path.dirname(os.path.abspath(__file__))
NOTE = {"made by": "tests/index/golden/make.py", "model": "none"}
COPIES = np.array([300, 301, 400])  # in the file "coded"
REMOVED_LAST = 500  # the largest id ever used


def vectors() -> NDArray[np.float32]:
    """(40, 4), small whole numbers, no two the same, none zero."""
    n = np.arange(40)
    return np.stack([n - 20, n * n % 17 - 8, n % 3 + 1, n * 7 % 11 - 5], axis=1).astype(np.float32)


def ids() -> NDArray[np.int64]:
    return np.arange(40, dtype=np.int64) * 7 % 41 + 100


def main() -> None:
    indexes = {
        "scanned": Index(4, "euclidean", seed=9),
        "hashed": Index(4, "cosine", seed=9, buckets=6),
        "coded": Index(4, "cosine", seed=9, buckets=6, family="hyperplanes", tables=2),
    }
    for name, index in indexes.items():
        index.add(vectors(), ids())
        if name == "coded":
            index.add(vectors()[:3], COPIES)
        index.add(vectors()[0], REMOVED_LAST)
        index.remove(REMOVED_LAST)
        index.save(os.path.join(FOLDER, f"v{VERSION}-{name}.segment"), note=NOTE)


if __name__ == "__main__":
    main()
