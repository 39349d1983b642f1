"""Pictures that change places, and a sync that is stopped at every call that changes a file: facts stay with them.

    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.turning --every 1 FOLDER

What a stopped sync leaves says of every picture what was given to it, or does not know it at that path yet; the
next sync brings all of it up to date, and embeds nothing but the new picture.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping

from lookalike.collection import Collection
from lookalike.errors import WriteError
from tests.faults import pictures, shim
from tests.faults.command import command
from tests.faults.fault_points import FAULTS
from tests.faults.forked import in_fork, try_in_fork
from tests.faults.shim import How

BATCH = 2

BEFORE = {f"{i}.png": 100 + i for i in range(7)} | {"a/0.png": 110, "a/1.png": 111}
AFTER = {  # a swap, a swap across folders, a cycle of three, a chain whose first picture is new and whose last is gone
    "0.png": 101, "1.png": 100,
    "2.png": 110, "a/0.png": 102,
    "3.png": 104, "4.png": 105, "5.png": 103,
    "6.png": 200, "a/1.png": 106,
}  # fmt: skip
NEW = 200


class Turning:
    """Two folders of pictures, before and after, and the collection of the first, whose pictures know their seeds."""

    def __init__(self, top: str, sealed: bool) -> None:
        self.top = os.path.join(top, f"sealed{sealed:d}")
        self.whole, self.tried = (os.path.join(self.top, name) for name in ("whole", "tried"))
        pictures.expect([*BEFORE.values(), *AFTER.values()])
        self.draw(self.whole, BEFORE)
        with Collection.create(self.whole, model=pictures.MODEL) as collection:
            collection.sync()
            collection.describe({os.path.join(self.whole, path): {"seed": seed} for path, seed in BEFORE.items()})
            if sealed:
                collection.optimize()

    def draw(self, folder: str, state: Mapping[str, int]) -> None:
        for path, seed in state.items():
            pictures.write(os.path.join(folder, path), seed)

    def lay(self) -> None:
        shutil.rmtree(self.tried, ignore_errors=True)
        shutil.copytree(self.whole, self.tried)
        self.draw(self.tried, AFTER)

    def sync(self) -> int:
        with Collection.open(self.tried) as collection:
            return collection.sync(batch=BATCH).embedded

    def look(self, *, done: bool) -> None:
        """What is said of each picture was said of it, and where all is done, of each."""
        assert Collection.verify(self.tried) == []
        with Collection.open(self.tried) as collection:
            seeds = {path: pictures.seed_of(collection.vector(path)) for path in collection.paths()}
            facts = {path: collection.facts(path).get("seed") for path in seeds}
        assert facts == {path: None if seed == NEW else seed for path, seed in seeds.items()}
        if done:
            assert {os.path.relpath(path, self.tried): seed for path, seed in seeds.items()} == AFTER

    def calls(self) -> int:
        def run() -> int:
            shim.watch(self.tried)
            assert self.sync() == 1
            counted = shim.count()
            shim.forget()
            self.look(done=True)
            return counted

        self.lay()
        return int(in_fork(run))

    def try_one(self, how: How, at: int) -> str:
        def stopped() -> str:
            shim.watch(self.tried, how, at)
            try:
                self.sync()
            except WriteError:
                return "WriteError"
            finally:
                shim.forget()
            return "done"

        def again() -> None:
            self.look(done=False)
            assert self.sync() <= 1, "what only changed places was embedded"
            self.look(done=True)

        self.lay()
        told = try_in_fork(stopped).told
        in_fork(again)
        return told


def run(top: str, every: int, seed: int, of_vectors: bool) -> Counter[str]:
    assert not of_vectors, "expected pictures: what is exchanged here are the names of files"
    dice = random.Random(seed)
    tally: Counter[str] = Counter()
    broken: list[str] = []
    for sealed in (False, True):
        turning = Turning(top, sealed)
        calls = turning.calls()
        tally["calls"] += calls
        for at in range(1, calls + 1):
            for how in FAULTS:
                if not dice.randrange(every):
                    try:
                        tally[turning.try_one(how, at)] += 1
                    except AssertionError as error:
                        broken.append(f"call {at} of {calls}, {how.name}: {error}")
    assert not broken, f"{len(broken)} of {sum(tally.values())}, seed {seed}:\n" + "\n".join(broken[:10])
    return tally


if __name__ == "__main__":
    command(__doc__, run)
