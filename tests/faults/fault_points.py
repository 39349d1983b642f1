"""Every call that changes a file, failing in every way.

    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.fault_points --every 1 FOLDER

For each step of the scenario and each N: the N-th call fails, is cut short, or is the last of the process. The
step then ends in success or in a WriteError; what it leaves is old or new for every picture, whole, and the
step, done again, succeeds: in the same process and in another.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter

from lookalike.collection import Collection
from lookalike.errors import WriteError
from tests.faults import pictures, scenario, shim
from tests.faults.command import command
from tests.faults.forked import in_fork, try_in_fork
from tests.faults.observe import observe
from tests.faults.scenario import Stage
from tests.faults.shim import How
from tests.faults.vector_scenario import VectorStage

FAULTS = [How.IO_ERROR, How.FULL, How.SHORT, How.KILL, How.TORN]

SHOWN = 20


def attempt(stage: Stage, how: How, at: int) -> str:
    """Do the step with one fault; what it answered, or "done". Where it failed, it is tried again at once."""
    shim.watch(stage.top, how, at)
    collection: Collection | None = None
    try:
        collection = stage.open()
        stage.step.act(collection)
        collection.close()
    except WriteError as error:
        shim.forget()
        if collection:
            stage.known().check(*observe(collection, stage.pictures))
            if at % 2:  # else a new process tries
                stage.step.act(collection)
                assert observe(collection, stage.pictures)[0] == stage.after
        return f"WriteError: {error}"
    shim.forget()
    assert stage.look() == stage.after, "the step succeeded, and left something else"
    return "done"


def calls_of(stage: Stage) -> int:
    """The calls that the step makes when nothing is in its way."""

    def run() -> int:
        shim.watch(stage.top)
        stage.run()
        counted = shim.count()
        shim.forget()
        return counted

    return int(in_fork(run))


def try_one(stage: Stage, before: str | None, how: How, at: int) -> str:
    """One fault, and a look at what it left."""
    scenario.put(before, stage.index)
    outcome = try_in_fork(lambda: attempt(stage, how, at))
    killed = outcome.signal == signal.SIGKILL and how in (How.KILL, How.TORN)
    assert not outcome.failure, outcome.failure
    assert killed or not outcome.signal, f"ended by {signal.Signals(outcome.signal).name}"
    in_fork(lambda: stage.check(stage.known()))
    return "killed" if killed else str(outcome.value).partition(":")[0]


def run(top: str, every: int, seed: int, of_vectors: bool) -> Counter[str]:
    """One of `every` faults of each step; a tally of what they came to."""
    dice = random.Random(seed)
    tally: Counter[str] = Counter()
    broken: list[str] = []
    before: str | None = None
    for stage in scenario.stages(top, VectorStage if of_vectors else Stage):
        pictures.expect([*stage.before.values(), *stage.after.values()])
        scenario.put(before, stage.index)
        calls = calls_of(stage)
        done = f"{stage.index}.done"
        os.rename(stage.index, done)
        tally["calls"] += calls
        for at in range(1, calls + 1):
            for how in FAULTS:
                if dice.randrange(every):
                    continue
                try:
                    tally[try_one(stage, before, how, at)] += 1
                except AssertionError as error:
                    broken.append(f"{stage.step.name}, call {at} of {calls}, {how.name}: {error}")
                tally["faults"] += 1
        before = done
    assert not broken, f"{len(broken)} of {tally['faults']} faults:\n" + "\n".join(broken[:SHOWN])
    return tally


if __name__ == "__main__":
    command(__doc__, run)
