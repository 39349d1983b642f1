"""Bringing a collection up to date: find, compare, recognise, decode and embed, commit, seal.

Interrupted at any instant, it leaves what the last batch committed, and the next sync goes on from
there: at most one batch is embedded again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.collection.sync.changes import Changes, Content
from lookalike.collection.sync.compare import Differences, File, Survey, compare, has_changed, out_of_reach, survey
from lookalike.collection.sync.moves import Seen, find_halves, find_moves, may_have
from lookalike.collection.sync.report import Failure, Progress, SyncReport
from lookalike.collection.sync.settle import UNSETTLED, Settling
from lookalike.collection.sync.unread import read_exif, unread
from lookalike.errors import ModelError, NoPicturesError, PictureError
from lookalike.facts.fact import to_json
from lookalike.images.content import file_sha256
from lookalike.images.find import Skipped
from lookalike.models import Model

if TYPE_CHECKING:
    from lookalike.images.pool import Failed, Loaded

BATCH = 64
"""Pictures embedded and committed at once."""

_NO_VECTOR = "the model makes no usable vector of it"
_CHANGED = "changed or gone while it was read; the next sync takes it"
_HALF = "perhaps half of a move, while the other half is being written; the next sync takes both"

Fresh = tuple[File, Item | None]  # a new or changed file, with the item that was at its path


class Sync:
    """One run over the sources of a collection, by its only writer; DamagedError where the segment is damaged."""

    def __init__(
        self,
        place: Place,
        catalogue: Catalogue,
        model: Model,
        progress: Progress | None,
        batch: int,
        retry: bool,
        settling: Settling | None = None,
    ) -> None:
        self._place = place
        self._catalogue = catalogue
        self._model = model
        self._progress = progress
        self._batch = batch
        self._retry = retry
        self._settling = settling
        self._report = SyncReport()
        self._changes = Changes(catalogue)
        self._left: list[Fresh] = []
        self._roots: list[bytes] = []
        self._seen = Survey()
        self._done = self._total = 0
        with catalogue.reading() as about:  # now, so that damage is told also where nothing is new
            self._sealed = segments.open_sealed(place, catalogue, about)
            self._generation = about.generation

    def run(self) -> SyncReport:
        """Do it.

        Raises:
            NoPicturesError: no source can be read; nothing was changed.
            WriteError: the disk is full; what was committed stays.
        """
        with self._report.measured():
            self._run(self._report)
        return self._report

    def _run(self, report: SyncReport) -> None:
        with report.timed("find"):
            segments.sweep(self._place, self._catalogue)
            differences = self._compare()
            earlier = unread(self._catalogue, differences.same)
            self._total = len(differences.fresh) + len(earlier)
            self._advance(0)
            read_exif(self._place, self._catalogue, earlier, self._batch, self._advance)
            gone = {item.id: item for item in differences.vanished}
            unknown = self._recognise(differences, gone)
        self._embed(unknown)
        with report.timed("find"):
            self._look_again(gone)
        with report.timed("commit"):
            report.removed += sum(item.state == "indexed" for item in gone.values())
            self._changes.remove(gone)  # last: until then, an interrupted sync can still recognise what moved
            self._changes.commit()
        with report.timed("seal"):
            if self._catalogue.about().generation != self._generation or segments.is_due(self._catalogue):
                segments.seal(self._place, self._catalogue)

    def _compare(self) -> Differences:
        with self._catalogue.reading():
            self._roots, items = self._catalogue.roots(), self._catalogue.items()
        seen = survey(self._place, self._roots)
        if 0 < len(self._roots) == len(seen.lost) and not self._settling:  # a watch waits for them to come back
            raise NoPicturesError("; ".join(source.reason for source in seen.lost.values()))
        differences = compare(items, seen, self._retry)
        if differences.vanished:
            self._seen = seen  # for a second look; else its memory is wanted
        if self._settling:
            self._leave_unsettled(differences, self._settling)
        report = self._report
        report.skipped += seen.skipped.values()
        report.lost += seen.lost.values()
        report.unchanged = len(differences.same)
        report.kept = sum(item.state == "indexed" for item in differences.kept)
        report.failed += [Failure(self._place.absolute(i.path), i.reason or "") for i in differences.failed]
        return differences

    def _leave_unsettled(self, differences: Differences, settling: Settling) -> None:
        """Leave what is being written to the next round."""
        moving = settling.part([file for file, _ in differences.fresh])
        for file, old in differences.fresh:
            if file.key in moving:
                self._leave(file, old, UNSETTLED)
        differences.fresh = [(file, old) for file, old in differences.fresh if file.key not in moving]

    def _look_again(self, gone: dict[int, Item]) -> None:
        """Leave to the next sync of what is `gone` all that may be there: in a file that was left, or by a second look.

        Pictures that moved while the first one went on may have been missed by it, and so may those of a disk that
        was away for a moment.
        """
        if not gone:
            return
        before, now = self._seen, survey(self._place, self._roots)
        sizes = {file.size for file, _ in self._left}
        sizes |= {file.size for key, file in now.files.items() if before.files.get(key) != file}
        for item in list(gone.values()):
            if item.path in now.files or out_of_reach(item.path, now) or may_have(item, sizes):
                del gone[item.id]
                self._report.kept += item.state == "indexed"
        self._report.lost += [source for root, source in now.lost.items() if root not in before.lost]

    def _recognise(self, differences: Differences, gone: dict[int, Item]) -> list[Fresh]:
        """Settle the files whose content is known already: touched, moved or copied; return the others.

        Only a file that has the size of a known one is read. What moved is taken out of `gone`.
        """
        if not differences.fresh:
            return []
        before = [item for _, item in (*differences.fresh, *self._left) if item]
        kept = [item for item in differences.kept if item.state == "indexed"]
        known = [item for item in (*differences.same, *kept, *gone.values(), *before) if item.sha256]
        indexed = {item.sha256 for item in known if item.state == "indexed"}
        seen = list(self._hashed(differences.fresh, known, indexed))
        halves = self._halves(seen, differences.same)
        for each in halves.values():
            self._leave(each.file, each.old, _HALF)
            if each.sha256 not in indexed:
                self._advance(1)
        return list(self._copied(self._moved([each for each in seen if each.file.key not in halves], gone)))

    def _moved(self, seen: Sequence[Seen], gone: dict[int, Item]) -> list[Seen]:
        """Write down what was touched or moved, and return the other files, each with the item whose facts it gets."""
        moved = find_moves(seen, gone.values())
        ids = {item.id for item in moved.values()}
        rest: list[Seen] = []
        for each in seen:
            old = None if each.old and each.old.id in ids else each.old  # by now elsewhere
            item = old if each.is_old else moved.get(each.file.key)
            if item is None:
                rest.append(each._replace(old=old))
                continue
            gone.pop(item.id, None)
            if old and old is not item:
                self._changes.remove([old.id])
                self._report.removed += old.state == "indexed"
            if item.state == "failed":  # it has no vector: its file is read as a new one, now or by the next sync
                if item is not old:
                    item = self._changes.touch(each.file._replace(mtime_ns=-1), item)
                rest.append(each._replace(old=item))
                continue
            self._changes.touch(each.file, item)
            if item is old:
                self._report.unchanged += 1
            else:
                self._report.moved += 1
        self._changes.commit()  # at once, for what changed places is half of a move without the other half
        return rest

    def _hashed(self, fresh: Sequence[Fresh], known: Sequence[Item], indexed: Set[bytes | None]) -> Iterator[Seen]:
        """The files with what tells their contents; those whose content is indexed are done with then."""
        sizes = {item.size for item in known}
        any_size = any(item.state == "failed" for item in known)  # see `may_have`
        for file, old in fresh:
            sha256 = _sha256(file.path) if any_size or file.size in sizes else None
            if sha256 not in indexed:  # it is counted when it is decoded
                yield Seen(file, old, sha256)
                continue
            if has_changed(file):
                self._leave(file, old, _CHANGED)
            else:
                yield Seen(file, old, sha256)
            self._advance(1)

    def _halves(self, seen: Sequence[Seen], same: Sequence[Item]) -> dict[bytes, Seen]:
        """What may be half of a move, by path: to a file that was left, or while the folder was looked through."""
        copied = {each.sha256 for each in seen}
        uncertain = [item for _, item in self._left if item]
        uncertain += [item for item in same if item.sha256 in copied and has_changed(self._file(item))]
        return find_halves(seen, [file for file, _ in self._left], uncertain)

    def _copied(self, rest: Sequence[Seen]) -> Iterator[Fresh]:
        """Add the files that are copies, by batches, and give the others."""
        for file, old, sha256 in rest:
            content = self._known(sha256)
            if content is None:
                yield file, old
                continue
            self._add(file, old, content)
            if len(self._changes) >= self._batch:
                self._changes.commit()
                self._seal_much()
        self._changes.commit()

    def _embed(self, unknown: Sequence[Fresh]) -> None:
        """Decode the files on all cores, and embed and commit them by batches."""
        if not unknown:
            return
        from lookalike.images.pool import DecoderPool, Failed  # Pillow, which a sync without news spares

        report = self._report
        with DecoderPool() as pool:
            results = self._watched(pool.load((file.path for file, _ in unknown), self._model.input))
            for start in range(0, len(unknown), self._batch):
                files = unknown[start : start + self._batch]
                with report.timed("decode"):
                    pictures = list(islice(results, len(files)))
                with report.timed("embed"):
                    contents = self._contents([p for p in pictures if not isinstance(p, Failed)])
                for (file, old), picture in zip(files, pictures, strict=True):
                    if has_changed(file):
                        self._leave(file, old, _CHANGED)
                    elif isinstance(picture, Failed):
                        self._fail(file, old, picture.reason)
                    elif content := contents[picture.sha256]:
                        self._add(file, old, content)
                    else:
                        self._fail(file, old, _NO_VECTOR)
                with report.timed("commit"):
                    self._changes.commit()
                with report.timed("seal"):
                    self._seal_much()

    def _seal_much(self) -> None:
        """Seal while syncing, so that never more than so many vectors are pending."""
        if self._catalogue.pending_count() >= segments.MOST_PENDING:
            segments.seal(self._place, self._catalogue)
            with self._catalogue.reading() as about:
                self._sealed = segments.open_sealed(self._place, self._catalogue, about)

    def _contents(self, pictures: Sequence[Loaded]) -> dict[bytes, Content | None]:
        """What the pictures hold, by hash; each content is embedded once, and None where that fails."""
        known = {picture.sha256: self._known(picture.sha256) for picture in pictures}
        new = {picture.sha256: picture for picture in pictures if known[picture.sha256] is None}
        if not new:
            return known
        vectors = self._model.embed(np.stack([picture.pixels for picture in new.values()]))
        if vectors.shape != (len(new), self._model.dim):
            raise ModelError(
                f"expected {len(new)} vectors of {self._model.dim} dimensions from the model "
                f"{self._model.name}, received an array of shape {vectors.shape}; correct its `embed`"
            )
        self._report.embedded += len(new)
        for picture, vector in zip(new.values(), vectors, strict=True):
            if np.isfinite(vector).all() and vector.any():
                known[picture.sha256] = Content(
                    picture.sha256, picture.width, picture.height, vector, to_json(picture.facts)
                )
        return known

    def _known(self, sha256: bytes | None) -> Content | None:
        """The content with this hash, if it is indexed."""
        item = self._catalogue.with_sha256(sha256) if sha256 else None
        if item is None:
            return None
        vector = self._catalogue.pending_vector(item.id)
        if vector is None:
            if item.id not in self._sealed:
                return None
            with segments.cure_of(self._place):
                vector = self._sealed[item.id]
        exif = self._catalogue.metadata.of(item.id).exif
        return Content(item.sha256 or b"", item.width or 0, item.height or 0, vector, exif)

    def _add(self, file: File, old: Item | None, content: Content) -> None:
        self._changes.remove([old.id] if old else [])
        self._changes.add(file, content, old)
        if old and old.state == "indexed":
            self._report.changed += 1
        else:
            self._report.new += 1

    def _fail(self, file: File, old: Item | None, reason: str) -> None:
        self._report.newly_failed += self._changes.fail(file, reason, old)
        self._report.failed.append(Failure(file.path, reason))

    def _leave(self, file: File, old: Item | None, reason: str) -> None:
        """Leave a file to the next sync, and what was at its path as it is."""
        self._left.append((file, old))
        if self._settling and reason == _CHANGED:
            self._settling.unsettle(file)
        self._report.skipped.append(Skipped(file.path, reason))
        self._report.unsettled += 1

    def _file(self, item: Item) -> File:
        """The file of an item, as it was found."""
        return File(item.path, self._place.absolute(item.path), item.size, item.mtime_ns)

    def _watched(self, pictures: Iterator[Loaded | Failed]) -> Iterator[Loaded | Failed]:
        for picture in pictures:
            self._advance(1)
            yield picture

    def _advance(self, files: int) -> None:
        self._done += files
        if self._progress:
            self._progress(self._done, self._total)


def _sha256(path: str) -> bytes | None:
    """The hash of a file, or None for one that cannot be read: decoding will say why."""
    try:
        return file_sha256(path)
    except PictureError:
        return None
