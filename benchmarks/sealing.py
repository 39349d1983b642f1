"""Memory and time of bringing many vectors into one file, with and without `little_memory`.

    python benchmarks/sealing.py 1000000 128 /where/there/is/room

Vectors are drawn from 1,000 Gaussians and saved in eight files; then, in a process of its own for each way, these are
opened and saved as one. Memory is sampled every 5 ms: *resident* is all that the process holds, *anonymous* what of it
is not the cache of a file.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from lookalike import Index
from making import say

PARTS = 8


class Peaks:
    """The most memory of this process while a block runs, in MB."""

    def __enter__(self) -> Peaks:
        self.resident = self.anonymous = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
            self.resident = max(self.resident, int(fields["VmRSS"].split()[0]) / 1e3)
            self.anonymous = max(self.anonymous, int(fields["RssAnon"].split()[0]) / 1e3)


def make(count: int, dim: int, folder: Path) -> None:
    random = np.random.default_rng(0)
    centres = random.standard_normal((1000, dim), np.float32)
    for i, ids in enumerate(np.array_split(np.arange(count), PARTS)):
        index = Index(dim, "euclidean")
        for some in np.array_split(ids, 1 + len(ids) * dim // 10_000_000):
            noise = random.standard_normal((len(some), dim), np.float32)
            index.add(centres[random.integers(1000, size=len(some))] + 0.5 * noise, some)
        index.save(folder / f"{i}.part")
        say(f"{i + 1} of {PARTS} parts")


def merge(folder: Path, little: bool) -> None:
    index = Index.open(*sorted(folder.glob("*.part")))
    start = time.perf_counter()
    with Peaks() as peaks:
        index.save(folder / "whole", little_memory=little)
    seconds = time.perf_counter() - start
    with open(folder / "whole", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    way = "little memory" if little else "as usual"
    print(f"| {way} | {peaks.resident:,.0f} MB | {peaks.anonymous:,.0f} MB | {seconds:.1f} s | {digest} |", flush=True)


def main() -> None:
    count, dim, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if len(sys.argv) == 5:
        merge(Path(where), sys.argv[4] == "little")
        return
    with tempfile.TemporaryDirectory(dir=where) as folder:
        make(count, dim, Path(folder))
        say(f"{count:,} × {dim}: {count * dim * 4 / 1e6:,.0f} MB of vectors")
        print("| sealing | resident | anonymous | time | SHA-256 of the file |\n|---|---|---|---|---|", flush=True)
        for way in ("usual", "little"):
            subprocess.run([sys.executable, __file__, str(count), str(dim), folder, way], check=True)


if __name__ == "__main__":
    main()
