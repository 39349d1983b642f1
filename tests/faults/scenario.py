"""A short life of a collection, step by step: made, sealed, changed, sealed again.

Each step has a folder of its own with the pictures as they are then, and beside them the place of the
collection, into which a state is put to be tried: paths in a catalogue are relative, so it may be moved.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from lookalike.collection import Collection
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.errors import DamagedError
from tests.faults import pictures, shard
from tests.faults.observe import Known, State, observe

BATCH = 3

Changes = Mapping[str, int | None]


def sync(collection: Collection) -> None:
    collection.sync(batch=BATCH)


def sync_with_archive(collection: Collection) -> None:
    """Let the archive among the pictures be a source, too."""
    (folder, *_) = (root for root in collection.info().roots if os.path.isdir(root))
    Collection.create(os.path.join(folder, shard.SHARD), collection.place.directory).close()
    sync(collection)


def give_facts(collection: Collection) -> None:
    collection.describe({path: {"name": os.path.basename(path)} for path in collection.paths()})


@dataclass(frozen=True)
class Step:
    """Pictures that change, and what is then done with the collection."""

    name: str
    changes: Changes
    act: Callable[[Collection], None] = sync


STEPS = [
    Step("create, sync, seal", {f"{i}.png": 100 + i for i in range(7)} | {"a/7.png": 107, "a/copy.png": 101}),
    Step("one more, pending", {"8.png": 108}),
    Step("nothing new", {}),
    Step("change, move, remove", {"0.png": 200, "1.png": None, "b/moved.png": 101, "2.png": None}),
    Step("change places", {"3.png": 104, "4.png": 105, "5.png": 103, "6.png": 107, "a/7.png": None}),
    Step("many more, seal again", {f"b/{i}.png": 110 + i for i in range(8)}),
    Step("optimize", {}, Collection.optimize),
    Step("facts", {}, give_facts),
    Step("many less, seal again", {"3.png": None, "8.png": 300, **{f"b/{i}.png": None for i in range(6)}}),
    Step(
        "an archive, into which a picture moved, with a copy",
        {"5.png": None, **{f"shard.tar/{i}.png": seed for i, seed in enumerate([103, 300, 401, 402, 403, 404])}},
        sync_with_archive,
    ),
    Step(
        "the archive is another",  # a member moves out, others change places, one is renamed, changed, gone, new
        {
            "5.png": 103,
            "shard.tar/0.png": None,
            "shard.tar/1.png": 401,
            "shard.tar/2.png": 300,
            "shard.tar/3.png": None,
            "shard.tar/renamed.png": 402,
            "shard.tar/4.png": 405,
            "shard.tar/5.png": None,
            "shard.tar/6.png": 406,
        },
    ),
]


class Stage:
    """The folder of one step."""

    steps: ClassVar[Sequence[Step]] = STEPS

    def __init__(self, top: str, number: int) -> None:
        self.step = self.steps[number]
        self.top = os.path.join(top, f"step{number}")
        self.before, self.after = self.state_after(number), self.state_after(number + 1)

    @classmethod
    def state_after(cls, steps: int) -> State:
        """The pictures that are there after the first so many steps."""
        state: dict[str, int | None] = {}
        for step in cls.steps[:steps]:
            state |= step.changes
        return {path: seed for path, seed in state.items() if seed is not None}

    @property
    def pictures(self) -> str:
        return os.path.join(self.top, "pictures")

    @property
    def index(self) -> str:
        return os.path.join(self.top, "index")

    def known(self) -> Known:
        """What may be in the collection while the step is done."""
        known = Known()
        known.settle(self.before)
        known.begin(self.step.changes)
        return known

    def draw(self) -> None:
        """Put the pictures there."""
        draw(self.pictures, dict(self.after))

    def advance(self, number: int) -> None:
        """Change the pictures of the step before that of this number into its own."""
        draw(self.pictures, self.steps[number].changes)

    def run(self) -> None:
        """Do the step as a process of its own would."""
        with self.open() as collection:
            self.step.act(collection)

    def open(self) -> Collection:
        return Collection.create(self.pictures, self.index, model=pictures.MODEL)

    def look(self) -> State:
        """What the collection that lies there holds; nothing where there is none."""
        if not Place.at(self.index).exists:
            return {}
        assert Collection.verify(self.index) == []
        with Collection.open(self.index) as collection:
            return observe(collection, self.pictures)[0]

    def check(self, known: Known, *, without_catalogue: bool = True) -> State:
        """What lies there may be there, and the step, done again, succeeds; also where the catalogue is lost, too."""
        pictures.expect(self.before.values())
        pictures.expect(self.after.values())
        state = self.look()
        known.check(state, {})
        if without_catalogue:
            self.check_without_catalogue()
        self.run()
        assert self.look() == self.after, "the step, done again, did not bring the collection up to date"
        with Collection.open(self.index) as collection:
            collection.sync()  # which sweeps what a killed process left
            named = collection.info().segments
            assert len(os.listdir(collection.place.segments)) == named, "a file was left that no catalogue names"
            rows = [name for name in os.listdir(collection.place.rows) if name != kept.FACTS]
            assert len(rows) == named, f"what is kept of {named} segments: {rows}"
        return state

    def check_without_catalogue(self) -> None:
        """Where its catalogue is lost, too, one is made of what is kept, and the step brings it up to date."""
        if not Place.at(self.index).exists:
            return
        whole = f"{self.index}.whole"
        shutil.copytree(self.index, whole)
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{Place.at(self.index).catalogue}{ending}")
        if Place.at(self.index).has_lost_catalogue:
            try:
                Collection.repair(self.index)
            except DamagedError as error:
                if "in the catalogue alone" not in str(error):  # as where nothing was kept yet
                    raise
            else:
                assert Collection.verify(self.index) == []
                self.run()
                assert self.look() == self.after, "the catalogue was lost, and what was kept did not make up for it"
        put(whole, self.index)
        shutil.rmtree(whole)


def draw(folder: str, changes: Changes) -> None:
    """Change the pictures in a folder; the file of a path and seed has the same time wherever it lies."""
    inside = {path: seed for path, seed in changes.items() if shard.is_inside(path)}
    if inside:
        members = shard.held(folder) | inside
        shard.write(folder, {path: seed for path, seed in members.items() if seed is not None})
    for path, seed in changes.items():
        if path in inside:
            continue
        where = os.path.join(folder, path)
        if seed is None:
            os.unlink(where)
        else:
            pictures.write(where, seed)


def stages(top: str, kind: type[Stage] = Stage) -> list[Stage]:
    """The folders of all steps, with their pictures."""
    made = [kind(top, number) for number in range(len(kind.steps))]
    for stage in made:
        stage.draw()
    return made


def put(state: str | None, place: str) -> None:
    """Let `place` hold a copy of the folder `state`, or nothing."""
    shutil.rmtree(place, ignore_errors=True)
    if state:
        shutil.copytree(state, place)
