"""One size, measured in processes of its own, so that each has its own memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lookalike.bench import memory
from making import say
from scale.figures import Built, Limited, Opened, Phase, Searched, Size
from scale.limited import CannotLimitError, limited
from scale.others import Others
from scale.searching import Work
from scale.series import Series, neighbors

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEAST = 100e6
"""Bytes: a process with less memory has hardly room for Python itself."""


class WorkerError(Exception):
    """A process that did not do what it was started for; the sentence says how it ended."""


@dataclass(frozen=True)
class How:
    """How to measure: `queries` of each size, with their k neighbours; `memory` is bytes that building may take."""

    queries: int
    k: int
    rounds: int
    processor: bool
    memory: int


def measure(series: Series, count: int, how: How, folder: str, limit: int | None) -> Size:
    """Everything of one size. With a `limit`, in bytes, also what a process finds that has no more memory than that.

    Raises:
        WorkerError: one of its processes failed.
    """
    about = neighbors(series, count, how.queries, how.k, folder)
    place = os.path.join(folder, "index")
    shutil.rmtree(place, ignore_errors=True)  # of a run that was killed
    os.mkdir(place)
    plan = how.k, how.rounds, how.processor
    index = os.path.join(place, "index")
    work = Work(series.base, count, series.distance, series.queries, about, index, how.memory, *plan)
    others = Others()
    try:
        found: dict[str, Any] = {}
        for task in ("pair", "build", "opened"):
            say(f"{series.name}, {count:,}: {TASKS[task]}")
            found |= _ask(task, work)
        held, why = (None, "") if limit is None else _limited(work, limit)
        share = others.share()
    finally:
        shutil.rmtree(place)
    return Size(
        series=series.name,
        synthetic=series.synthetic,
        count=count,
        dim=work.vectors.shape[1],
        pair=found["pair"],
        built=Built(**found["built"]),
        in_memory=found["in_memory"] and Searched(**found["in_memory"]),
        opened=Opened(**found["opened"]),
        mapped=Searched(**found["mapped"]),
        limited=held,
        unlimited=why,
        others=share,
    )


TASKS = {
    "pair": "one pair at a time",
    "build": "is built",
    "opened": "is opened and searched",
    "limited": "is searched with less memory than its vectors take",
}


def _limited(work: Work, limit: int) -> tuple[Limited | None, str]:
    """What was measured, or why nothing was."""
    if limit < LEAST:
        return None, f"{limit / 1e6:,.0f} MB of memory are too few for a process, which takes {LEAST / 1e6:,.0f} MB"
    say(f"{work.count:,}: {TASKS['limited']}")
    try:
        with limited(limit) as bound:
            found = _ask("limited", work, bound.prefix)
    except (CannotLimitError, WorkerError) as error:
        return None, str(error)
    phases = {name: Phase(**found[name]) for name in ("cold", "between", "later")}
    for name, (first, ids) in found["ids"].items():
        phases[name] = replace(phases[name], found=work.recall(np.array(ids, np.int64), first))
    return Limited(bound.by, limit, found["used"], **phases), ""


def _ask(task: str, work: Work, prefix: Sequence[str] = ()) -> dict[str, Any]:
    command = [*prefix, sys.executable, "-m", "scale.worker", task]
    path = os.pathsep.join(filter(None, [HOME, os.environ.get("PYTHONPATH")]))
    asked = json.dumps(asdict(work))
    done = subprocess.run(
        command, input=asked, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}, check=False
    )
    if done.returncode:
        raise WorkerError(f"{work.count:,}, {task}: {memory.ending(done.returncode, 0)}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
