"""A change of the model that is stopped at every call that changes a file: the old model answers, or the new one does.

    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.remodelling --every 1 FOLDER

What a stopped change leaves is whole: all vectors are of one model, with the ids and facts that there were. Pictures
that come and go then are handled, and the same command goes on and ends.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import Collection, embedding
from lookalike.collection.sealed import segments
from lookalike.errors import WriteError
from lookalike.models import Input, register
from tests.faults import pictures, shim
from tests.faults.command import command
from tests.faults.fault_points import FAULTS
from tests.faults.forked import in_fork, try_in_fork
from tests.faults.shim import How

SEEDS = {f"{i}.png": 100 + i for i in range(9)} | {"copy of 3.png": 103}
GONE, NEW = "4.png", "new.png"


class Turned:
    """The tiles in another order, so that no vector is one of the other model's; and some of them alone."""

    input = Input(pictures.SIDE, "squeeze")

    def __init__(self, dim: int) -> None:
        self.name = self.hash = f"turned {dim}"
        self.dim = dim

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = pictures.model.embed(batch)[:, ::-1][:, : self.dim]
        return vectors


class Remodelling:
    """A folder, and its collection by the tiles, to be changed to another model."""

    def __init__(self, top: str, sealed: bool) -> None:
        self.top = os.path.join(top, f"sealed{sealed:d}")
        self.whole, self.tried = (os.path.join(self.top, name) for name in ("whole", "tried"))
        self.model = Turned(pictures.DIM if sealed else 12)
        register(self.model.name, lambda: self.model)
        pictures.expect([*SEEDS.values(), 200])
        for path, seed in SEEDS.items():
            pictures.write(os.path.join(self.whole, path), seed)
        with Collection.create(self.whole, model=pictures.MODEL) as collection:
            collection.sync()
            collection.describe({os.path.join(self.whole, path): {"seed": seed} for path, seed in SEEDS.items()})
            if sealed:
                collection.optimize()
            self.ids = self.ids_of(collection)

    def ids_of(self, collection: Collection) -> dict[str, int]:
        return collection.examine(
            lambda index, items: {os.fsdecode(item.path): item.id for item in items if item.id in index}
        )

    def lay(self) -> None:
        shutil.rmtree(self.tried, ignore_errors=True)
        shutil.copytree(self.whole, self.tried)

    def change(self) -> bool:
        return Collection.change_model(self.tried, self.model.name).changed

    def look(self, seeds: dict[str, int]) -> bool:
        """Whether the new model answers; all is as one of the two models makes it, and as it was given."""
        assert Collection.verify(self.tried) == []
        with Collection.open(self.tried) as collection:
            changed = collection.info().model == self.model.name
            ids = self.ids_of(collection)
            for path, seed in seeds.items():
                expected = pictures.vector(seed)
                if changed:
                    expected = expected[::-1][: self.model.dim]
                full = os.path.join(self.tried, path)
                assert (collection.vector(full) == expected).all(), f"{path} has another vector"
                assert path == NEW or ids[path] == self.ids[path]
                assert path == NEW or collection.facts(full)["seed"] == seed
            assert ids.keys() == seeds.keys()
            found = collection.search(np.ones(collection.model.dim), k=20)
            assert len(found) == len(seeds)
        return changed

    def calls(self) -> int:
        def run() -> int:
            shim.watch(self.tried)
            assert self.change()
            counted = shim.count()
            shim.forget()
            assert self.look(SEEDS)
            return counted

        self.lay()
        return int(in_fork(run))

    def try_one(self, how: How, at: int) -> str:
        def stopped() -> str:
            shim.watch(self.tried, how, at)
            try:
                self.change()
            except WriteError:
                return "WriteError"
            finally:
                shim.forget()
            return "done"

        def again() -> None:
            changed = self.look(SEEDS)
            os.unlink(os.path.join(self.tried, GONE))
            pictures.write(os.path.join(self.tried, NEW), 200)
            with Collection.open(self.tried) as collection:
                assert collection.sync().new == 1
            seeds = {path: seed for path, seed in SEEDS.items() if path != GONE} | {NEW: 200}
            assert self.look(seeds) == changed
            assert self.change() == (not changed)
            assert self.look(seeds)
            with Collection.open(self.tried) as collection:
                report = collection.sync()
                assert (report.embedded, report.unchanged) == (0, len(seeds))
            names = os.listdir(os.path.join(self.tried, ".lookalike", "segments"))
            assert len(names) == collection_segments(self.tried), f"files that nobody needs: {names}"

        self.lay()
        told = try_in_fork(stopped).told
        in_fork(again)
        return told


def collection_segments(folder: str) -> int:
    with Collection.open(folder) as collection:
        return collection.info().segments


def run(top: str, every: int, seed: int, of_vectors: bool) -> Counter[str]:
    assert not of_vectors, "expected pictures: what came from files has no model"
    embedding.BATCH, segments.MOST_PENDING = 2, 4
    dice = random.Random(seed)
    tally: Counter[str] = Counter()
    broken: list[str] = []
    for sealed in (False, True):
        one = Remodelling(top, sealed)
        calls = one.calls()
        tally["calls"] += calls
        for at in range(1, calls + 1):
            for how in FAULTS:
                if not dice.randrange(every):
                    try:
                        tally[one.try_one(how, at)] += 1
                    except AssertionError as error:
                        broken.append(f"call {at} of {calls}, {how.name}: {error}")
    assert not broken, f"{len(broken)} of {sum(tally.values())}, seed {seed}:\n" + "\n".join(broken[:10])
    return tally


if __name__ == "__main__":
    command(__doc__, run)
