"""Pictures in archives: an archive that has changed is read through, and what it holds is taken in by batches."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.sync.compare import File, change_time, has_changed
from lookalike.collection.sync.given import GivenSync, Member
from lookalike.collection.sync.intake import CHANGED, Intake
from lookalike.collection.sync.moves import Seen, may_have
from lookalike.collection.sync.report import Failure
from lookalike.errors import ArchiveError, ArgumentError, MissingExtraError, ReadError
from lookalike.images.archives import Contents, Passed, look, read
from lookalike.images.find import Skipped
from lookalike.images.given import Given

if TYPE_CHECKING:
    from lookalike.collection.sources import Looked

_LOST = (ArchiveError, ReadError, MissingExtraError, ArgumentError)  # the last: a column, where no Parquet is any more


class ArchiveSync:
    """One archive brought up to date: `look`, `compare` and `take`, each of all archives before the next.

    Members have the time of their archive: when that changes all are read, and told by their content. What moved is
    recognised behind `compare`, together with what lies in folders. Of an archive that cannot be read, or that
    changes meanwhile, all is kept.

    Attributes:
        key: its own.
    """

    def __init__(
        self, intake: Intake, container: Container, items: Sequence[Item], retry: bool, looked: Looked | None
    ) -> None:
        self.key = container.path
        self._intake = intake
        self._container = container
        self._retry = retry
        self._looked = looked
        self._column = json.loads(container.options).get("column")
        self._archive = File(container.path, intake.place.absolute(container.path), -1, -1)
        self._items = {item.path: item for item in items}
        self._contents: Contents | None = None  # of an archive that is to be read
        self._todo: dict[bytes, Item | None] = {}  # what is to be read of it, with what was there
        self._gone: list[Item] = []
        self._error: Exception | None = None  # why it cannot be read

    def look(self, gone: dict[int, Item]) -> None:
        """Add to `gone` what it holds no more, and report what stays as it is."""
        try:
            self._archive = self._as_it_is()
            if self._is_same() and not any(map(self._is_due, self._items.values())):
                self._count(self._items.values(), [Passed(*each) for each in json.loads(self._container.passed)])
                return
            self._contents = self._look()
        except (*_LOST, OSError) as error:
            self._error = error
            self._give_up(gone)
            return
        names = {keys.of_member(self.key, name) for name in self._contents.names}
        same = {key for key, item in self._items.items() if self._is_same() and not self._is_due(item)} & names
        self._count([self._items[key] for key in same], self._contents.passed)
        self._todo = {key: self._items.get(key) for key in names - same}
        self._gone = [item for key, item in self._items.items() if key not in names]
        gone |= {item.id: item for item in self._gone}
        self._intake.expect(len(self._todo))

    def compare(self, gone: dict[int, Item]) -> list[Seen]:
        """What it holds now, where that may be known; else that is left to `take`, as of an archive that is new."""
        if self._contents is None or self._is_same() or not (self._items or gone):
            return []
        seen = []
        for file, old, member in self._members():
            sha256 = hashlib.sha256(member.data).digest() if isinstance(member, Given) else None
            self._intake.advance(self._intake.is_known(sha256))
            seen.append(Seen(file, old, sha256))
        if self._error or has_changed(self._archive):
            self._give_up(gone)
            return []
        self._todo = {}
        return seen

    def take(self, unknown: Mapping[bytes, Item | None], left: Iterable[File], gone: dict[int, Item]) -> None:
        """Take in what is not known, and remove what is gone.

        Args:
            unknown: of what it was seen to hold, with what was there.
            left: the files that are left to the next sync, where what is gone may be.
        """
        if self._contents is None:
            return
        intake, report = self._intake, self._intake.report
        self._todo |= unknown
        here = [item for item in self._gone if item.id in gone]
        unread = [item for item in (*self._todo.values(), *here) if item and item.state == "indexed"]
        counted = intake.catalogue.counts.under(self.key, "indexed") - len(unread) - report.indexed
        whole = not self._todo or GivenSync(intake, lambda: has_changed(self._archive)).take(self._members())
        if self._error or not whole:
            self._give_up(gone, counted + report.indexed)
            return
        sizes = {file.size for file in left}
        for item in here:
            del gone[item.id]
            if may_have(item, sizes):
                whole = False
                report.kept += item.state == "indexed"
            else:
                report.removed += item.state == "indexed"
                intake.changes.leave([item.id])
        if whole and self.key not in {keys.container_of(file.key) for file in left}:
            passed = json.dumps([list(each) for each in self._contents.passed])
            _, _, size, mtime_ns = self._archive
            intake.changes.put(self._container._replace(size=size, mtime_ns=mtime_ns, passed=passed))
        intake.commit()

    def _as_it_is(self) -> File:
        status = os.stat(self._archive.path)
        return self._archive._replace(size=status.st_size, mtime_ns=change_time(status))

    def _is_same(self) -> bool:
        """Whether it is as when all of it was taken in."""
        return self._archive[2:] == (self._container.size, self._container.mtime_ns)

    def _is_due(self, item: Item) -> bool:
        """Whether it is to be read though the archive is the same."""
        return self._retry and item.state == "failed"

    def _look(self) -> Contents:
        if self._looked and self._looked.contents and self._looked[:2] == self._archive[2:]:
            return self._looked.contents
        return look(self._archive.path, column=self._column)

    def _members(self) -> Iterator[Member]:
        """Those to do; where it cannot be read any further, `_error` says why."""
        names = {keys.decode(keys.name_in(key)) for key in self._todo}
        try:
            for member in read(self._archive.path, names, column=self._column, contents=self._contents):
                key = keys.of_member(self.key, member.path)
                size = len(member.data) if isinstance(member, Given) else 0
                yield self._archive._replace(key=key, size=size), self._todo[key], member
        except _LOST as error:
            self._error = error

    def _count(self, same: Iterable[Item], passed: Iterable[Passed]) -> None:
        """Report what stays as it is."""
        report = self._intake.report
        for item in same:
            if item.state == "indexed":
                report.unchanged += 1
            else:
                report.failed.append(Failure(self._intake.place.absolute(item.path), item.reason or ""))
        report.skipped += [Skipped(f"{self._archive.path}/{name}", reason, count) for name, reason, count in passed]

    def _give_up(self, gone: dict[int, Item], counted: int = 0) -> None:
        """It is lost, or left to the next sync where it has changed; what is not `counted` in the report is kept."""
        self._contents = None
        for item in self._gone:
            gone.pop(item.id, None)
        report = self._intake.report
        report.kept += self._intake.catalogue.counts.under(self.key, "indexed") - counted
        try:
            if self._archive != self._as_it_is():
                self._intake.leave(self._archive, CHANGED)
                return
            reason = str(self._error).removeprefix(f"{self._archive.path}: ")
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
        report.lost.append(Skipped(self._archive.path, reason))
