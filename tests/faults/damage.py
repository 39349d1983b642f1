"""Damage in the files of a collection.

    python -m tests.faults.damage --times 10000 FOLDER     so many flips, smears and swaps in each kind of file
    python -m tests.faults.damage --lengths 1 FOLDER       each file cut at every length (or every so-many-th)

Whatever is opened, searched and asked then answers as before or raises NotAnIndexError or DamagedError, and no
process ends by a signal. What is refused is found by verify, and mended by repair and a sync.

One thing is no damage to SQLite: a WAL whose end is broken reads like one whose last write was cut short by a
crash, so the transactions from there on are gone, all of them; what is left is a state that was committed earlier.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import ClassVar

from lookalike.collection import Collection
from lookalike.errors import DamagedError, ModelError, NotAnIndexError
from tests.faults import pictures, vectors
from tests.faults.forked import in_fork
from tests.faults.observe import State, observe
from tests.segment_files import undigested

IN_A_FORK = 25  # damages; one that kills its process is found among them
PAGE = 4096
SHOWN = 20

Damage = Callable[[bytes, random.Random], bytes]


def flip(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def smear(data: bytes, dice: random.Random) -> bytes:
    at, length = dice.randrange(len(data)), dice.randint(1, 200)
    return (data[:at] + dice.randbytes(length) + data[at + length :])[: len(data)]


def zero(data: bytes, dice: random.Random) -> bytes:
    at, length = dice.randrange(len(data)), dice.choice([1, 16, 512, PAGE])
    return (data[:at] + bytes(length) + data[at + length :])[: len(data)]


def misplace(data: bytes, dice: random.Random) -> bytes:
    """A page where another was."""
    to, of = (dice.randrange(-(-len(data) // PAGE)) * PAGE for _ in range(2))
    return (data[:to] + data[of : of + PAGE] + data[to + PAGE :])[: len(data)]


KINDS: list[Damage] = [flip, flip, smear, zero, misplace]


class Victim:
    """A collection and all that it may answer; `killed` as a kill leaves it, its last changes in the WAL.

    Attributes:
        away: files below the folder of pictures that may be away while it is mended.
    """

    away: ClassVar[Sequence[str]] = ("0.png", "1.png", "50.png")

    def __init__(self, top: str, killed: bool) -> None:
        self.killed = killed
        self.folder = os.path.join(top, "pictures")
        self.index = os.path.join(top, "index")
        self.whole = os.path.join(top, "whole")
        self.states: list[State] = [{}]  # that were committed, in order
        self.begin()
        self.states += in_fork(self.make)
        pictures.expect(range(100))
        self.files = sorted(
            os.path.relpath(os.path.join(at, name), self.whole)
            for at, _, names in os.walk(self.whole)
            for name in names
            if name.startswith("catalogue.sqlite") or name.endswith(".segment")
            if not name.endswith("-shm")
        )

    def begin(self) -> None:
        for seed in range(40):
            pictures.write(os.path.join(self.folder, f"{seed}.png"), seed)

    def create(self) -> Collection:
        return Collection.create(self.folder, self.index, model=pictures.MODEL)

    def change(self, seed: int | None) -> None:
        """Add this one, or remove one."""
        if seed:
            pictures.write(os.path.join(self.folder, f"{seed}.png"), seed)
        else:
            os.unlink(os.path.join(self.folder, "11.png"))

    def is_known(self, collection: Collection) -> bool:
        """Whether it says what it is a collection of."""
        return collection.model.name == pictures.MODEL

    def make(self) -> list[State]:
        """Index, change and copy it in mid-flight, as a kill would leave it."""
        states = []
        with self.create() as collection:
            collection.sync()
            collection.describe({path: {"name": os.path.basename(path)} for path in collection.paths()})
            states.append(observe(collection, self.folder)[0])
        with Collection.open(self.index) as collection:
            for seed in (50, 51, None, 52):  # each is one transaction
                self.change(seed)
                collection.sync()
                states.append(observe(collection, self.folder)[0])
            if self.killed:
                self.keep()
        if not self.killed:
            self.keep()
        return states

    def keep(self) -> None:
        shutil.copytree(self.index, self.whole, ignore=shutil.ignore_patterns("*-shm"))

    def ask(self) -> State | None:
        """What the collection answers, or None where it is refused."""
        try:
            with Collection.open(self.index) as collection:
                state, _ = observe(collection, self.folder)
                for path in collection.paths()[:3]:
                    if os.path.exists(path):
                        assert len(collection.search(path, k=3)) == 3
                return state
        except (DamagedError, NotAnIndexError) as error:
            if self.index not in str(error):
                raise AssertionError("an error that names no file") from error
            return None

    def mend(self) -> bool:
        """Whether what is damaged is found and mended; not where nothing says what it was."""
        try:
            assert Collection.verify(self.index), "what was refused is found to be well"
            Collection.repair(self.index)
            with Collection.open(self.index) as collection:
                if not self.is_known(collection):
                    return False  # the row that says so was lost
                collection.sync()
                assert observe(collection, self.folder)[0] == self.states[-1], "mended into something else"
        except (NotAnIndexError, ModelError):
            return False
        return True

    def kind_of(self, name: str) -> str:
        """What is counted together."""
        if name.endswith("-wal"):
            return "wal"
        return ("catalogue" if name.endswith(".sqlite") else "segment") + (" beside a wal" if self.killed else "")

    def is_right(self, name: str, state: State) -> bool:
        """The last state; where the WAL is damaged, an earlier one."""
        return state in self.states[1:] if name.endswith("-wal") else state == self.states[-1]

    def damaged(self, name: str, data: bytes) -> str:
        """Put it there with one file damaged, and ask; what came of it."""
        shutil.rmtree(self.index, ignore_errors=True)
        shutil.copytree(self.whole, self.index)
        with open(os.path.join(self.index, name), "wb") as file:
            file.write(data)
        state = self.ask()
        assert state is None or self.is_right(name, state), f"silently wrong: {state}"
        return "harmless" if state else "mended" if self.mend() else "beyond repair"


class VectorVictim(Victim):
    """A collection of vectors in two files."""

    away: ClassVar[Sequence[str]] = ()

    def begin(self) -> None:
        self.rows = {f"{'vw'[seed > 30]}/{seed}": seed for seed in range(40)}
        vectors.write(self.folder, self.rows)

    def create(self) -> Collection:
        return Collection.create(vectors.files(self.folder), self.index)

    def change(self, seed: int | None) -> None:
        self.rows = self.rows | ({f"v/{seed}": seed} if seed else {})
        if not seed:
            del self.rows["v/11"]
        vectors.write(self.folder, self.rows)

    def is_known(self, collection: Collection) -> bool:
        return collection.things == "vectors"


def damages(victim: Victim, name: str, times: int, dice: random.Random) -> Iterator[bytes]:
    with open(os.path.join(victim.whole, name), "rb") as file:
        data = file.read()
    for _ in range(times):
        yield dice.choice(KINDS)(data, dice)


def lengths(victim: Victim, name: str, every: int) -> Iterator[bytes]:
    with open(os.path.join(victim.whole, name), "rb") as file:
        data = file.read()
    pages = range(0, len(data), -(-every // PAGE) * PAGE)
    near = {at + by for at in pages for by in (-1, 0, 1)} if every > 1 else set()
    for length in sorted({*range(0, len(data), every), *near}):
        if 0 <= length < len(data):
            yield data[:length]


def run(victim: Victim, name: str, given: Iterator[bytes], counted: str, broken: list[str]) -> Counter[str]:
    """Each damage of one file, many in a fork; what was `broken` by one is told in the end."""
    tally: Counter[str] = Counter()
    while some := list(islice(given, IN_A_FORK)):
        ends: list[str] = []
        try:
            ends = in_fork(lambda some=some: [victim.damaged(name, data) for data in some])  # type: ignore[misc]
        except AssertionError as error:
            broken.append(f"{name}, one of the {IN_A_FORK} damages from {tally[counted]} on: {error}")
        tally.update([counted] * len(some) + [f"{counted}, {end}" for end in ends])
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--lengths", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectors", action="store_true", help="of collections of vectors")
    parser.add_argument("top")
    given = parser.parse_args()
    pictures.prepare()
    if given.vectors:
        vectors.prepare()
    tally: Counter[str] = Counter()
    broken: list[str] = []
    for killed in (False, True):
        victim = (VectorVictim if given.vectors else Victim)(
            os.path.join(os.path.realpath(given.top), f"killed{killed:d}"), killed
        )
        kinds = Counter(map(victim.kind_of, victim.files))
        for name in victim.files:
            kind = victim.kind_of(name)
            if given.times:
                dice = random.Random(f"{given.seed}/{undigested(name)}")
                tally += run(victim, name, damages(victim, name, given.times // kinds[kind], dice), kind, broken)
            if given.lengths:
                tally += run(victim, name, lengths(victim, name, given.lengths), "lengths", broken)
    assert not broken, f"seed {given.seed}, {len(broken)} times:\n" + "\n".join(broken[:SHOWN])
    json.dump(tally, sys.stdout)


if __name__ == "__main__":
    main()
