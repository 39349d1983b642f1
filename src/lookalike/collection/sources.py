"""What was given to be indexed: folders, pictures, archives, files of vectors; looked at before anything is made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lookalike.collection.rows import require
from lookalike.collection.sync.compare import change_time
from lookalike.errors import ArgumentError, NoPicturesError, VectorFileError
from lookalike.images.find import ARCHIVE, READ, Found, find, is_called_a_picture
from lookalike.vectors import VectorFile, open_vectors
from lookalike.vectors.kind import kind
from lookalike.vectors.source import find as find_file

if TYPE_CHECKING:
    from lookalike.collection.catalogue.containers import Container
    from lookalike.images.archives import Contents, Passed

_VECTORS_ALONE = ("layout", "format", "names")  # of the options, those that no archive has
_ENDINGS = (
    *(".npy", ".npz", ".h5", ".hdf5", ".parquet", ".arrow", ".feather", ".vec"),
    *(".fvecs", ".bvecs", ".ivecs", ".fbin", ".u8bin", ".i8bin"),
)  # of files that hold vectors, or nothing that is read


class Looked(NamedTuple):
    """An archive or a file of vectors that was looked through.

    Attributes:
        size, mtime_ns: of the file then.
        contents: of an archive.
    """

    size: int
    mtime_ns: int
    contents: Contents | None = None


@dataclass
class Sources:
    """Sources by what they are.

    Attributes:
        plain: folders, pictures, and what only its content can tell.
        archives, vectors: with what was found when they were looked through.
        opened: all vectors together.
        options: how these are read, as a mapping for `look` or `open_vectors`.
    """

    plain: list[str] = field(default_factory=list)
    archives: dict[str, Looked] = field(default_factory=dict)
    vectors: dict[str, Looked] = field(default_factory=dict)
    opened: VectorFile | None = None
    options: dict[str, Any] = field(default_factory=dict)


def look_at(paths: Sequence[str], options: Mapping[str, Any], known: Mapping[str, Container]) -> Sources:
    """Sort the sources, and read through those that are archives or files of vectors.

    Args:
        known: the archives that the collection has, by path; one that is as it was is not read.
        options: `layout`, `format`, `key`, `names`, as for `open_vectors`; in Parquet `key` is also the column of
            pictures.

    Raises:
        NoPicturesError: one that cannot be read, or none that holds a picture.
        ArgumentError: both pictures and vectors, or an option that nothing given has.
        ArchiveError, VectorFileError, ReadError: a damaged one, one that cannot be taken as it is, or not be read now.
    """
    given = {name: value for name, value in options.items() if value is not None}
    sources = Sources()
    names: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        match _what(path, given):
            case "vectors":
                if names.setdefault(os.path.realpath(path), path) == path:  # else it is there by another name
                    sources.vectors[path] = _looked(path)
            case "archive":
                sources.archives[path] = _looked(path)
            case _:
                sources.plain.append(path)
    if sources.vectors and (sources.plain or sources.archives):
        one, other = next(iter(sources.vectors)), [*sources.plain, *sources.archives][0]
        raise ArgumentError(
            f"expected either pictures or files of vectors, received {one}, which holds vectors, and "
            f"{other}, which does not; keep them in two places"
        )
    if sources.vectors:
        _read_vectors(sources, given)
    else:
        _read_pictures(sources, given, known)
    return sources


def _what(path: str, options: Mapping[str, Any]) -> Literal["archive", "vectors", "plain"]:
    """By the content of a file, where its name does not say that it is a picture; ReadError where that is closed."""
    if not os.path.isfile(path) or is_called_a_picture(path):
        return "plain"
    if any(name in options for name in _VECTORS_ALONE):
        return "vectors"
    from lookalike.images.archives import archive_kind

    archive = archive_kind(path)
    if archive == "parquet":
        return "vectors" if _holds_vectors(path, options) else "archive"
    if archive:
        return "archive"
    try:
        kind(find_file(path))
    except VectorFileError:
        if path.lower().endswith(_ENDINGS):
            raise
        return "plain"  # what reads it as a picture says what is wrong
    return "vectors"


def _holds_vectors(path: str, options: Mapping[str, Any]) -> bool:
    try:
        open_vectors(path, **options)
    except VectorFileError:
        return False
    return True


def _read_vectors(sources: Sources, given: Mapping[str, Any]) -> None:
    sources.options = dict(given)
    sources.opened = open_vectors(list(sources.vectors), **given)
    require(sources.opened, sources.opened.dim)


def _read_pictures(sources: Sources, given: Mapping[str, Any], known: Mapping[str, Container]) -> None:
    inside: list[str] = []  # archives that were not named
    passed: list[Passed] = []  # what is in those that were
    holds = [_holds_pictures(path, inside) for path in sources.plain]  # first: one that is not there is worth more
    if given.keys() - {"key"} or (given and not sources.archives):
        raise ArgumentError(
            f"expected no {', '.join(sorted(given))} for pictures, which are in no file of vectors; leave that out"
        )
    sources.options = {"column": given["key"]} if given else {}
    for path, looked in sources.archives.items():
        from lookalike.images.archives import look

        if _is_known(looked, known.get(path), sources.options):
            holds.append(True)
            continue
        contents = look(path, **sources.options)
        sources.archives[path] = looked._replace(contents=contents)
        holds.append(bool(contents.names))
        passed += contents.passed
    if (sources.plain or sources.archives) and not any(holds):
        cure = "name a folder that holds some"
        if inside:
            more = f" and {len(inside) - 1:,} more" if inside[1:] else ""
            cure = f"name the archives to have their pictures read, {inside[0]}{more}: lookalike index FILE --to PATH"
        raise NoPicturesError(
            f"expected pictures in {', '.join([*sources.plain, *sources.archives])}, received none{_left_out(passed)} "
            f"({READ} are read); {cure}"
        )


def _left_out(passed: Sequence[Passed]) -> str:
    """What archives hold instead of pictures that are read, and why it is left out."""
    told = [f"{name:.200}{f' and {count - 1:,} more' if count > 1 else ''} ({why})" for name, why, count in passed]
    return f", but {', '.join(told)}" if told else ""


def _is_known(looked: Looked, container: Container | None, options: Mapping[str, Any]) -> bool:
    """Whether an archive is as when all of it was taken in."""
    if container is None:
        return False
    return (container.size, container.mtime_ns, json.loads(container.options)) == (*looked[:2], options)


def _holds_pictures(path: str, archives: list[str]) -> bool:
    """Whether there is one; otherwise the archives that lie there are added."""
    for entry in find(path):
        if isinstance(entry, Found):
            return True
        if entry.reason == ARCHIVE:
            archives.append(entry.path)
    return False


def _looked(path: str) -> Looked:
    status = os.stat(path)
    return Looked(status.st_size, change_time(status))
