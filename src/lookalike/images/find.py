"""Finding pictures: every file below a folder, told by its name, in a fixed order.

Nothing is opened here: one `scandir` for each folder and one `stat` for each picture, so that
100,000 files take about a second. What a file truly holds is decided by its content, in decoding.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from lookalike.errors import NoPicturesError
from lookalike.images import raw
from lookalike.images.extras import OF_ENDING


class Found(NamedTuple):
    """A picture file, by its name.

    Attributes:
        path: the root joined with what is below it; bytes that are not UTF-8 are surrogate-escaped.
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds.
    """

    path: str
    size: int
    mtime_ns: int


class Skipped(NamedTuple):
    """A file or folder that is left out, and why.

    Attributes:
        path: of the first of them, where they are several in an archive.
        total: how many they are.
    """

    path: str
    reason: str
    total: int = 1


PICTURES = frozenset(["jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "tif", "tiff", "bmp", "dib", "avif"])
PICTURES |= raw.ENDINGS

READ = "JPEG, HEIC, PNG, WebP, GIF, TIFF, BMP, AVIF and cameras' RAW files"
"""What is read without an extra, for people."""

OWN_FOLDER = ".lookalike"
"""Where a folder's own collection lies; it is passed over in silence."""

HIDDEN = "hidden"
NOT_A_PICTURE = "not a picture"
ATTRIBUTES = "not a picture but its attributes, kept by macOS"
ARCHIVE = "an archive; name it to have its pictures read: lookalike index FILE --to PATH"
_OTHERS = {
    "a camera's RAW file of a kind that is not read; export it as JPEG or TIFF": "crw mrw raw x3f",
    "a vector drawing; export it as PNG": "ai cdr emf eps ps svg svgz wmf",
    "a video of a kind that is not read": "m2ts mts ogv",
    "a picture format that is not read; export it as PNG": "cur dds exr hdr ico icns j2k jp2 jpf jpx pbm"
    " pcx pgm pnm ppm psb psd qoi tga xcf",
}
_REASONS = {extension: reason for reason, names in _OTHERS.items() for extension in names.split()}
_REASONS |= dict.fromkeys(["parquet", "tar", "tbz", "tbz2", "tgz", "txz", "zip"], ARCHIVE)
_OPEN = (NOT_A_PICTURE, ARCHIVE)  # what a name says that the content may belie
_PACKED_TARS = (".tar.bz2", ".tar.gz", ".tar.xz")


def find(root: str | os.PathLike[str]) -> Iterator[Found | Skipped]:
    """Every file below `root`, sorted by name within each folder, depth first.

    What begins with a dot is hidden: skipped, be it a folder or a file. Symbolic links to folders are not
    followed (they may loop), symbolic links to files are. A file that vanishes meanwhile is left out.
    `root` may be hidden; it may also be a link to a folder, or one file, which is then taken whatever its
    extension.

    Raises:
        NoPicturesError: at once, when `root` is not there or cannot be read.

    Example:
        >>> pictures = [found for found in find("photos") if isinstance(found, Found)]
    """
    top = os.fspath(root)
    try:
        status = os.stat(top)
        if not stat.S_ISDIR(status.st_mode):
            return iter([_named(top, status)])
        with os.scandir(top):
            return _walk(top)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = error.strerror if isinstance(error, OSError) else error
        raise NoPicturesError(
            f"expected a folder or a picture, but {top!r} cannot be read ({why}); check the path"
        ) from error


def _walk(top: str) -> Iterator[Found | Skipped]:
    # A stack instead of recursion: folders may be nested deeper than Python's calls.
    pending = [_entries(top)]
    while pending:
        for entry in pending[-1]:
            if isinstance(entry, Skipped):
                yield entry
            elif entry.name.startswith("."):
                yield from _hidden(entry)
            elif not _is_folder(entry):
                if file := _file(entry):
                    yield file
            else:
                pending.append(_entries(entry.path))
                break
        else:
            pending.pop()


def _entries(folder: str) -> Iterator[os.DirEntry[str] | Skipped]:
    """What a folder holds, sorted; or why it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except FileNotFoundError:
        return iter(())
    except OSError as error:
        return iter([Skipped(folder, f"the folder cannot be read ({error.strerror})")])


def _hidden(entry: os.DirEntry[str]) -> Iterator[Skipped]:
    if entry.name != OWN_FOLDER:
        yield Skipped(entry.path, ATTRIBUTES if entry.name.startswith("._") else HIDDEN)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # some file systems leave the kind to `stat`, which may be refused; `_file` says why
        return False


def _file(entry: os.DirEntry[str]) -> Found | Skipped | None:
    """None for a file that vanished."""
    reason = why_not(entry.name)
    try:
        if entry.is_symlink() and entry.is_dir():
            return Skipped(entry.path, "a symbolic link to a folder is not followed")
        if reason:
            return Skipped(entry.path, reason)
        return _regular(entry.path, entry.stat())
    except FileNotFoundError:
        return Skipped(entry.path, "a broken symbolic link") if entry.is_symlink() else None
    except OSError as error:
        return Skipped(entry.path, f"cannot be read ({error.strerror})")


def _named(path: str, status: os.stat_result) -> Found | Skipped:
    """The one file a user named: an extension of no known kind is left to the content."""
    reason = why_not(os.path.basename(path))
    return Skipped(path, reason) if reason not in ("", *_OPEN) else _regular(path, status)


def _regular(path: str, status: os.stat_result) -> Found | Skipped:
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path, "not a regular file")
    return Found(path, status.st_size, status.st_mtime_ns)


def is_called_a_picture(path: str) -> bool:
    """Whether a file's name says that it is a picture or the like, read or not."""
    return why_not(os.path.basename(path)) not in _OPEN


def why_not(name: str) -> str:
    """Why a file of this name is left out, be it hidden or not; "" for a picture."""
    before, _, last = name.rpartition(".")
    extension = last.lower() if before else ""
    if name.startswith("._"):
        return ATTRIBUTES
    if extension in PICTURES:
        return ""
    if extra := OF_ENDING.get(extension):
        return "" if extra.is_read else extra.missing
    if name.lower().endswith(_PACKED_TARS):
        return ARCHIVE
    return _REASONS.get(extension, NOT_A_PICTURE)
