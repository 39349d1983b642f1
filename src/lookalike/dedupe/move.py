"""Moving a picture with what belongs to it into another folder, below the same folders as before; and back."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from lookalike.dedupe.check import LeftAlone, looks_unchanged, require_bytes, require_same, status_of, unchanged
from lookalike.dedupe.disk import is_reserved, rename_to_new
from lookalike.dedupe.plan import Planned


def require_free(files: Sequence[Planned], to: str) -> None:
    """LeftAlone if one of the names that the files would have in `to` is taken."""
    for file in files:
        target = os.path.join(to, file.path)
        if os.path.lexists(target):
            raise LeftAlone(f"{target} is there already")


def look(files: Sequence[Planned], folder: str) -> None:
    """LeftAlone if the size or time of one of the files is not the one that was planned for."""
    for file in files:
        with _of(file, files):
            looks_unchanged(os.path.join(folder, file.path), file)


def move(files: Sequence[Planned], folder: str, to: str) -> None:
    """Move files of `folder` to the same paths in `to`: all of them or none. The first is the picture.

    Raises:
        LeftAlone: one has changed, its name is taken there, or `to` is on another file system.
        OSError: the system says no.
    """
    found = []
    for file in files:
        with _of(file, files):
            found.append(unchanged(os.path.join(folder, file.path), file))
    require_free(files, to)
    moved: list[Planned] = []
    try:
        for file, status in zip(files, found, strict=True):
            source, target = os.path.join(folder, file.path), os.path.join(to, file.path)
            with _of(file, files):
                require_same(source, status)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                _rename(source, target)
                moved.append(file)
    except BaseException:  # also Ctrl-C
        for file in reversed(moved):
            with suppress(LeftAlone, OSError):  # what cannot be taken back now can be by the undo file
                move_back([file], folder, to)
        raise


class Returned(NamedTuple):
    """What became of files that were to go back.

    Attributes:
        back: those that went back; the others lay where they were.
        gone: companions that are in neither place, with the reason; they do not keep the others from going back.
    """

    back: Sequence[Planned]
    gone: Sequence[tuple[Planned, str]]


def move_back(files: Sequence[Planned], folder: str, to: str) -> Returned:
    """Undo `move`, also one that was killed: all go back, or none. The first is the picture.

    Raises:
        LeftAlone: the picture is in neither place, one was changed since, or its old name is taken.
        OSError: the system says no.
    """
    away, gone = [], []
    for file in files:
        with _of(file, files):
            try:
                if _is_away(file, folder, to):
                    away.append(file)
            except _Gone as reason:
                if file is files[0]:
                    raise
                gone.append((file, str(reason)))
    for file in reversed(away):
        source, target = os.path.join(folder, file.path), os.path.join(to, file.path)
        os.makedirs(os.path.dirname(source), exist_ok=True)
        if is_reserved(source):
            os.rename(target, source)
        else:
            _rename(target, source)
    return Returned(away, gone)


class _Gone(LeftAlone):
    """A file that is nowhere."""


def _is_away(file: Planned, folder: str, to: str) -> bool:
    """Whether a file lies where it was moved to, and can go back; what a killed move left of it there is removed.

    LeftAlone where it cannot go back, `_Gone` where it is in neither place.
    """
    source, target = os.path.join(folder, file.path), os.path.join(to, file.path)
    if not os.path.lexists(target) or (is_reserved(target) and os.path.lexists(source)):
        if not os.path.lexists(source):
            raise _Gone(f"it is neither there nor at {target}")
        if is_reserved(target):
            os.unlink(target)  # the move was killed before it was done: nothing but a name
        return False
    if os.path.lexists(source) and not is_reserved(source):
        if status_of(source).st_size == file.size:
            require_bytes(source, file.sha256)
            return False  # it was never moved: its name was taken
        raise LeftAlone(f"another file has its name now; it lies at {target}")
    status_of(target)
    require_bytes(target, file.sha256)
    return True


@contextmanager
def _of(file: Planned, files: Sequence[Planned]) -> Iterator[None]:
    """What is wrong with a companion is said of it: the name that is told beside it is that of the picture."""
    try:
        yield
    except LeftAlone as reason:
        if file is files[0]:
            raise
        raise LeftAlone(f"of {os.path.basename(file.path)}, which belongs to it: {reason}") from reason


def _rename(source: str, target: str) -> None:
    try:
        rename_to_new(source, target)
    except FileExistsError as error:
        raise LeftAlone(f"{target} is there already") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise LeftAlone(f"{os.path.dirname(target)} is on another file system; name a folder on the same") from error
