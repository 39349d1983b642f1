"""A repair that is stopped at every call that changes a file.

    LD_PRELOAD=shim.so LOOKALIKE_SHIM=shim.so python -m tests.faults.mending --every 1 FOLDER

A catalogue and a segment are damaged so that they are refused; a repair of each fails, or its process is killed,
at its N-th call. The next repair and a sync mend it, and no picture that the first would have kept is embedded; what
is lost is told by the one that ends well.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from lookalike.collection import Collection, RepairReport
from lookalike.collection.catalogue.untold import Untold
from lookalike.errors import WriteError
from tests.faults import shim
from tests.faults.command import command
from tests.faults.damage import KINDS, VectorVictim, Victim
from tests.faults.fault_points import FAULTS
from tests.faults.forked import in_fork, try_in_fork
from tests.faults.observe import observe
from tests.faults.shim import How

WOUNDS = 3  # of each file

Losses = tuple[list[int], list[int], int]


class Patient:
    """One damaged file of a collection, and what a repair that nothing disturbs embeds and loses.

    Some pictures are away while it is mended, and back for the sync.

    Attributes:
        calls: of such a repair.
        told: its first call that forgets what was to be told.
    """

    def __init__(self, victim: Victim, name: str, data: bytes) -> None:
        self.victim = victim
        self.name = name
        self.data = data
        self.calls = self.told = self.embedded = 0
        self.losses: Losses = ([], [], 0)

    def lay(self) -> None:
        shutil.rmtree(self.victim.index, ignore_errors=True)
        shutil.copytree(self.victim.whole, self.victim.index)
        with open(os.path.join(self.victim.index, self.name), "wb") as file:
            file.write(self.data)

    def is_fit(self) -> bool:
        """Whether it is refused, and can be mended."""
        self.lay()
        if in_fork(self.victim.ask) is not None:
            return False
        self.lay()
        if not in_fork(self.victim.mend):
            return False
        self.lay()
        self.calls, self.told, self.losses, self.embedded = in_fork(self.count)
        return True

    def count(self) -> tuple[int, int, Losses, int]:
        told = []
        forget = Untold.forget

        def counted(untold: Untold) -> None:
            told.append(shim.count() + 1)
            forget(untold)

        Untold.forget = counted  # type: ignore[method-assign,assignment]
        with self.some_away():
            shim.watch(os.path.dirname(self.victim.index))
            report = Collection.repair(self.victim.index)
            calls = shim.count()
            shim.forget()
        again, embedded = self.sync()
        assert again == ([], [], 0), "what was told was told again"
        return calls, told[0], losses(report), report.embedded + embedded

    def sync(self) -> tuple[Losses, int]:
        """Mend the rest; what that tells to be lost, and how many pictures are embedded for it and by a sync."""
        with self.some_away():
            report = Collection.repair(self.victim.index)
            assert Collection.verify(self.victim.index) == []
        with Collection.open(self.victim.index) as collection:
            synced = collection.sync()
            assert observe(collection, self.victim.folder)[0] == self.victim.states[-1]
        again = synced.new + synced.changed if synced.things == "vectors" else synced.embedded
        return losses(report), report.embedded + again

    def try_one(self, how: How, at: int) -> str:
        self.lay()

        def repair() -> str:
            with self.some_away():
                shim.watch(os.path.dirname(self.victim.index), how, at)
                try:
                    report = Collection.repair(self.victim.index)
                except WriteError:
                    return "WriteError"
                finally:
                    shim.forget()
            assert losses(report) == self.losses, f"told {losses(report)}, not {self.losses}"
            return "done"

        told = try_in_fork(repair).told
        lost, embedded = in_fork(self.sync)
        assert embedded <= self.embedded, "what the first repair would have kept was embedded"
        if told != "done" and at < self.told:
            assert lost == self.losses, f"told {lost}, not {self.losses}"
        return told

    @contextmanager
    def some_away(self) -> Iterator[None]:
        paths = [os.path.join(self.victim.folder, name) for name in self.victim.away]
        for path in paths:
            if os.path.exists(path):  # else a kill left it away
                os.rename(path, f"{path}.away")
        try:
            yield
        finally:
            for path in paths:
                os.rename(f"{path}.away", path)


def lost(victim: Victim, name: str) -> list[Patient]:
    """One whose catalogue is empty; not beside a WAL, which is not taken for what it was."""
    if victim.killed or not name.endswith(".sqlite"):
        return []
    patient = Patient(victim, name, b"")
    assert patient.is_fit(), "a lost catalogue is not brought back"
    return [patient]


def losses(report: RepairReport) -> Losses:
    return sorted(report.lost_ids), sorted(lost.id for lost in report.lost_facts), report.lost_items


def run(top: str, every: int, seed: int, of_vectors: bool) -> Counter[str]:
    dice = random.Random(seed)
    tally: Counter[str] = Counter()
    broken: list[str] = []
    for killed in (False, True):
        victim = (VectorVictim if of_vectors else Victim)(os.path.join(top, f"killed{killed:d}"), killed)
        for name in (name for name in victim.files if not name.endswith("-wal")):
            with open(os.path.join(victim.whole, name), "rb") as file:
                whole = file.read()
            made = (Patient(victim, name, dice.choice(KINDS)(whole, dice)) for _ in range(1000))
            fit = (patient for patient in made if patient.is_fit())
            # beside a WAL these are rare; vectors are in their file, too, and what they are is beside the segments
            spared = killed or of_vectors
            lossy = (patient for patient in fit if spared or any(patient.losses))
            for patient in (next(lossy), *islice(fit, WOUNDS - 1), *lost(victim, name)):
                for at in range(1, patient.calls + 1):
                    for how in FAULTS:
                        if not dice.randrange(every):
                            try:
                                tally[patient.try_one(how, at)] += 1
                            except AssertionError as error:
                                broken.append(f"{name}, call {at} of {patient.calls}, {how.name}: {error}")
    assert not broken, f"{len(broken)} of {sum(tally.values())}, seed {seed}:\n" + "\n".join(broken[:10])
    return tally


if __name__ == "__main__":
    command(__doc__, run)
