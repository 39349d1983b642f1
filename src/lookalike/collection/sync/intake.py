"""What every part of a sync does with what it finds: recognise, embed, write down by batches, count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.absent import Absent
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.looks import Look
from lookalike.collection.embedding import NO_VECTOR, embed
from lookalike.collection.no_model import things
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept, segments
from lookalike.collection.sync.changes import Changes, Content
from lookalike.collection.sync.compare import File
from lookalike.collection.sync.report import Failure, Progress, SyncReport
from lookalike.collection.sync.settle import Settling
from lookalike.facts.fact import to_json
from lookalike.images.find import Skipped
from lookalike.index import Index
from lookalike.models import Model

if TYPE_CHECKING:
    from lookalike.images.pool import Failed, Loaded

CHANGED = "changed or gone while it was read; the next sync takes it"

_IN_A_SEGMENT = np.empty(0, np.float32)


def taken_in(intake: Intake, work: Callable[[Intake], None]) -> SyncReport:
    """The report once the work is done, and sealed."""
    place, catalogue, report = intake.place, intake.catalogue, intake.report
    with report.measured():
        with report.timed("find"):
            with catalogue.reading():
                segments.require_own(place, catalogue)
            segments.sweep(place, catalogue)
            generation = catalogue.about().generation
        work(intake)
        with report.timed("seal"):
            if catalogue.about().generation != generation or segments.is_due(catalogue):
                segments.seal(place, catalogue)
            else:
                kept.keep(place, catalogue)
    return report


class Intake:
    """What one run of a sync writes, with its report and progress; DamagedError where a segment is damaged."""

    def __init__(
        self,
        place: Place,
        catalogue: Catalogue,
        model: Model,
        progress: Progress | None,
        batch: int,
        settling: Settling | None = None,
    ) -> None:
        self.place = place
        self.catalogue = catalogue
        self.model = model
        self.batch = batch
        self.report = SyncReport(things=things(model))
        self.changes = Changes(catalogue)
        self._settling = settling
        self._progress = progress
        self._done = self._total = 0
        self._sealed = self._open_sealed()  # now, so that damage is told also where nothing is new

    def expect(self, items: int) -> None:
        """So many more are to be read."""
        self._total += items
        self.advance(0)

    def advance(self, items: int) -> None:
        """So many more were."""
        self._done += items
        if self._progress:
            self._progress(self._done, self._total)

    def is_known(self, sha256: bytes | None) -> bool:
        """Whether a content is indexed."""
        return sha256 is not None and self.catalogue.with_sha256(sha256) is not None

    def known(self, sha256: bytes | None) -> Content | None:
        """The content with this hash, if it is indexed."""
        item = self.catalogue.with_sha256(sha256) if sha256 else None
        if item is None:
            return None
        vector = self.vector(item)
        if vector is None:
            return None
        exif = self.catalogue.metadata.of(item.id).exif
        look = self.catalogue.looks.of(item.id)
        return Content(item.sha256 or b"", item.width or 0, item.height or 0, vector, exif, look)

    def vector(self, item: Item) -> NDArray[np.float32] | None:
        """The vector of an indexed item; None where it is lost."""
        if item.id not in self._sealed:
            return self.catalogue.pending_vector(item.id)
        with segments.cure_of(self.place):
            return self._sealed[item.id]

    def take(
        self,
        files: Sequence[tuple[File, Item | None]],
        pictures: Sequence[Loaded | Failed],
        has_changed: Callable[[File, Item | None], bool],
    ) -> None:
        """Add what was decoded, each picture with its file and the item that was at its path, and commit it.

        What `has_changed` since it was found is left.
        """
        from lookalike.images.pool import Failed  # needs NumPy alone

        with self.report.timed("embed"):
            contents = self._contents([picture for picture in pictures if not isinstance(picture, Failed)])
        for (file, old), picture in zip(files, pictures, strict=True):
            if has_changed(file, old):
                continue
            if isinstance(picture, Failed):
                self.fail(file, old, picture.reason)
            elif content := contents[picture.sha256]:
                self.add(file, old, content)
                if picture.facts.get("damaged"):
                    self.report.damaged.append(self.place.absolute(file.key))
            else:
                self.fail(file, old, NO_VECTOR)
        self.commit()

    def revive(self, file: File, old: Item | None, sha256: bytes | None) -> bool:
        """Whether a file is an absent picture whose vector is still in a segment: then it is there again."""
        row = self.changes.returning(file, sha256, elsewhere=False) if sha256 else None
        if row is None or row.width is None or row.height is None or row.id not in self._sealed:
            return False
        content = Content(row.sha256, row.width, row.height, _IN_A_SEGMENT, row.exif)
        self._bring_back(file, row, content, old)
        return True

    def add(self, file: File, old: Item | None, content: Content) -> None:
        if old is None or old.sha256 != content.sha256:
            row = self.changes.returning(file, content.sha256, elsewhere=self.is_known(content.sha256))
            if row:
                self._bring_back(file, row, content, old)
                return
        self.changes.remove([old.id] if old else [])
        self.changes.add(file, content, old)
        if old and old.state == "indexed":
            self.report.changed += 1
        else:
            self.report.new += 1

    def _bring_back(self, file: File, row: Absent, content: Content, old: Item | None) -> None:
        self.changes.bring_back(file, row, content, old, sealed=row.id in self._sealed)
        self.report.returned += 1
        self.report.removed += bool(old and old.state == "indexed")

    def fail(self, file: File, old: Item | None, reason: str) -> None:
        self.report.newly_failed += self.changes.fail(file, reason, old)
        self.report.failed.append(Failure(self.place.absolute(file.key), reason))

    def leave(self, file: File, reason: str) -> None:
        """Leave a file to the next sync."""
        if self._settling and reason == CHANGED:
            self._settling.unsettle(file)
        path = self.place.absolute(file.key) if keys.container_of(file.key) else file.path
        self.report.skipped.append(Skipped(path, reason))
        self.report.unsettled += 1

    def commit(self) -> None:
        """Commit the changes, and seal while syncing, so that never more than so many vectors are pending."""
        with self.report.timed("commit"):
            self.changes.commit()
        if self.catalogue.pending_count() >= segments.MOST_PENDING:
            self.seal()

    def seal(self) -> None:
        """Seal what is worth it."""
        with self.report.timed("seal"):
            segments.seal(self.place, self.catalogue)
            self._sealed = self._open_sealed()

    def _open_sealed(self) -> Index:
        with self.catalogue.reading() as about:
            return segments.open_sealed(self.place, self.catalogue, about)

    def _contents(self, pictures: Sequence[Loaded]) -> dict[bytes, Content | None]:
        """What the pictures hold, by hash; each content is embedded once, and None where that fails."""
        known = {picture.sha256: self.known(picture.sha256) for picture in pictures}
        new = {picture.sha256: picture for picture in pictures if known[picture.sha256] is None}
        if not new:
            return known
        vectors = embed(self.model, list(new.values()))
        self.report.embedded += len(new)
        for picture, vector in zip(new.values(), vectors, strict=True):
            if vector is not None:
                size, look = (picture.width, picture.height), Look(picture.thumb, picture.same)
                known[picture.sha256] = Content(picture.sha256, *size, vector, to_json(picture.facts), look)
        return known
