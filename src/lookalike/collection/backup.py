"""A copy of a collection, of one snapshot, while others search and write it; what an earlier copy has is not copied.

Segment files never change, so those that a copy has need not be copied again. Those of the snapshot are held open: a
writer may delete them meanwhile, and they can be read all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import BinaryIO

from lookalike import durable
from lookalike.collection.access import Access
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.lock import writer_lock
from lookalike.collection.mending.verify import verify
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept, segments
from lookalike.collection.sync.report import Progress
from lookalike.errors import ArgumentError, DamagedError, LookalikeError, ReadError
from lookalike.index import Index

_CHUNK = 16 << 20
# what a stopped one may have left
_OWN = re.compile(r"base|lock|segments|rows|catalogue\.sqlite\.new.*|\.lookalike-.*")
_DRAFT = ".lookalike-"


@dataclass(frozen=True)
class BackupReport:
    """What a backup did.

    Attributes:
        path: where it is.
        items: how many are indexed in it.
        copied, kept: files of sealed vectors that were copied, and that were there already.
        bytes: of those that were copied.
    """

    path: str
    items: int
    copied: int
    kept: int
    bytes: int


def backup(access: Access, to: str, progress: Progress | None) -> BackupReport:
    """What `Collection.backup` does."""
    place = Place.at(to)
    _require_free(access.place, place)
    try:
        os.makedirs(place.segments, exist_ok=True)
        with writer_lock(place.directory), ExitStack() as stack:
            _clear(place)
            items, fresh, files = access.in_snapshot(lambda _: _begin(access, place, stack))
            stack.callback(Catalogue.discard, fresh)
            missing = {name: file for name, file in files.items() if not _is_there(place, name, file)}
            copied = _copy(missing, place, progress)
            with durable.draft(place.marker) as beside:
                with open(beside, "wb") as marker:
                    marker.write(os.fsencode(access.place.base))
                durable.put(beside, place.marker)
            Catalogue.replace(place.catalogue, fresh)
            place = Place.at(to)
            with closing(Catalogue(place.catalogue)) as catalogue:
                segments.sweep(place, catalogue)
                kept.renew(place, catalogue)
                problems = verify(place, catalogue)
    except LookalikeError:
        raise
    except OSError as error:
        raise refused(place.directory, error) from error
    if problems:
        raise DamagedError(f"expected a whole backup in {place.directory}, received damage: {problems[0]}")
    return BackupReport(place.directory, items, len(missing), len(files) - len(missing), copied)


def _require_free(source: Place, place: Place) -> None:
    """ArgumentError where there is something else than a backup of this collection."""
    real, own = os.path.realpath(place.directory), os.path.realpath(source.directory)
    if real == own or real.startswith(own + os.sep):
        raise ArgumentError(f"expected another place for a backup, received {place.directory}, the collection itself")
    if not place.exists:
        if os.path.lexists(real) and not (os.path.isdir(real) and all(map(_OWN.fullmatch, names_in(real)))):
            raise ArgumentError(f"expected no file or an empty folder for a backup, received {place.directory}")
        return
    with closing(Catalogue(source.catalogue)) as one, closing(Catalogue(place.catalogue)) as other:
        if one.about().uuid != other.about().uuid or not os.path.lexists(place.marker):
            raise ArgumentError(
                f"expected an earlier backup of {source.directory}, or nothing, received another collection in "
                f"{place.directory}"
            )


def _clear(place: Place) -> None:
    """Delete what a backup that was stopped was writing."""
    for folder in (place.directory, place.segments):
        for name in names_in(folder):
            if name.startswith(_DRAFT):
                os.unlink(os.path.join(folder, name))


def _begin(access: Access, place: Place, stack: ExitStack) -> tuple[int, str, dict[str, BinaryIO]]:
    """How many items there are, a copy of the catalogue under another name, and the segment files it names, open."""
    catalogue, source = access.catalogue, access.place
    segments.require_own(source, catalogue)
    files: dict[str, BinaryIO] = {}
    for name in sorted(catalogue.files()):
        path = os.path.join(source.segments, name)
        try:
            files[name] = stack.enter_context(open(path, "rb"))  # noqa: SIM115 (the stack closes it)
        except FileNotFoundError as error:
            raise segments.damaged(source, f"the segment {path} is missing") from error
        except OSError as error:
            raise ReadError(error.errno, f"expected to read {path}, received {error.strerror}") from error
    return catalogue.counts.of("indexed"), catalogue.copy_beside(place.catalogue), files


def _is_there(place: Place, name: str, file: BinaryIO) -> bool:
    """Whether it was copied before, and is as it was."""
    path = os.path.join(place.segments, name)
    if not os.path.isfile(path) or os.path.getsize(path) != os.fstat(file.fileno()).st_size:
        return False
    if segments.digest(path) != segments.digest(f"/dev/fd/{file.fileno()}"):
        return False
    try:
        Index.open(path).verify()
    except DamagedError:
        return False
    return True


def _copy(files: Mapping[str, BinaryIO], place: Place, progress: Progress | None) -> int:
    """Copy each, whole or not at all, and verify it; DamagedError where the original is damaged."""
    total, done = sum(os.fstat(file.fileno()).st_size for file in files.values()), 0
    for name, file in files.items():
        path = os.path.join(place.segments, name)
        with durable.draft(path) as beside:
            with open(beside, "wb") as copy:
                while chunk := _read(file):
                    copy.write(chunk)
                    done += len(chunk)
                    if progress:
                        progress(done, total)
            Index.open(beside).verify()
            durable.put(beside, path)
    return total


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise ReadError(error.errno, f"expected to read {file.name}, received {error.strerror}") from error
