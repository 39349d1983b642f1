"""The sealed vectors of a collection: immutable files in `segments/`, named in the catalogue.

A seal writes the pending vectors, and those of some older files, into a new file, whole or not at all, and
then names it in one transaction that also drops the pending vectors and the older files' names; a file that
the catalogue does not name is an orphan. The name of a file has a digest of what is in it: copies of a collection
that went on apart, and were then mixed, are told by it.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.durable import sync
from lookalike.errors import ArgumentError, DamagedError, IdError, LookalikeError, NotAnIndexError, VectorError
from lookalike.index import Index

MOST_PENDING = 4096
"""So many pending vectors are worth a seal, or fewer where the sealed ones are less than eight times as many."""

_MUCH = 256 << 20  # bytes of vectors: more are sealed through files, not in memory
_WORN = 1 / 4  # of a file's vectors: so many removed ones are worth a new file
_ADVICE = "; restore it from a copy or build it again"
_ENDING = ".segment"
_NAME = re.compile(r"(\d{6,})(?:-([0-9a-f]{16}))?\.segment")  # without a digest until it is whole; a part adds to it
_FOOTER = struct.Struct("<8sQ48x")  # its magic, and the checksum of those of all blocks: docs/format.md
_MAGIC = b"\nGESKOOL"


class Vectors(Protocol):
    """Where vectors are pending, and which files hold the others: a catalogue, or a change of its model.

    Its methods are those of `Catalogue`.
    """

    def reading(self) -> AbstractContextManager[About]: ...
    def writing(self) -> AbstractContextManager[None]: ...
    def segments(self) -> dict[str, int]: ...
    def files(self) -> set[str]: ...
    def pending(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
    def pending_count(self) -> int: ...
    def removed(self) -> NDArray[np.int64]: ...
    def awaited(self) -> list[int]: ...
    def total(self, table: str) -> tuple[int, int]: ...
    def seal(self, name: str, vectors: int, instead_of: Iterable[str], forgotten: Iterable[int]) -> None: ...
    def compact(self) -> None: ...


@contextmanager
def cure_of(place: Place) -> Iterator[None]:
    """Around the use of an index, whose blocks are verified when first touched: say how a collection goes on."""
    try:
        yield
    except DamagedError as error:
        if str(error).endswith(_ADVICE):
            raise damaged(place, bare(error)) from error
        raise


def open_sealed(place: Place, catalogue: Vectors, about: About, beside: Index | None = None) -> Index:
    """All sealed vectors, mapped into memory; also those that were removed since. Empty before the first seal.

    Args:
        beside: an index of some of the files, which is shared as far as it goes.

    Raises:
        DamagedError: a segment is missing, damaged or another one.
    """
    require_own(place, catalogue)
    return open_some(place, about, catalogue.segments(), beside)


def require_own(place: Place, catalogue: Vectors) -> None:
    """DamagedError where a file that the catalogue names is missing, or another one by its digest; none is read."""
    names, named = catalogue.segments(), catalogue.files()
    try:
        for name in names:
            require_as_named(place, name, named)
    except DamagedError as error:
        raise damaged(place, str(error)) from error


def require_as_named(place: Place, name: str, named: AbstractSet[str]) -> None:
    """The same of one file, within those that the catalogue has `named`; what else is wrong is told by who opens it."""
    path = os.path.join(place.segments, name)
    if not os.path.lexists(path):
        others = [other for other in names_in(place.segments) if segment_name(other) and other not in named]
        mixed = f", and {len(others):,} are there that it does not name: files of two copies may be mixed"
        raise DamagedError(f"the segment {path} of the catalogue is missing{mixed if others else ''}")
    if not is_as_named(place, name):
        raise DamagedError(
            f"{path} is not the segment that was written under this name: it was altered, or files of two copies are "
            "mixed"
        )


def is_as_named(place: Place, name: str) -> bool:
    """Whether a file has the digest in its name, if both have one; what an earlier version wrote has none."""
    match = _NAME.fullmatch(name)
    return match is None or match[2] is None or digest(os.path.join(place.segments, name)) in (match[2], None)


def is_due(catalogue: Vectors) -> bool:
    """Whether enough is pending for a seal, or files are too many."""
    sealed = catalogue.segments()
    return _is_much(catalogue.pending_count(), sealed) or bool(_crowd(list(sealed.values())))


def seal(place: Place, catalogue: Vectors, *, everything: bool = False) -> None:
    """Seal what is pending, with the files that are no larger than twice what is sealed; bring many files into few.

    A vector is then written O(log n) times in its life, and files are few (Bentley & Saxe, J. Algorithms 1980).
    Files of which much was removed are written anew, too; with `everything` all are, into one. Where nothing of
    this is to be done, no file is written. Vectors of pictures that are gone and may come back count as if they were
    there, but with `everything`. Only the writer does this.

    Raises:
        WriteError: no permission, or the disk is full; everything committed is still there.
    """
    sealed = _seal(place, catalogue, everything)
    if isinstance(catalogue, Catalogue):  # what a change of the model gathers has no rows of its own
        kept.keep(place, catalogue, all_facts=everything)  # before those of the older files are swept
    if sealed:
        catalogue.compact()
        sweep(place, catalogue)


def _seal(place: Place, catalogue: Vectors, everything: bool) -> bool:
    """Whether there was something to be done."""
    with catalogue.reading() as about:
        names, gone = catalogue.segments(), catalogue.total("removed")[0]
        awaited = [] if everything else catalogue.awaited()
        if not (everything or is_due(catalogue) or gone > _WORN * min(names.values(), default=0)):
            return False
        whole = everything and len(names) <= 1 and not (gone or catalogue.pending_count())
        removed = np.setdiff1d(catalogue.removed(), awaited, assume_unique=True)
        merged = list(names) if everything else _worth_merging(place, catalogue, about, removed)
        if not (everything or merged or _is_much(catalogue.pending_count(), names)):
            return False
    if not whole:
        _write_anew(place, catalogue, merged, removed, everything)
    return True


def _is_much(pending: int, sealed: Mapping[str, int]) -> bool:
    """Whether so many pending vectors are worth a file."""
    return pending > min(sum(sealed.values()) / 8, MOST_PENDING - 1)


def _crowd(sizes: Sequence[int]) -> int:
    """How many of the smallest files are too many: the largest of them is no larger than twice the next one.

    None as long as files are written by `seal` alone; but much that comes at once comes in several of one size.
    """
    sizes = sorted(sizes)
    return max((i + 1 for i in range(1, len(sizes)) if sizes[i] <= 2 * sizes[i - 1]), default=0)


def _write_anew(
    place: Place, catalogue: Vectors, merged: Sequence[str], removed: NDArray[np.int64], everything: bool
) -> None:
    """Seal what is pending and what the merged files hold into one file."""
    with catalogue.reading() as about:
        names = catalogue.segments()
        ids, vectors = catalogue.pending()
        index = open_some(place, about, {name: names[name] for name in merged})
    with cure_of(place):
        forgotten = np.intersect1d(removed, index.ids, assume_unique=True)
        index.remove(forgotten)
        try:
            index.add(vectors, ids)
        except (IdError, VectorError) as error:
            raise damaged(place, f"a pending vector that is sealed, or none: {error}") from error
        name = ""
        if len(index):
            name = save(place, about, index, next_name(place, names), [other for other in names if other not in merged])
    with catalogue.writing():
        catalogue.seal(name, len(index), merged, (removed if everything else forgotten).tolist())


def save(place: Place, about: About, index: Index, name: str, beside: Sequence[str]) -> str:
    """Write a segment file, and give its name: that of `next_name` with a digest.

    Its note names the collection and the model: a catalogue that is lost may be made after it.
    All files of a collection have one note, and earlier versions named no model: where one of those stays `beside` the
    new file, this has its note.
    """
    note = {"collection": about.uuid, "model": about.model, "model_hash": about.model_hash}
    if beside:
        note = Index.open(os.path.join(place.segments, beside[0])).note
    much = len(index) * about.dim * 4 > _MUCH
    path = os.path.join(place.segments, name)
    index.save(path, note=note, little_memory=much)
    named = f"{name.removesuffix(_ENDING)}-{digest(path)}{_ENDING}"
    try:
        os.rename(path, os.path.join(place.segments, named))
        sync(place.segments)
    except OSError as error:
        raise refused(place.segments, error) from error
    return named


def digest(path: str) -> str | None:
    """Of the whole file; None where it has none: who opens it says why."""
    try:
        with open(path, "rb") as file:
            file.seek(-_FOOTER.size, os.SEEK_END)
            magic, digest = _FOOTER.unpack(file.read())
    except OSError:
        return None
    return f"{digest:016x}" if magic == _MAGIC else None


def _worth_merging(place: Place, catalogue: Vectors, about: About, removed: NDArray[np.int64]) -> list[str]:
    """The files to be written anew: the worn, those that are too many, and the small that fit to what is sealed."""
    merged, left = [], []
    names = catalogue.segments()
    pending = catalogue.pending_count()
    size = pending if _is_much(pending, names) else 0
    for name, vectors in names.items():
        gone = 0
        if len(removed) > _WORN * vectors:  # else it cannot be worn, and need not be opened
            with cure_of(place):
                gone = len(np.intersect1d(removed, open_some(place, about, {name: vectors}).ids, assume_unique=True))
        if gone > _WORN * vectors:
            merged.append(name)
            size += vectors - gone
        else:
            left.append((vectors - gone, name))
    left.sort()
    crowd = _crowd([live for live, _ in left])
    for number, (live, name) in enumerate(left):
        if number >= crowd and live > 2 * size:
            break
        merged.append(name)
        size += live
    return merged


def open_some(place: Place, about: About, names: dict[str, int], beside: Index | None = None) -> Index:
    """The vectors of some files, given how many each holds."""
    if not names:
        return Index(about.dim, about.metric)
    paths = [os.path.join(place.segments, name) for name in names]
    try:
        index = Index.open(*paths, beside=beside)
        made_for = index.note.get("collection"), index.dim, index.metric
    except (ArgumentError, DamagedError, NotAnIndexError) as error:
        raise damaged(place, bare(error)) from error
    if made_for != (about.uuid, about.dim, about.metric) or len(index) != sum(names.values()):
        raise damaged(place, f"a segment of another collection among {', '.join(paths)}")
    return index


def sweep(place: Place, catalogue: Vectors) -> None:
    """Delete the segment files that the catalogue does not name; the writer does this.

    A reader that has one mapped keeps it; one that was about to open it starts again.
    """
    with catalogue.reading():
        named = catalogue.files()
    for name in names_in(place.segments):
        if name not in named and _NAME.match(name):
            try:
                os.unlink(os.path.join(place.segments, name))
            except OSError as error:
                raise refused(place.segments, error) from error


def next_name(place: Place, names: Iterable[str]) -> str:
    """A name for a new file, which gets its digest when it is saved: not of these, nor of what lies there."""
    return f"{1 + max([0, *map(_number, [*names, *names_in(place.segments)])]):06}{_ENDING}"


def bytes_on_disk(place: Place) -> int:
    """The size of all files of a collection."""
    sealed = [os.path.join(folder, name) for folder in (place.segments, place.rows) for name in names_in(folder)]
    files = [place.catalogue, f"{place.catalogue}-wal", *sealed]
    total = 0
    for path in files:
        with suppress(FileNotFoundError):  # before a first change there is no WAL; a writer sweeps meanwhile
            total += os.path.getsize(path)
    return total


def segment_name(name: str) -> bool:
    """Whether a file of this name is a segment, and not what was to become one."""
    return _NAME.fullmatch(name) is not None


def _number(name: str) -> int:
    match = _NAME.match(name)
    return int(match[1]) if match else 0


def bare(error: LookalikeError) -> str:
    """What is wrong with an index, without what the engine advises to do: of a collection it can be mended."""
    return str(error).removesuffix(_ADVICE)


def damaged(place: Place, found: str) -> DamagedError:
    """The error to raise for damage of what a collection has sealed."""
    return DamagedError(
        f"the collection in {place.directory} is damaged ({found}); mend it by `lookalike repair {place.directory}` "
        "(your files are not touched)"
    )
