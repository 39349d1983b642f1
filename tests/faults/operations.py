"""What the crash loop does to a collection, over and over: a new verb is one more line of OPERATIONS."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from lookalike.collection import Collection, SyncReport
from tests.faults import pictures, shard
from tests.faults.observe import State

BATCH = 3

Say = Callable[[str, object], None]


@dataclass
class Hand:
    """The process that will be killed: it works on a folder and its collection, and says what it does.

    Attributes:
        state: the pictures in the folder now.
        say: tells the oracle `begin` with what will change, before it does, and `done` once it is acknowledged.
        seed: of the next new picture.
    """

    folder: str
    collection: Collection
    state: State
    dice: random.Random
    say: Say
    seed: int

    def some(self, most: int) -> list[str]:
        """A few files; never all, lest the folder look like a disk that is not mounted."""
        files = sorted(path for path in self.state if not shard.is_inside(path))
        return self.dice.sample(files, min(self.dice.randint(1, most), len(files) - 1))

    def fresh(self) -> str:
        """A path for a new picture."""
        self.seed += 1
        return f"{self.dice.choice(['', '', 'a/', 'a/b/', 'c/'])}{self.seed}.png"

    def put(self, path: str) -> None:
        self.seed += 1
        self.begin({path: self.seed})
        pictures.write(self.at(path), self.seed)
        self.state[path] = self.seed

    def begin(self, changes: dict[str, int | None]) -> None:
        self.say("begin", changes)

    def at(self, path: str) -> str:
        return os.path.join(self.folder, path)

    def sync(self) -> None:
        self.collection.sync(batch=BATCH, retry=self.dice.random() < 0.2)
        self.say("done", None)


def add(hand: Hand) -> None:
    for _ in range(hand.dice.randint(1, 7)):
        hand.put(hand.fresh())
    hand.sync()


def change(hand: Hand) -> None:
    for path in hand.some(3):
        hand.put(path)
    hand.sync()


def remove(hand: Hand) -> None:
    for path in hand.some(4):
        hand.begin({path: None})
        os.unlink(hand.at(path))
        del hand.state[path]
    hand.sync()


def move(hand: Hand) -> None:
    for path in hand.some(3):
        target = hand.fresh()
        hand.begin({path: None, target: hand.state[path]})
        os.makedirs(os.path.dirname(hand.at(target)), exist_ok=True)
        os.rename(hand.at(path), hand.at(target))
        hand.state[target] = hand.state.pop(path)
    hand.sync()


def turn(hand: Hand) -> None:
    """Some pictures change places: each takes the next one's name."""
    paths = hand.some(4)
    seeds = [hand.state[path] for path in paths]
    for path, seed in zip(paths, [*seeds[1:], *seeds[:1]], strict=True):
        hand.begin({path: seed})
        pictures.write(hand.at(path), seed)
        hand.state[path] = seed
    hand.sync()


def copy(hand: Hand) -> None:
    for path in hand.some(2):
        target = hand.fresh()
        hand.begin({target: hand.state[path]})
        pictures.write(hand.at(target), hand.state[path], time=hand.seed)
        hand.state[target] = hand.state[path]
    hand.sync()


def touch(hand: Hand) -> None:
    for path in hand.some(3):
        hand.seed += 1
        pictures.touch(hand.at(path), hand.seed)
    hand.sync()


def repack(hand: Hand) -> None:
    """The archive is written anew: members are new, changed, renamed, swapped, gone, or go to and from files."""
    before = {path: seed for path, seed in hand.state.items() if shard.is_inside(path)}
    after, out = dict(before), {}
    for _ in range(hand.dice.randint(0, 5)):
        path, other = (hand.dice.choice(sorted(after)) for _ in range(2))
        match hand.dice.randrange(6):
            case 0 | 1:
                hand.seed += 1
                after[path if hand.dice.random() < 0.5 else f"{shard.SHARD}/{hand.seed}.png"] = hand.seed
            case 2:
                after[path], after[other] = after[other], after[path]
            case 3:
                hand.seed += 1
                after[f"{shard.SHARD}/a/{hand.seed}.png"] = after.pop(path)
            case 4 if len(after) > 1:
                out[hand.fresh()] = after.pop(path)
            case 5 if len(after) > 1:
                del after[path]
    into = hand.some(2)
    after |= {f"{shard.SHARD}/{path}": hand.state[path] for path in into}
    hand.begin(after | dict.fromkeys(before.keys() - after.keys()) | out | dict.fromkeys(into))
    mixed = hand.dice.sample(sorted(after.items()), len(after))
    shard.write(hand.folder, dict(mixed))
    for path, seed in out.items():
        pictures.write(hand.at(path), seed)
    for path in into:
        os.unlink(hand.at(path))
    gone = before.keys() | set(into)
    hand.state = {path: seed for path, seed in hand.state.items() if path not in gone} | after | out
    hand.sync()


def all_at_once(hand: Hand) -> None:
    """Changes that several operations made, and one sync for them."""
    sync, hand.sync = hand.sync, lambda: None  # type: ignore[method-assign]
    for operation in hand.dice.sample([add, change, remove, move, turn, copy, touch, repack], 3):
        operation(hand)
    hand.sync = sync  # type: ignore[method-assign]
    hand.sync()


def reopen(hand: Hand) -> None:
    """Closing the last connection writes SQLite's WAL back into its file."""
    hand.collection.close()
    hand.collection = Collection.open(hand.collection.place.directory)


def search(hand: Hand) -> None:
    assert len(hand.collection.search(pictures.vector(hand.seed), k=3)) <= 3


def optimize(hand: Hand) -> None:
    hand.collection.optimize()


def verify(hand: Hand) -> None:
    assert Collection.verify(hand.collection.place.directory) == []


def repair(hand: Hand) -> None:
    """There is nothing to mend."""
    report = Collection.repair(hand.collection.place.directory)
    assert (report.done, report.lost, report.kept) == ([], [], len(hand.collection))


class World:
    """What a hand works on: a folder of pictures with an archive among them, and the collection of both."""

    hand: ClassVar[type[Hand]] = Hand

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.directory = os.path.join(folder, ".lookalike")

    @property
    def operations(self) -> list[Callable[[Any], None]]:
        return OPERATIONS

    def begin(self, seed: int) -> None:
        pictures.write(os.path.join(self.folder, "first.png"), seed)
        shard.write(self.folder, {f"{shard.SHARD}/first.png": seed + 1})

    def create(self) -> Collection:
        sources = [self.folder, os.path.join(self.folder, shard.SHARD)]
        return Collection.create(sources, self.directory, model=pictures.MODEL)

    def sync(self, collection: Collection) -> SyncReport:
        return collection.sync(batch=BATCH)

    def state(self) -> State:
        """The pictures in the folder now."""
        state: State = shard.held(self.folder)
        for top, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if name.endswith(".png") and not name.startswith("."):
                    path = os.path.join(top, name)
                    with open(path, "rb") as file:
                        state[os.path.relpath(path, self.folder)] = pictures.seed_of_file(file.read())
        return state

    def to_embed(self, now: State, there: set[int]) -> int:
        """How many pictures a sync embeds, where the contents `there` are known already."""
        return len(set(now.values()) - there)


MANY = [add, add, change, remove, remove, move, turn, copy, touch, repack, repack, all_at_once, optimize]
OPERATIONS: list[Callable[[Hand], None]] = [*MANY, *MANY, reopen, search, verify, repair]
