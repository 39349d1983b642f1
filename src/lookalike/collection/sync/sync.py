"""Bringing a collection up to date: find, compare, recognise, decode and embed, commit, seal.

Interrupted at any instant, it leaves what the last batch committed, and the next sync goes on from
there: at most one batch is embedded again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.place import Place
from lookalike.collection.sync.compare import (
    Differences,
    File,
    Survey,
    change_time,
    compare,
    has_changed,
    is_below,
    out_of_reach,
    survey,
)
from lookalike.collection.sync.intake import CHANGED, Intake, taken_in
from lookalike.collection.sync.moves import Seen, find_halves, find_moves, may_have
from lookalike.collection.sync.report import Emptied, Failure, Progress, SyncReport
from lookalike.collection.sync.settle import UNSETTLED, Settling
from lookalike.collection.sync.unchanged import are_unchanged, note
from lookalike.collection.sync.unread import read_exif, unread
from lookalike.errors import NoPicturesError, PictureError
from lookalike.images.content import file_sha256
from lookalike.models import Model

if TYPE_CHECKING:
    from lookalike.collection.sources import Looked
    from lookalike.collection.sync.archives import ArchiveSync
    from lookalike.images.pool import Failed, Loaded

BATCH = 64
"""Pictures embedded and committed at once."""

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
        looked: Mapping[bytes, Looked] | None = None,
    ) -> None:
        self._looked = looked or {}
        self._place = place
        self._catalogue = catalogue
        self._retry = retry
        self._settling = settling
        self._intake = Intake(place, catalogue, model, progress, batch, settling)
        self._report = self._intake.report
        self._changes = self._intake.changes
        self._left: list[Fresh] = []
        self._roots: list[bytes] = []
        self._files: set[bytes] = set()  # the sources that were files
        self._seen = Survey()
        self._elsewhere: list[Item] = []  # the indexed items that are no files

    def run(self) -> SyncReport:
        """Do it.

        Raises:
            NoPicturesError: no source can be read; nothing was changed.
            WriteError: the disk is full; what was committed stays.
        """
        report = taken_in(self._intake, self._run)
        report.absent, report.kept_days = self._catalogue.absent.count(), self._catalogue.absent.days
        return report

    def _run(self, intake: Intake) -> None:
        if intake.catalogue.absent.is_one_due():
            with intake.catalogue.writing():
                intake.catalogue.absent.forget_due()
        with intake.catalogue.reading():
            containers = intake.catalogue.containers.all()
            inside = {container.path for container in containers}
            self._roots = [root for root in intake.catalogue.roots() if root not in inside]
        if intake.report.things == "vectors":
            self._take_vectors(containers)
        else:
            self._take_pictures(containers)

    def _take_vectors(self, containers: Sequence[Container]) -> None:
        from lookalike.collection.sync.vector_files import VectorSync

        moving = self._moving([], containers)
        for container in containers:
            if container.path not in moving:
                VectorSync(self._intake, container, self._retry, self._looked.get(container.path)).run()
        self._require_source(containers)

    def _take_pictures(self, containers: Sequence[Container]) -> None:
        report = self._report
        with report.timed("find"):
            self._files = set(self._catalogue.at(self._roots))
            seen = survey(self._place, self._roots, self._files)
            if not (containers or self._retry or seen.lost or seen.gone) and self._is_unchanged(seen):
                return
            differences, archives = self._compare(seen, containers)
            inside = [item for item in self._elsewhere if keys.container_of(item.path)]
            earlier = unread(self._catalogue, [*differences.same, *inside])
            self._intake.expect(len(differences.fresh) + len(earlier))
            self._read_exif(earlier, containers)
            if differences.are_none and not (containers or earlier or self._left):
                with self._catalogue.reading() as about:
                    note(self._place, about, seen)
            del seen  # its memory is wanted
            gone = {item.id: item for item in differences.vanished}
            for archive in archives:
                archive.look(gone)
            unknown = self._recognise(differences, [seen for each in archives for seen in each.compare(gone)], gone)
        self._embed(unknown.pop(None, []))
        left = [file for file, _ in self._left]
        for archive in archives:
            archive.take({file.key: old for file, old in unknown.get(archive.key, [])}, left, gone)
        with report.timed("find"):
            self._look_again(gone)
        report.removed += sum(item.state == "indexed" for item in gone.values())
        self._tell_emptied(gone)
        self._changes.leave(gone)  # last: until then, an interrupted sync can still recognise what moved
        self._changes.drop_roots(self._seen.gone.intersection(item.path for item in gone.values()))
        self._intake.commit()
        self._require_source(containers)

    def _is_unchanged(self, seen: Survey) -> bool:
        """Whether all that was found is as it was; then that is reported."""
        with self._catalogue.reading() as about:
            if not are_unchanged(self._place, about, seen):
                return False
            failed = {item.path: item for item in self._catalogue.failed()}
            self._report.unchanged = self._catalogue.counts.of("indexed")
        self._moving([], [])
        self._intake.expect(0)
        self._report.skipped += seen.skipped.values()
        files = [failed.pop(key) for key in seen.files if key in failed]
        for item in (*files, *failed.values()):
            self._report.failed.append(Failure(self._place.absolute(item.path), item.reason or ""))
        return True

    def _read_exif(self, earlier: Sequence[Item], containers: Sequence[Container]) -> None:
        if earlier:
            from lookalike.collection.originals import pictures

            found = [(item, self._place.absolute(keys.container_of(item.path) or item.path)) for item in earlier]
            sources = pictures(self._place, found, {each.path: each for each in containers})
            read_exif(self._catalogue, sources, self._intake.batch, self._intake.advance)

    def _archives(self, containers: Sequence[Container], items: Sequence[Item]) -> list[ArchiveSync]:
        """What brings archives up to date, each with what is indexed of it."""
        if not containers:
            return []
        from lookalike.collection.sync.archives import ArchiveSync  # what reads them, which nothing else needs

        of: dict[bytes | None, list[Item]] = {}
        for item in items:
            of.setdefault(keys.container_of(item.path), []).append(item)
        return [
            ArchiveSync(self._intake, each, of.get(each.path, []), self._retry, self._looked.get(each.path))
            for each in containers
        ]

    def _moving(self, files: Sequence[File], containers: Sequence[Container]) -> set[bytes]:
        """The keys of those that are being written, and wait for the next round of a watch."""
        if not self._settling:
            return set()
        changed = []
        for container in containers:
            path = self._place.absolute(container.path)
            with suppress(OSError):  # whoever reads it says why
                status = os.stat(path)
                file = File(container.path, path, status.st_size, change_time(status))
                if (file.size, file.mtime_ns) != (container.size, container.mtime_ns):
                    changed.append(file)
        moving = self._settling.part([*files, *changed])
        for file in changed:
            if file.key in moving:
                self._intake.leave(file, UNSETTLED)
                self._report.kept += self._catalogue.counts.under(file.key, "indexed")
        return moving

    def _require_source(self, containers: Sequence[Container]) -> None:
        """Raise where no source of any kind can be read; a watch waits for them to come back."""
        sources, lost = len(self._roots) + len(containers), self._report.lost
        if 0 < sources == len(lost) and not self._settling:
            told = (each.reason if each.path in each.reason else f"{each.path}: {each.reason}" for each in lost)
            raise NoPicturesError("; ".join(told))

    def _compare(self, seen: Survey, containers: Sequence[Container]) -> tuple[Differences, list[ArchiveSync]]:
        """What changed, and the archives that are not being written."""
        with self._catalogue.reading():
            items = self._catalogue.items()
        fetched = [item for item in items if keys.is_url(item.path)]
        inside = [item for item in items if keys.container_of(item.path)]
        self._elsewhere = [item for item in (*fetched, *inside) if item.state == "indexed"]
        items = [item for item in items if not (keys.is_url(item.path) or keys.container_of(item.path))]
        for container in containers:
            seen.skipped.pop(container.path, None)  # it lies in another source
        if 0 < len(self._roots) == len(seen.lost) and not (containers or self._settling):
            raise NoPicturesError("; ".join(source.reason for source in seen.lost.values()))
        differences = compare(items, seen, self._retry)
        if differences.vanished:
            self._seen = seen  # for a second look; else its memory is wanted
        moving = self._moving([file for file, _ in differences.fresh], containers)
        for file, old in differences.fresh:
            if file.key in moving:
                self._leave(file, old, UNSETTLED)
        differences.fresh = [(file, old) for file, old in differences.fresh if file.key not in moving]
        report = self._report
        report.skipped += seen.skipped.values()
        report.lost += seen.lost.values()
        report.unchanged = len(differences.same) + sum(item.state == "indexed" for item in fetched)
        report.kept = sum(item.state == "indexed" for item in differences.kept)
        report.failed += [
            Failure(self._place.absolute(i.path), i.reason or "")
            for i in differences.failed + [item for item in fetched if item.state == "failed"]
        ]
        return differences, self._archives([each for each in containers if each.path not in moving], inside)

    def _look_again(self, gone: dict[int, Item]) -> None:
        """Leave to the next sync of what is `gone` all that may be there: in a file that was left, or by a second look.

        Pictures that moved while the first one went on may have been missed by it, and so may those of a disk that
        was away for a moment.
        """
        files = [item for item in gone.values() if not keys.container_of(item.path)]
        if not files:
            return
        before, now = self._seen, survey(self._place, self._roots, self._files)
        sizes = {file.size for file, _ in self._left}
        sizes |= {file.size for key, file in now.files.items() if before.files.get(key) != file}
        for item in files:
            if item.path in now.files or out_of_reach(item.path, now) or may_have(item, sizes):
                del gone[item.id]
                self._report.kept += item.state == "indexed"
        self._report.lost += [source for root, source in now.lost.items() if root not in before.lost]

    def _tell_emptied(self, gone: Mapping[int, Item]) -> None:
        """Report the folders of which every picture is gone."""
        files = (item for item in gone.values() if not keys.container_of(item.path))
        paths = [item.path for item in files if item.state == "indexed"]
        for root in self._seen.read - self._files if paths else ():
            count = sum(is_below(path, root) for path in paths)
            if count and not any(is_below(key, root) for key in self._seen.files):
                self._report.emptied.append(Emptied(self._place.absolute(root), count))

    def _recognise(
        self, differences: Differences, inside: Sequence[Seen], gone: dict[int, Item]
    ) -> dict[bytes | None, list[Fresh]]:
        """Settle what is known by its content: touched, moved or copied; return the rest, by the archive it is in.

        Only a file that has the size of a known one is read. What moved is taken out of `gone`.

        Args:
            inside: what was seen in archives.
        """
        unknown: dict[bytes | None, list[Fresh]] = {}
        if not (differences.fresh or inside):
            return unknown
        before = [item for _, item in (*differences.fresh, *self._left) if item]
        before += [each.old for each in inside if each.old]
        kept = [item for item in differences.kept if item.state == "indexed"]
        known = [item for item in (*differences.same, *kept, *self._elsewhere, *gone.values(), *before) if item.sha256]
        indexed = {item.sha256 for item in known if item.state == "indexed"}
        seen = [*self._hashed(differences.fresh, known, indexed), *inside]
        halves = self._halves(seen, differences.same)
        for each in halves.values():
            self._leave(each.file, each.old, _HALF)
            if each.sha256 not in indexed:
                self._intake.advance(1)
        whole = [each for each in seen if each.file.key not in halves]
        for file, old in self._copied(self._moved(whole, gone)):
            unknown.setdefault(keys.container_of(file.key), []).append((file, old))
        return unknown

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
            self._changes.drop_roots(self._seen.gone & {item.path})
            if old and old is not item:
                self._changes.leave([old.id])
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
        sizes = {item.size for item in known} | self._catalogue.absent.sizes()
        any_size = any(item.state == "failed" for item in known) or -1 in sizes  # see `may_have`
        for file, old in fresh:
            sha256 = _sha256(file.path) if any_size or file.size in sizes else None
            if sha256 not in indexed:  # it is counted when it is decoded
                yield Seen(file, old, sha256)
                continue
            if has_changed(file):
                self._leave(file, old, CHANGED)
            else:
                yield Seen(file, old, sha256)
            self._intake.advance(1)

    def _halves(self, seen: Sequence[Seen], same: Sequence[Item]) -> dict[bytes, Seen]:
        """What may be half of a move, by path: to a file that was left, or while the folder was looked through."""
        copied = {each.sha256 for each in seen}
        uncertain = [item for _, item in self._left if item]
        uncertain += [item for item in same if item.sha256 in copied and has_changed(self._file(item))]
        return find_halves(seen, [file for file, _ in self._left], uncertain)

    def _copied(self, rest: Sequence[Seen]) -> Iterator[Fresh]:
        """Add the files that are copies, by batches, and give the others."""
        for file, old, sha256 in rest:
            content = self._intake.known(sha256)
            if content:
                self._intake.add(file, old, content)
            elif self._intake.revive(file, old, sha256):
                self._intake.advance(1)
            else:
                yield file, old
                continue
            if len(self._changes) >= self._intake.batch:
                self._intake.commit()
        self._intake.commit()

    def _embed(self, unknown: Sequence[Fresh]) -> None:
        """Decode the files on all cores, and embed and commit them by batches."""
        if not unknown:
            return
        from lookalike.images.pool import DecoderPool  # Pillow, which a sync without news spares

        with DecoderPool() as pool:
            results = pool.load((file.path for file, _ in unknown), self._intake.model.input)
            for start in range(0, len(unknown), self._intake.batch):
                files = unknown[start : start + self._intake.batch]
                with self._report.timed("decode"):
                    pictures = list(self._watched(islice(results, len(files))))
                self._intake.take(files, pictures, self._has_changed)

    def _has_changed(self, file: File, old: Item | None) -> bool:
        """Whether a file is another one by now, and left."""
        changed = has_changed(file)
        if changed:
            self._leave(file, old, CHANGED)
        return changed

    def _leave(self, file: File, old: Item | None, reason: str) -> None:
        """Leave a file to the next sync, and what was at its path as it is."""
        self._left.append((file, old))
        self._intake.leave(file, reason)

    def _file(self, item: Item) -> File:
        """The file of an item, as it was found."""
        return File(item.path, self._place.absolute(item.path), item.size, item.mtime_ns)

    def _watched(self, pictures: Iterator[Loaded | Failed]) -> Iterator[Loaded | Failed]:
        for picture in pictures:
            self._intake.advance(1)
            yield picture


def _sha256(path: str) -> bytes | None:
    """The hash of a file, or None for one that cannot be read: decoding will say why."""
    try:
        return file_sha256(path)
    except PictureError:
        return None
