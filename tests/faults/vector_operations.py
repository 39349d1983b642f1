"""What the crash loop does to a collection of vectors, as `operations` does to one of pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from lookalike.collection import Collection, SyncReport
from tests.faults import operations, vectors
from tests.faults.observe import State
from tests.faults.operations import Hand, World

MOST = 30  # rows that are added at once: of several blocks


class VectorHand(Hand):
    """The state is that of all files, whose rows are in its order."""

    def fresh(self) -> str:
        """A name for a new vector, mostly in a file that is there."""
        self.seed += 1
        return f"{self.dice.choice('vvvvw')}/{self.seed}"

    def change(self, changes: dict[str, int | None]) -> None:
        """Of the rows; a file keeps one at least, for one that is gone keeps all of them."""
        left = {name.partition("/")[0] for name in self.state.keys() - changes.keys()}
        changes = {name: seed for name, seed in changes.items() if seed is not None or name.partition("/")[0] in left}
        self.begin(changes)
        self.state = {name: seed for name, seed in (self.state | changes).items() if seed is not None}
        vectors.write(self.folder, self.state)

    def sync(self) -> None:
        Collection.create(vectors.files(self.folder), self.collection.place.directory).close()
        self.collection.sync(retry=self.dice.random() < 0.2)
        self.say("done", None)


def add(hand: VectorHand) -> None:
    hand.change({hand.fresh(): hand.seed for _ in range(hand.dice.randint(1, MOST))})
    hand.sync()


def change(hand: VectorHand) -> None:
    for name in hand.some(MOST):
        hand.seed += 1
        hand.change({name: hand.seed})
    hand.sync()


def remove(hand: VectorHand) -> None:
    hand.change(dict.fromkeys(hand.some(MOST)))
    hand.sync()


def rename(hand: VectorHand) -> None:
    for name in hand.some(3):
        hand.change({hand.fresh(): hand.state[name]})
        hand.change({name: None})
    hand.sync()


def turn(hand: VectorHand) -> None:
    """Some names change places."""
    names = hand.some(9)
    seeds = [hand.state[name] for name in names]
    hand.change(dict(zip(names, [*seeds[1:], *seeds[:1]], strict=True)))
    hand.sync()


def reorder(hand: VectorHand) -> None:
    rows = list(hand.state.items())
    hand.dice.shuffle(rows)
    hand.state = dict(rows)
    hand.change({})
    hand.sync()


def touch(hand: VectorHand) -> None:
    hand.seed += 1
    hand.begin({})
    vectors.write(hand.folder, hand.state, time=hand.seed)
    hand.sync()


MANY = [add, add, add, change, change, remove, rename, turn, reorder, touch, operations.optimize]
OPERATIONS: list[Callable[[Any], None]] = [
    *MANY,
    *MANY,
    operations.reopen,
    operations.search,
    operations.verify,
    operations.repair,
]


class VectorWorld(World):
    """A folder of files of vectors, and a collection of them in it."""

    hand: ClassVar[type[Hand]] = VectorHand

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.directory = os.path.join(folder, "index")

    @property
    def operations(self) -> list[Callable[[Any], None]]:
        return OPERATIONS

    def begin(self, seed: int) -> None:
        vectors.write(self.folder, {f"v/{i}": seed + i for i in range(MOST)})

    def create(self) -> Collection:
        return Collection.create(vectors.files(self.folder), self.directory)

    def sync(self, collection: Collection) -> SyncReport:
        Collection.create(vectors.files(self.folder), self.directory).close()
        return collection.sync()

    def state(self) -> State:
        return vectors.read(self.folder)

    def to_embed(self, now: State, there: set[int]) -> int:
        return 0
