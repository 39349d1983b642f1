"""Work in a fork of this process: 10 ms where a new process takes 200, and whatever kills it is seen."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 60  # seconds; what takes longer hangs


@dataclass(frozen=True)
class Outcome:
    """How a fork ended: `value` where `work` returned, else the signal that ended it or the traceback."""

    value: Any = None
    signal: int = 0
    failure: str = ""

    @property
    def told(self) -> str:
        """ "killed" by SIGKILL, or the value; AssertionError where it failed, or another signal ended it."""
        if self.failure or self.signal not in (0, signal.SIGKILL):
            raise AssertionError(self.failure or f"ended by {signal.Signals(self.signal).name}")
        return "killed" if self.signal else str(self.value)


def in_fork(work: Callable[[], Any], patience: int = PATIENCE) -> Any:
    """What `work` returns, run in a fork; AssertionError with the child's traceback or signal where it does not."""
    outcome = try_in_fork(work, patience)
    if outcome.signal or outcome.failure:
        raise AssertionError(outcome.failure or f"ended by {signal.Signals(outcome.signal).name}")
    return outcome.value


def try_in_fork(work: Callable[[], Any], patience: int = PATIENCE) -> Outcome:
    """Run `work` in a fork, and say how that went."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        be_child(
            lambda: os.write(writer, pickle.dumps(work())), lambda text: os.write(writer, pickle.dumps(text)), patience
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        data = file.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome(signal=os.WTERMSIG(status))
    if os.waitstatus_to_exitcode(status):
        return Outcome(failure=pickle.loads(data))
    return Outcome(value=pickle.loads(data))


def be_child(work: Callable[[], object], tell: Callable[[str], object], patience: int = PATIENCE) -> None:
    """The life of a fork: `work`, then the end, whatever happens; after so many seconds by SIGALRM."""
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(patience)
        work()
        code = 0
    except BaseException:  # noqa: BLE001
        tell(traceback.format_exc())
    finally:
        os._exit(code)
