"""Moving a file into another folder, below the same folders as before; and back."""

from __future__ import annotations

import errno
import os

from lookalike.dedupe.check import LeftAlone, require_bytes, status_of, unchanged
from lookalike.dedupe.disk import is_reserved, rename_to_new
from lookalike.dedupe.plan import Planned


def require_free(file: Planned, to: str) -> None:
    """LeftAlone if the name that the file would have in `to` is taken."""
    target = os.path.join(to, file.path)
    if os.path.lexists(target):
        raise LeftAlone(f"{target} is there already")


def move(file: Planned, folder: str, to: str) -> None:
    """Move a file of `folder` to the same path in `to`.

    Raises:
        LeftAlone: it has changed, its name is taken there, or `to` is on another file system.
        OSError: the system says no.
    """
    source, target = os.path.join(folder, file.path), os.path.join(to, file.path)
    unchanged(source, file)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _rename(source, target)


def move_back(file: Planned, folder: str, to: str) -> bool:
    """Undo `move`, also one that was killed; False if the file lies where it was.

    Raises:
        LeftAlone: it is in neither place, it was changed since, or its old name is taken.
        OSError: the system says no.
    """
    source, target = os.path.join(folder, file.path), os.path.join(to, file.path)
    if not os.path.lexists(target) or (is_reserved(target) and os.path.lexists(source)):
        if not os.path.lexists(source):
            raise LeftAlone(f"it is neither there nor at {target}")
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
    os.makedirs(os.path.dirname(source), exist_ok=True)
    if is_reserved(source):
        os.rename(target, source)
    else:
        _rename(target, source)
    return True


def _rename(source: str, target: str) -> None:
    try:
        rename_to_new(source, target)
    except FileExistsError as error:
        raise LeftAlone(f"{target} is there already") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise LeftAlone(f"{os.path.dirname(target)} is on another file system; name a folder on the same") from error
