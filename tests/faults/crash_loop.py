"""kill -9 at random instants of random operations, with the oracle in another process.

    python -m tests.faults.crash_loop --kills 1000 --seed 1 FOLDER
    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.crash_loop --calls ... FOLDER

An instant is a time, or with `--calls` a call that changes a file, before it or half way through a write: the
time between two such calls matters little, and on a fast disk there is much of it.

A hand (a process) works on a folder's collection and tells the oracle, by a pipe, what it begins and what was
acknowledged. The oracle kills it, and looks: every acknowledged picture is there with its own vector, every
removed one is not, every answer equals brute force, an id never means another content, and at most one batch
of embedded pictures is lost. What was seen once counts as acknowledged from then on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from lookalike.collection import Collection
from lookalike.collection.place import Place
from tests.faults import pictures, shim, vectors
from tests.faults.forked import PATIENCE, be_child, in_fork
from tests.faults.observe import Known, State, observe
from tests.faults.operations import BATCH, World
from tests.faults.shim import How
from tests.faults.vector_operations import VectorWorld

KILLS_OF_A_LIFE = 40  # then a new folder, so that the making of a collection is interrupted as well
KILLS_OF_A_BIRTH = 5  # come sooner
LONGEST = 0.12  # seconds until a kill
LONGEST_WITH_CHILDREN = 2.0  # which take a while to start
SEEDS_OF_A_HAND = 1000
MOST_CALLS = 150  # until a kill


@dataclass
class Heard:
    """What a hand said before it died."""

    known: Known
    unsettled: list[int] = field(default_factory=list)  # embedded since the last acknowledgement
    state: State = field(default_factory=dict)  # the folder, when all that was begun is finished
    idle: bool = True
    failure: str = ""

    def hear(self, line: bytes) -> None:
        what, about = json.loads(line)
        if what == "begin":
            self.idle = False
            pictures.expect(about.values())
            self.known.begin(about)
            self.state = {p: s for p, s in (self.state | about).items() if s is not None}
        elif what == "embedded":
            self.idle = False
            self.unsettled += about
        elif what == "done":
            self.idle = True
            self.unsettled = []
            self.known.settle(self.state)
        else:
            self.failure = about


class Life:
    """One folder from its first picture on, and what is known of its collection."""

    def __init__(self, world: World, dice: random.Random, by_calls: bool, longest: float) -> None:
        self.world = world
        self.folder, self.directory = world.folder, world.directory
        self.longest = longest
        self.dice = dice
        self.by_calls = by_calls
        self.known = Known()
        self.tally: Counter[str] = Counter()
        world.begin(dice.randrange(10**6))

    def kill_once(self, number: int) -> None:
        """Let a hand work for a while, kill it, and look at what it left."""
        before = self.world.state()
        self.known.begin({path: before.get(path) for path in self.known.paths.keys() | before.keys()})
        heard = self.let_work(before, number * SEEDS_OF_A_HAND + 10**6)
        if heard.failure:
            raise AssertionError(f"an operation failed that nothing disturbed:\n{heard.failure}")
        self.tally["kills"] += 1
        self.tally["in mid-operation"] += not heard.idle
        if Place.at(self.directory).exists:
            self.compare(heard.unsettled)
        else:
            self.known.check({}, {})
            self.tally["before there was a catalogue"] += 1

    def compare(self, unsettled: list[int]) -> None:
        """What is there with what is known; half of the times, what a sync makes of it with the folder."""
        now, synced = self.world.state(), self.dice.random() < 0.5
        state, ids, after, embedded = in_fork(lambda: self.look(synced))
        self.known.check(state, ids)
        self.known.settle(state)
        there = set(state.values())
        lost = set(unsettled) - there
        assert len(lost) <= BATCH, f"{len(lost)} embedded pictures were lost, where a batch is {BATCH}"
        self.tally["with a batch to embed again"] += bool(lost)
        self.tally["with a part committed"] += bool(set(unsettled) & there)
        if synced:
            different = dict(after.items() ^ now.items())
            assert not different, f"after a sync the collection differs from the folder: {different}"
            assert embedded == self.world.to_embed(now, there), "what was there was embedded again"
            self.known.settle(now)

    def let_work(self, before: State, seed: int) -> Heard:
        """What a hand said until it was killed."""
        reader, writer = os.pipe()
        dice = random.Random(self.dice.random())
        longest = self.longest / 4 if self.tally["kills"] < KILLS_OF_A_BIRTH else self.longest
        deadline = time.monotonic() + (PATIENCE if self.by_calls else self.dice.uniform(0, longest))
        hand = os.fork()
        if hand == 0:
            os.close(reader)
            self.work(writer, before, dice, seed)
        os.close(writer)
        heard = Heard(self.known, state=dict(before))
        with os.fdopen(reader, "rb") as file:
            while (left := deadline - time.monotonic()) > 0 and select.select([file], [], [], left)[0]:
                if not (line := file.readline()):
                    break
                heard.hear(line)
            os.kill(hand, signal.SIGKILL)
            for line in file:
                if line.endswith(b"\n"):
                    heard.hear(line)
        os.waitpid(hand, 0)
        return heard

    def work(self, writer: int, before: State, dice: random.Random, seed: int) -> None:
        """The life of a hand; it never returns."""

        def say(what: str, about: object) -> None:
            os.write(writer, json.dumps([what, about]).encode() + b"\n")

        def operate() -> None:
            pictures.model.embedded = lambda seeds: say("embedded", seeds)
            if self.by_calls:
                shim.watch(self.folder, dice.choice([How.KILL, How.TORN]), dice.randint(1, MOST_CALLS))
            with self.world.create() as collection:
                hand = self.world.hand(self.folder, collection, before, dice, say, seed)
                while True:
                    dice.choice(self.world.operations)(hand)

        be_child(operate, lambda text: say("failed", text))

    def look(self, sync: bool) -> tuple[State, dict[int, int], State, int]:
        """The state that is found, the seeds of its ids, and what a sync makes of it and embeds."""
        assert Collection.verify(self.directory) == []
        with Collection.open(self.directory) as collection:
            state, ids = observe(collection, self.folder)
            if not sync:
                return state, ids, {}, 0
            report = self.world.sync(collection)
            after, _ = observe(collection, self.folder)
            assert len(os.listdir(collection.place.segments)) == collection.info().segments, "an orphan was left"
        return state, ids, after, report.embedded


def run(place: str, kills: int, seed: int, by_calls: bool, longest: float, world: type[World] = World) -> Counter[str]:
    """So many kills; AssertionError with the seed and the number of the kill where a promise is broken."""
    tally: Counter[str] = Counter()
    life = None
    for number in range(kills):
        if life is None or number % KILLS_OF_A_LIFE == 0:
            folder = os.path.join(place, f"life{number // KILLS_OF_A_LIFE}")
            life = Life(world(folder), random.Random(f"{seed}/{number}"), by_calls, longest)
        try:
            life.kill_once(number)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, kill {number}, in {life.folder}: {error}") from error
        if (number + 1) % KILLS_OF_A_LIFE == 0 or number + 1 == kills:
            tally.update(life.tally)
            shutil.rmtree(life.folder)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", action="store_true", help="kill at a call, not at a time")
    parser.add_argument("--children", action="store_true", help="decode in child processes, as always")
    parser.add_argument("--vectors", action="store_true", help="work on files of vectors")
    parser.add_argument("place")
    given = parser.parse_args()
    pictures.prepare(children=given.children)
    if given.vectors:
        vectors.prepare()
    world = VectorWorld if given.vectors else World
    longest = LONGEST_WITH_CHILDREN if given.children else LONGEST
    tally = run(os.path.realpath(given.place), given.kills, given.seed, given.calls, longest, world)
    json.dump(tally, sys.stdout)


if __name__ == "__main__":
    main()
