"""Pictures in archives: an archive that has changed is read through once, and what it holds is taken in by batches."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.sync.compare import File, change_time, has_changed
from lookalike.collection.sync.intake import CHANGED, Intake
from lookalike.collection.sync.report import Failure
from lookalike.errors import ArchiveError, ReadError
from lookalike.images.archives import Passed, look, read
from lookalike.images.find import Skipped
from lookalike.images.pool import DecoderPool, Failed, Given

if TYPE_CHECKING:
    from lookalike.collection.sources import Looked


class ArchiveSync:
    """One archive brought up to date; its members have its time, so that all of them are looked at when it changes."""

    def __init__(self, intake: Intake, container: Container, retry: bool, looked: Looked | None) -> None:
        self._looked = looked
        self._intake = intake
        self._container = container
        self._retry = retry
        self._path = intake.place.absolute(container.path)
        self._options = json.loads(container.options)
        self._waiting: deque[tuple[File, Item | None]] = deque()  # those that are being decoded
        self._items: dict[bytes, Item] = {}  # those that were there, and of which nothing is said in the report yet

    def run(self) -> None:
        """Do it: what cannot be read is lost, and its pictures are kept."""
        catalogue, report = self._intake.catalogue, self._intake.report
        self._items = {item.path: item for item in catalogue.under(self._container.path)}
        again = self._retry and any(item.state == "failed" for item in self._items.values())
        try:
            status = os.stat(self._path)
            archive = File(self._container.path, self._path, status.st_size, change_time(status))
            if (archive.size, archive.mtime_ns) == (self._container.size, self._container.mtime_ns) and not again:
                self._count(list(self._items), [Passed(*each) for each in json.loads(self._container.passed)])
            else:
                self._read(archive)
        except (OSError, ArchiveError) as error:  # ReadError is one
            if isinstance(error, OSError) and not isinstance(error, ReadError):
                error = ReadError(error.errno, f"cannot be read ({error.strerror})")
            self._intake.changes.commit()
            report.lost.append(Skipped(self._path, str(error)))
            self._keep()

    def _keep(self) -> None:
        self._intake.report.kept += sum(item.state == "indexed" for item in self._items.values())

    def _count(self, same: Sequence[bytes], passed: Sequence[Passed]) -> None:
        """Report the items about which nothing is done."""
        report = self._intake.report
        for item in map(self._items.pop, same):
            if item.state == "indexed":
                report.unchanged += 1
            else:
                report.failed.append(Failure(self._intake.place.absolute(item.path), item.reason or ""))
        report.skipped += [Skipped(f"{self._path}/{name}", reason, count) for name, reason, count in passed]

    def _read(self, archive: File) -> None:
        intake = self._intake
        contents = self._looked.contents if self._looked and self._looked[:2] == archive[2:] else None
        if contents is None:
            with intake.report.timed("find"):
                contents = look(self._path, **self._options)
        names = {keys.of_member(archive.key, name): name for name in contents.names}
        same = [
            key
            for key, item in self._items.items()
            if key in names and item.mtime_ns == archive.mtime_ns and not (self._retry and item.state == "failed")
        ]
        todo = set(names.values()).difference(names[key] for key in same)
        self._count(same, contents.passed)
        intake.expect(len(todo))
        if todo and not self._take(archive, todo):
            intake.leave(archive, CHANGED)
            self._keep()
            return
        intake.report.removed += sum(item.state == "indexed" for item in self._items.values())
        intake.changes.remove(item.id for item in self._items.values())
        passed = json.dumps([list(each) for each in contents.passed])
        intake.changes.put(self._container._replace(size=archive.size, mtime_ns=archive.mtime_ns, passed=passed))
        intake.commit()

    def _take(self, archive: File, todo: set[str]) -> bool:
        """Take these members in; False where the archive has changed meanwhile."""
        intake = self._intake
        with DecoderPool() as pool:
            pictures = pool.load(self._unknown(archive, todo), intake.model.input)
            while True:
                with intake.report.timed("decode"):
                    batch = list(islice(pictures, intake.batch))
                intake.take([self._waiting.popleft() for _ in batch], batch, lambda *_: has_changed(archive))
                if has_changed(archive):
                    return False
                if len(batch) < intake.batch:
                    return True

    def _unknown(self, archive: File, todo: set[str]) -> Iterator[Given]:
        """The members whose content is not known; the others are written down on the way."""
        intake = self._intake
        for member in read(self._path, todo, **self._options):
            key = keys.of_member(archive.key, member.path)
            old, size = self._items.pop(key, None), len(member.data) if isinstance(member, Given) else 0
            file = File(key, self._path, size, archive.mtime_ns)
            intake.advance(1)
            if isinstance(member, Failed):
                intake.fail(file, old, member.reason)
                continue
            sha256 = hashlib.sha256(member.data).digest()
            if old and old.state == "indexed" and old.sha256 == sha256:
                intake.changes.touch(file, old)
                intake.report.unchanged += 1
            elif content := intake.known(sha256):
                intake.add(file, old, content)
            else:
                self._waiting.append((file, old))
                yield member
            if len(intake.changes) >= intake.batch and not has_changed(archive):
                intake.commit()
