"""Vectors in files: a file that has changed is looked through, and what is new in it is taken in by blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import About, Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.catalogue.marks import Mark
from lookalike.collection.catalogue.metadata import Known
from lookalike.collection.rows import UNREADABLE, ZERO, Vectors, have_direction, require, rows_of
from lookalike.collection.sealed.bulk import Bulk
from lookalike.collection.sync.compare import MOST_TIME, File, has_changed
from lookalike.collection.sync.intake import CHANGED, Intake
from lookalike.collection.sync.report import Failure
from lookalike.errors import ReadError, VectorFileError
from lookalike.images.find import Skipped
from lookalike.vectors import VectorFile, open_vectors
from lookalike.vectors.source import find

if TYPE_CHECKING:
    from lookalike.collection.sources import Looked

Row = tuple[bytes, Item | None]  # its key, and the item that was there

_MOST_ROWS = 1 << 16  # that failed, in a block
_AT_ONCE = 8192  # rows that are worth holding as items


class _Block:
    """Rows that are written down together: those that are new or changed, with their vectors, and those that fail."""

    def __init__(self, bulk: Bulk, about: About) -> None:
        self.bulk = bulk
        self.good: list[Row] = []
        self.bad: list[Row] = []
        self._next_id = about.next_id

    @property
    def is_full(self) -> bool:
        return self.bulk.is_full or len(self.bad) >= _MOST_ROWS

    def add(self, rows: Sequence[Row], vectors: Vectors) -> None:
        first = self._next_id + len(self.good)
        self.bulk.add(np.arange(first, first + len(rows)), vectors)
        self.good += rows


class VectorSync:
    """One file of vectors brought up to date."""

    def __init__(self, intake: Intake, container: Container, retry: bool, looked: Looked | None) -> None:
        self._intake = intake
        self._catalogue = intake.catalogue
        self._container = container
        self._retry = retry
        self._looked = looked
        self._path = intake.place.absolute(container.path)
        self._new = self._changed = self._same = 0
        self._came: list[NDArray[np.int64]] = []  # the ids of items that came up and stay
        with self._catalogue.reading() as self._about:
            self._is_known = self._catalogue.containers.holds(container.path)
        self._size = self._about.dim * 4
        self._ends = b""
        self._marks = intake.catalogue.containers.marks
        self._mark = self._marks.of(container.path)

    def run(self) -> None:
        """Do it: what cannot be read is lost, and its vectors are kept."""
        try:
            source = find(self._path)
            file = File(self._container.path, self._path, source.size, min(source.state[2], MOST_TIME))
            self._ends = source.ends()
            if self._is_done(file):
                self._count()
                return
            opened = open_vectors(self._path, **json.loads(self._container.options))
            if self._looked is None or self._looked[:2] != (file.size, file.mtime_ns):
                with self._intake.report.timed("find"):
                    require(opened, self._about.dim)
        except UNREADABLE as error:
            self._lose(str(error))
            return
        self._intake.expect(opened.count)
        try:
            with self._intake.report.timed("find"):
                self._take(opened, file)
        except ReadError as error:
            self._lose(str(error))
        except VectorFileError:  # it has changed: all of it was read a moment ago
            self._leave(file)
        else:
            self._finish(file)
        self._intake.seal()

    def _is_done(self, file: File) -> bool:
        """Whether all of the file is in."""
        if self._mark and self._mark.ends != self._ends:
            return False
        if (file.size, file.mtime_ns) != (self._container.size, self._container.mtime_ns):
            return False
        return not (self._retry and self._catalogue.counts.under(file.key, "failed"))

    def _count(self) -> None:
        """Report what nothing was done about."""
        report, path = self._intake.report, self._container.path
        if self._mark is None:  # as an earlier version left it
            self._mark = Mark(path, self._ends, self._catalogue.containers.held(path))
            with self._catalogue.writing():
                self._marks.put(self._mark)
        failed = self._catalogue.failed_under(path)
        report.unchanged += self._mark.items - len(failed)
        for item in failed:
            report.failed.append(Failure(self._intake.place.absolute(item.path), item.reason or ""))

    def _lose(self, reason: str) -> None:
        self._intake.report.lost.append(Skipped(self._path, reason))
        self._keep()

    def _leave(self, file: File) -> None:
        self._intake.leave(file, CHANGED)
        self._keep()

    def _keep(self) -> None:
        """Report what is still there and was not looked at, or not to the end."""
        indexed = self._catalogue.counts.under(self._container.path, "indexed")
        self._intake.report.kept += indexed - self._new - self._changed

    def _take(self, opened: VectorFile, file: File) -> None:
        block = self._begin()
        try:
            for names, vectors in rows_of(opened):
                self._sort(block, names, vectors)
                self._intake.advance(len(names))
                if block.is_full:
                    self._put(block, file)
                    block = self._begin()
            self._put(block, file)
        finally:
            block.bulk.discard()

    def _begin(self) -> _Block:
        with self._catalogue.reading() as about:
            return _Block(Bulk(self._intake.place, about, list(self._catalogue.segments())), about)

    def _sort(self, block: _Block, names: Sequence[str], vectors: Vectors) -> None:
        """Add what is new or changed of some rows to a block."""
        here = [keys.of_row(self._container.path, name) for name in names]
        known = self._catalogue.at(here) if self._is_known else {}
        same = np.array([self._is_same(known.get(key), row) for key, row in zip(here, vectors, strict=True)], np.bool_)
        good = ~same
        if self._about.metric == "cosine":
            good &= have_direction(vectors)
        bad = [(here[i], known.get(here[i])) for i in np.flatnonzero(~(same | good))]
        stay = [known[here[i]] for i in np.flatnonzero(same)] + [old for _, old in bad if old]
        self._came.append(np.array([item.id for item in stay], np.int64))
        self._same += int(same.sum())
        new = vectors if good.all() else vectors[good]
        block.add([(here[i], known.get(here[i])) for i in np.flatnonzero(good)], new)
        block.bad += bad

    def _is_same(self, old: Item | None, vector: Vectors) -> bool:
        """Whether the item that is there has this vector already."""
        if old is None or old.state != "indexed":
            return False
        known = self._intake.vector(old)
        return known is not None and np.array_equal(vector, known)

    def _put(self, block: _Block, file: File) -> None:
        """Write a block and all that is known of its vectors in one transaction; then what failed.

        Raises:
            VectorFileError: the file has changed, and a vector may be half of what it was, half of what it is.
        """
        intake, catalogue = self._intake, self._catalogue
        if has_changed(file):
            raise VectorFileError(f"{self._path}: {CHANGED}")
        if self._mark and (block.good or block.bad):  # until all is in it would say too much
            with catalogue.writing():
                self._marks.drop(file.key)
            self._mark = None
        if block.good:
            with intake.report.timed("seal"):
                block.bulk.save()
            with intake.report.timed("commit"), catalogue.writing():
                catalogue.add_segment(block.bulk.name, len(block.good))
                for rows in _parts(block.good):
                    known = [self._given(old) for _, old in rows]
                    catalogue.remove(old.id for _, old in rows if old)
                    items = [
                        Item(0, key, self._size, file.mtime_ns, None, None, None, "indexed", None) for key, _ in rows
                    ]
                    catalogue.add(items, [None] * len(items), known)
        changed = sum(old is not None and old.state == "indexed" for _, old in block.good)
        self._changed += changed
        self._new += len(block.good) - changed
        intake.report.changed += changed
        intake.report.new += len(block.good) - changed
        for key, old in block.bad:
            intake.fail(file._replace(key=key, size=self._size), old, ZERO)
        intake.commit()

    def _given(self, old: Item | None) -> Known | None:
        """What was given to the item that was there; None where that is nothing, as a rule."""
        given = self._catalogue.metadata.of(old.id).given if old else Known().given
        return None if given == Known().given else Known(given=given)

    def _finish(self, file: File) -> None:
        """What has not come up is gone; note that all of the file is in."""
        intake, left = self._intake, 0
        for state in ("indexed", "failed"):
            there = self._catalogue.ids_under(file.key, state)
            gone = np.setdiff1d(there[there < self._about.next_id], np.concatenate(self._came), assume_unique=True)
            intake.changes.remove(gone.tolist())
            intake.report.removed += len(gone) if state == "indexed" else 0
            left += len(there) - len(gone)
        intake.report.unchanged += self._same
        mark = Mark(file.key, self._ends, left)
        intake.changes.put(self._container._replace(size=file.size, mtime_ns=file.mtime_ns), mark)
        intake.commit()


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]
