"""A folder that may refuse to be used: what it holds, and one sentence for when it refuses."""

from __future__ import annotations

import errno
import os

from lookalike.errors import WriteError


def refused(folder: str, error: OSError) -> WriteError:
    """The error to raise from the system's; where permission is missing, it says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cure = "make room and run it again: it goes on where it stopped"
    elif error.errno in (errno.ENOLCK, errno.ENOTSUP):
        cure = "on a network drive, keep the collection on a local disk by `lookalike index SRC --to PATH`"
    else:
        cure = "allow it, or keep the collection elsewhere by `lookalike index SRC --to PATH`"
    return WriteError(error.errno, f"expected to write in {folder}, received {error.strerror}; {cure}")


def names_in(folder: str) -> list[str]:
    """The names in a folder; none where it is not there. WriteError where nobody may look into it."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise refused(folder, error) from error
