"""A short life of a collection of vectors, as `scenario` is one of pictures: each step has files of its own."""

from __future__ import annotations

import os

from lookalike.collection import Collection
from tests.faults import vectors
from tests.faults.scenario import Stage, Step


def sync(collection: Collection) -> None:
    """Take the files that lie beside the collection, and bring it up to date with them."""
    index = collection.place.directory
    Collection.create(vectors.files(os.path.join(os.path.dirname(index), "pictures")), index).close()
    collection.sync()


class VectorStage(Stage):
    """The files of one step."""

    steps = (
        Step("make and import", {f"v/{i}": 100 + i for i in range(21)} | {"w/0": 50, "w/1": 51}, sync),
        Step("nothing new", {}, sync),
        Step("change, rename, remove", {"v/0": 200, "v/20": 201, "v/1": None, "v/one": 101, "w/0": None}, sync),
        Step("another file", {f"u/{i}": 130 + i for i in range(4)} | {"v/2": None}, sync),
        Step(
            "all are others", {f"v/{i}": 300 + i for i in range(3, 20)} | {f"v/new{i}": 340 + i for i in range(9)}, sync
        ),
        Step("few changes", {"u/0": 400, "v/3": 401}, sync),
        Step("optimize", {}, Collection.optimize),
        Step("many less", {f"v/{i}": None for i in range(3, 20)}, sync),
    )

    def draw(self) -> None:
        vectors.write(self.pictures, self.after)

    def advance(self, number: int) -> None:
        vectors.write(self.pictures, self.state_after(number + 1))

    def open(self) -> Collection:
        return Collection.create(vectors.files(self.pictures), self.index)
