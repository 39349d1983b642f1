"""A whole run: each competitor in turn. What is finished is kept: interrupted, the same run goes on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from lookalike.bench import answers, handed
from lookalike.bench.child import Work
from lookalike.bench.competitors import OURS
from lookalike.bench.datasets import Dataset
from lookalike.bench.given import fingerprint
from lookalike.bench.machine import machine, software
from lookalike.bench.process import Process
from lookalike.bench.results import Outcome, Results
from lookalike.bench.runner import Entrant, Judge, Plan, Say, besides
from lookalike.durable import draft, put
from lookalike.errors import BusyError

FOUND = "ann-benchmarks"
"""Where in a folder the answers lie."""


def run(
    data: Dataset, names: Sequence[str], plan: Plan, folder: str, seed: int, *, again: bool, say: Say, now: Say
) -> Results:
    """Ours and the competitors `names` on the base of `data` with its test queries, of unit length under the cosine.

    One that fails is in the results with its error. What an earlier run with the same data, plan, machine and commit
    left in the folder is taken from there, unless it is to be measured `again`.

    Args:
        say: is told what is finished.
        now: is told what is going on.

    Raises:
        BusyError: another process measures into that folder.
        OSError: it cannot be written.
    """
    os.makedirs(folder, exist_ok=True)
    results = Results(
        dataset=data.name,
        distance=data.distance,
        count=len(data.base),
        dim=data.base.shape[1],
        queries=len(data.test.vectors),
        k=plan.k,
        rounds=plan.rounds,
        threads=plan.threads,
        machine=machine(),
        outcomes=[],
        software=software(),
        seed=seed,
    )
    key = {"vectors": fingerprint(data), "plan": asdict(plan), "machine": results.machine, "software": results.software}
    everyone = [OURS, *(name for name in names if name != OURS)]
    with _alone(folder):
        kept = {} if again else {name: one for name in everyone if (one := _kept(folder, name, key))}
        missing = [name for name in everyone if name not in kept]
        for outcome in _measured(missing, data, plan, folder, now):
            kept[outcome.name] = outcome
            if not outcome.missing:
                _keep(folder, outcome, key)
            say(f"{outcome.name}: {outcome.error or f'built in {outcome.build_seconds:,.1f} s, measured'}")
    results.outcomes.extend(kept[name] for name in everyone)
    return results


def _measured(names: Sequence[str], data: Dataset, plan: Plan, folder: str, now: Say) -> Iterator[Outcome]:
    """One outcome after the other, as they are finished."""
    if not names:
        return
    with _handed_over(folder, data, plan) as work, ExitStack() as ending:
        judge, ours = Judge(data, plan), None
        for number, name in enumerate(names, 1):
            if name != OURS and ours is None:
                now(f"{OURS} is built, to keep pace")
                ours = _entered(OURS, work, plan, ending)
            now(f"{name} is built, {number} of {len(names)}")
            one = _entered(name, work, plan, ending)
            if not one.outcome.error:
                found = judge.heat(one, None if ours is None or ours.outcome.error else ours, now)
                answers.write(os.path.join(folder, FOUND), data, plan.k, one.outcome, found)
            if one.outcome.single and not one.process.ended:
                besides(one, work, plan, now)
            one.process.stop()
            yield one.outcome


def _entered(name: str, work: Work, plan: Plan, ending: ExitStack) -> Entrant:
    process = Process(name, work)
    ending.callback(process.stop)
    return Entrant(name, process, plan.build_limit)


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    with open(os.path.join(folder, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(f"expected {folder} for this run alone, but another one measures into it; wait") from error
        yield


@contextmanager
def _handed_over(folder: str, data: Dataset, plan: Plan) -> Iterator[Work]:
    """Vectors or sets as files, which every process reads for itself."""
    place = os.path.abspath(os.path.join(folder, "work"))  # ScaNN finds its own files again by no other path
    shutil.rmtree(place, ignore_errors=True)  # of a run that was killed
    os.mkdir(place)
    try:
        base, queries = os.path.join(place, "base.npy"), os.path.join(place, "queries.npy")
        handed.save(base, data.base)
        handed.save(queries, data.test.vectors)
        yield Work(base, queries, data.distance, plan.k, plan.threads)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, "competitors", f"{name}.json")


def _kept(folder: str, name: str, key: dict[str, Any]) -> Outcome | None:
    """What an earlier run left, if it measured the same."""
    try:
        with open(_path(folder, name)) as file:
            kept = json.load(file)
        return Outcome.of(kept["outcome"]) if kept["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # not there, or no such file: it is measured, and replaced


def _keep(folder: str, outcome: Outcome, key: dict[str, Any]) -> None:
    path = _path(folder, outcome.name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with draft(path) as beside:
        with open(beside, "w") as file:
            json.dump({"key": key, "outcome": asdict(outcome)}, file, indent=1)
        put(beside, path)
