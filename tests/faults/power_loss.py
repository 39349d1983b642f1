"""A loss of power after every recorded call.

    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.power_loss --every 1 FOLDER

The scenario is run once and every write, sync, rename and unlink recorded, with marks where a step begins and
where it is acknowledged. Then every beginning of the record is played to a disk (see disk.py) that loses what
was not synced, in several ways; what is left is opened: everything acknowledged before is there, what was
removed is not, and the step, done again, succeeds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from contextlib import ExitStack

from tests.faults import scenario, shim
from tests.faults.command import command
from tests.faults.disk import Disk, Kept, replay
from tests.faults.forked import in_fork
from tests.faults.observe import Known
from tests.faults.scenario import Stage
from tests.faults.shim import What
from tests.faults.vector_scenario import VectorStage

WAYS = [
    (Kept.NONE, Kept.NONE),
    (Kept.NONE, Kept.ALL),
    (Kept.ALL, Kept.NONE),
    (Kept.SOME, Kept.SOME),
    (Kept.SOME, Kept.SOME),
    (Kept.SOME, Kept.ALL),
]
"""What survives of contents and names."""

AFTER_SYNCS = 50  # times as many are tried of plain losses after a sync
WITHOUT_CATALOGUE = 10  # after one of so many losses the catalogue is lost, too


def record(live: str, path: str, reopened: bool, kind: type[Stage] = Stage) -> None:
    """Run the scenario in the folder `live`, by one process that opens the collection once or for each step."""
    place = kind(live, 0)
    place.top = live
    to = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with ExitStack() as opened:
        collection = None
        for number, step in enumerate(kind.steps):
            place.advance(number)
            shim.mark(to, {"begin": number})
            shim.watch(live, record=to)
            if collection is None:
                collection = opened.enter_context(place.open())
            step.act(collection)
            shim.mark(to, {"done": number})
            if reopened:
                collection.close()
                collection = None
            shim.forget()
    os.close(to)


class Losses:
    """The record of one run, and what was tried of it."""

    def __init__(self, top: str, live: str, path: str, dice: random.Random, kind: type[Stage]) -> None:
        self.stages = scenario.stages(top, kind)
        self.records = list(shim.read(path))
        self.live = live
        self.dice = dice
        self.tally: Counter[str] = Counter({"calls": len(self.records)})
        self.broken: list[str] = []
        self._disk = Disk(live)
        self._stage = self.stages[0]
        self._known = Known()

    def try_all(self, every: int) -> None:
        """Lose the power after calls in all ways; one in `every` is tried, after a sync in the first way more."""
        for at, call in enumerate(replay(self.records, self._disk)):
            if call.what == What.MARK:
                self._hear(json.loads(call.data))
            for way, (contents, names) in enumerate(WAYS):
                synced = call.what in (What.SYNC, What.MARK) and way == 0
                if not self.dice.randrange(max(1, every // AFTER_SYNCS) if synced else every):
                    self._lose(
                        f"{self._stage.step.name}, after call {at} ({call.what.name} of {call.path})", contents, names
                    )

    def _hear(self, mark: dict[str, int]) -> None:
        if "begin" in mark:
            self._stage = self.stages[mark["begin"]]
            self._known = self._stage.known()
        else:
            self._known = Known()
            self._known.settle(self._stage.after)

    def _lose(self, when: str, contents: Kept, names: Kept) -> None:
        stage, lost = self._stage, f"{self._stage.top}/lost"
        self._disk.survives(lost, contents, names, self.dice)
        shutil.rmtree(stage.index, ignore_errors=True)
        if os.path.exists(f"{lost}/index"):
            os.rename(f"{lost}/index", stage.index)
        shutil.rmtree(lost)
        self.tally["losses"] += 1
        try:
            lose = self.tally["losses"] % WITHOUT_CATALOGUE == 0
            state = in_fork(lambda: stage.check(self._known, without_catalogue=lose))
            self.tally[
                "left as new" if state == stage.after else "left as old" if state == stage.before else "left between"
            ] += 1
        except AssertionError as error:
            self.broken.append(f"{when}, kept of contents {contents.value}, of names {names.value}: {error}")


def run(top: str, every: int, seed: int, of_vectors: bool) -> Counter[str]:
    """Both recordings; AssertionError with what was broken."""
    tally: Counter[str] = Counter()
    kind = VectorStage if of_vectors else Stage
    for reopened in (False, True):
        live, path = f"{top}/live{reopened:d}", f"{top}/record{reopened:d}"
        os.makedirs(live)
        in_fork(lambda live=live, path=path, reopened=reopened: record(live, path, reopened, kind))  # type: ignore[misc]
        losses = Losses(f"{top}/tried{reopened:d}", live, path, random.Random(f"{seed}/{reopened}"), kind)
        losses.try_all(every)
        tally += losses.tally
        assert not losses.broken, f"{len(losses.broken)} losses, seed {seed}:\n" + "\n".join(losses.broken[:20])
    return tally


if __name__ == "__main__":
    command(__doc__, run)
