"""Vectors in files: a file that has changed is looked through, and what is new in it is taken in by blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.sealed import segments
from lookalike.collection.sealed.bulk import Bulk
from lookalike.collection.sync.compare import File, change_time
from lookalike.collection.sync.intake import CHANGED, Intake
from lookalike.collection.sync.report import Failure
from lookalike.errors import ReadError, VectorFileError
from lookalike.images.find import Skipped
from lookalike.vectors import VectorFile, open_vectors

if TYPE_CHECKING:
    from lookalike.collection.sources import Looked

Vectors = NDArray[np.float32]
Row = tuple[bytes, Item | None]  # its key, and the item that was there

ZERO = "a zero vector has no direction, which cosine compares"


class VectorSync:
    """One file of vectors brought up to date."""

    def __init__(self, intake: Intake, container: Container, looked: Looked | None) -> None:
        self._looked = looked
        self._intake = intake
        self._container = container
        self._path = intake.place.absolute(container.path)
        self._items: dict[bytes, Item] = {}  # those that were there, and have not come up yet
        with intake.catalogue.reading() as about:
            self._about = about
            self._before = segments.open_sealed(intake.place, intake.catalogue, about)
        self._fresh: list[str] = []  # the segments that were written

    def run(self) -> None:
        """Do it: what cannot be read is lost, and its vectors are kept."""
        catalogue, report = self._intake.catalogue, self._intake.report
        try:
            status = os.stat(self._path)
            file = File(self._container.path, self._path, status.st_size, change_time(status))
            if (file.size, file.mtime_ns) == (self._container.size, self._container.mtime_ns):
                return  # what it holds is counted with all that is unchanged
            opened = open_vectors(self._path, **json.loads(self._container.options))
            if self._looked is None or (file.size, file.mtime_ns) != self._looked[:2]:
                require(opened, self._about.dim)
        except (OSError, VectorFileError) as error:
            if isinstance(error, OSError) and not isinstance(error, ReadError):
                error = ReadError(error.errno, f"cannot be read ({error.strerror})")
            report.lost.append(Skipped(self._path, str(error)))
            return
        self._items = {item.path: item for item in catalogue.under(self._container.path)}
        self._intake.expect(opened.count)
        try:
            self._take(opened, file)
        except VectorFileError:  # all of it was read a moment ago
            self._intake.leave(file, CHANGED)
            return
        self._finish(file)

    def _take(self, opened: VectorFile, file: File) -> None:
        block = self._block()
        rows: list[Row] = []
        for names, vectors in rows_of(opened):
            here = [keys.of_row(file.key, name) for name in names]
            new = [i for i, key in enumerate(here) if not self._is_same(key, vectors[i])]
            self._intake.advance(len(names))
            if new and self._about.metric == "cosine":
                new = [i for i in new if vectors[i].any() or self._fail(file, here[i])]
            if new:
                first = self._about.next_id + len(rows)
                block.add(np.arange(first, first + len(new)), vectors[new])
                rows += [(here[i], self._items.pop(here[i], None)) for i in new]
            if block.is_full:
                self._put(block, rows, file)
                block, rows = self._block(), []
        self._put(block, rows, file)

    def _block(self) -> Bulk:
        with self._intake.catalogue.reading() as self._about:
            return Bulk(self._intake.place, self._about, list(self._intake.catalogue.segments()))

    def _is_same(self, key: bytes, vector: Vectors) -> bool:
        """Whether the item at a key has this vector already; it has come up then."""
        old = self._items.get(key)
        if old is None or old.state != "indexed":
            return False
        known = self._vector(old.id)
        if known is None or not np.array_equal(vector, known):
            return False
        del self._items[key]
        return True

    def _vector(self, item_id: int) -> Vectors | None:
        if (pending := self._intake.catalogue.pending_vector(item_id)) is not None:
            return pending
        if item_id not in self._before:
            return None
        with segments.cure_of(self._intake.place):
            return self._before[item_id]

    def _fail(self, file: File, key: bytes) -> bool:
        """Note a vector that cannot be compared; False."""
        old = self._items.pop(key, None)
        self._intake.fail(file._replace(key=key, size=self._about.dim * 4), old, ZERO)
        self._intake.report.removed += old is not None and old.state == "indexed"
        return False

    def _put(self, block: Bulk, rows: list[Row], file: File) -> None:
        """Write the block, and all that is known of its vectors, in one transaction."""
        intake, catalogue = self._intake, self._intake.catalogue
        if rows:
            with intake.report.timed("seal"):
                block.save()
        with intake.report.timed("commit"), catalogue.writing():
            if rows:
                catalogue.add_segment(block.name, len(rows))
                self._fresh.append(block.name)
            for some in _parts(rows):
                catalogue.remove(old.id for _, old in some if old)
                items = [
                    Item(0, key, self._about.dim * 4, file.mtime_ns, None, None, None, "indexed", None)
                    for key, _ in some
                ]
                catalogue.add(items, [None] * len(items))
        changed = sum(old is not None and old.state == "indexed" for _, old in rows)
        intake.report.changed += changed
        intake.report.new += len(rows) - changed
        intake.commit()  # what failed

    def _finish(self, file: File) -> None:
        """What has not come up is gone; note that all of the file is in."""
        intake = self._intake
        intake.report.removed += sum(item.state == "indexed" for item in self._items.values())
        intake.changes.remove(item.id for item in self._items.values())
        intake.changes.put(self._container._replace(size=file.size, mtime_ns=file.mtime_ns))
        intake.commit()
        with intake.report.timed("seal"):
            segments.seal(intake.place, intake.catalogue, new=self._fresh)


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    """As many as are worth holding as items at once."""
    for start in range(0, len(rows), 8192):
        yield rows[start : start + 8192]


def require(opened: VectorFile, dim: int) -> None:
    """Read all of a file of vectors once, so that nothing is taken of one that is damaged.

    Raises:
        VectorFileError: other dimensions, NaN or inf, names that are none, an end too early.
        ReadError: it cannot be read now.
    """
    if opened.dim != dim:
        raise VectorFileError(
            f"{', '.join(opened.paths)}: expected vectors of {dim:,} dimensions, as in this collection, received "
            f"{opened.dim:,}; name another place for them"
        )
    for _ in rows_of(opened):
        pass


def rows_of(opened: VectorFile) -> Iterator[tuple[list[str], Vectors]]:
    """Names and float32 vectors, some at a time; without names, a vector is called by its file and its row."""
    start, part = 0, os.path.basename(opened.paths[0])
    for names, vectors in opened.chunks():
        with np.errstate(over="ignore"):
            floats = vectors.astype(np.float32, copy=False)
        if not np.isfinite(floats).all():
            raise VectorFileError(
                f"{opened.paths[0]}: expected numbers that float32 holds, received one of {vectors.dtype} beyond; "
                "scale the vectors"
            )
        yield names or [f"{part}:{row}" for row in range(start, start + len(vectors))], floats
        start += len(vectors)


def unchanged(intake: Intake) -> None:
    """Count, at the end, what nothing was done about."""
    report, catalogue = intake.report, intake.catalogue
    told = {failure.path for failure in report.failed}
    failed = [Failure(intake.place.absolute(item.path), item.reason or "") for item in catalogue.failed()]
    report.failed += [failure for failure in failed if failure.path not in told]
    report.unchanged = catalogue.count("indexed") - report.new - report.changed
