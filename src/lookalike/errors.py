"""Every error that lookalike raises on purpose.

    LookalikeError
    ├── VectorError (ValueError)      NaN, inf, wrong shape or dtype, zero under cosine
    ├── ArgumentError (ValueError)    an argument that cannot be used: k < 1, an unknown metric
    ├── IdError (KeyError)            an id that is not there, or is there already
    ├── NotAnIndexError               no file there, or not one of ours
    ├── DamagedError                  one of ours, but truncated or altered
    ├── ModelError                    a query or weights of another model than the index was made with
    ├── PictureError                  one picture that cannot be read, with the reason
    ├── NoPicturesError               a place without a picture in it
    ├── ArchiveError                  an archive that is damaged, hostile or of a kind that is not read
    ├── VectorFileError               no file of vectors there, or one that cannot be taken as it is
    ├── ReadError (OSError)           a file that is there, but cannot be read now
    ├── WriteError (OSError)          no permission, disk full
    ├── MissingExtraError (ImportError)  a part that needs a package which is not installed
    ├── SearchTimeoutError (TimeoutError)  no answer within the time that a search was given
    └── BusyError                     in use by another writer, or by the call that a signal interrupted

Each message is one sentence that says what was expected, what came, and what to do.
"""

from __future__ import annotations


class LookalikeError(Exception):
    """The base of all errors below; catch it to catch them all."""


class VectorError(LookalikeError, ValueError):
    """A vector that cannot be stored or searched; nothing was changed."""


class ArgumentError(LookalikeError, ValueError):
    """An argument that cannot be used; nothing was changed."""


class IdError(LookalikeError, KeyError):
    """An id that is not in the index, or that is in it already; nothing was changed."""

    def __str__(self) -> str:  # KeyError would print the repr of the sentence
        return str(self.args[0]) if self.args else ""


class NotAnIndexError(LookalikeError):
    """A path that holds no index, or a file that is not one of ours."""


class DamagedError(LookalikeError):
    """A file of ours that is truncated or altered."""


class ModelError(LookalikeError):
    """A vector or weights of another model than the one an index was made with."""


class PictureError(LookalikeError):
    """A picture that cannot be read.

    Attributes:
        path: the picture, or "" when it did not come from a file.
        reason: why, without the path.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path


class NoPicturesError(LookalikeError):
    """A place in which no picture was found."""


class ArchiveError(LookalikeError):
    """An archive of pictures that is damaged, hostile or of a kind that is not read."""


class VectorFileError(LookalikeError):
    """A path without a file of vectors, or one that is damaged, of an unknown kind, or holds what is no vector."""


class ReadError(LookalikeError, OSError):
    """A file that is there and cannot be read now: no permission, too many open files, no memory.

    Made of (errno, sentence), as `WriteError` is.
    """

    def __str__(self) -> str:
        return str(self.args[-1]) if self.args else ""


class WriteError(LookalikeError, OSError):
    """A file or folder that cannot be written; what was there before is still there.

    Made of (errno, sentence) where the system gave a number, else of the sentence alone.
    """

    def __str__(self) -> str:  # OSError would put "[Errno 13]" before the sentence
        return str(self.args[-1]) if self.args else ""


class MissingExtraError(LookalikeError, ImportError):
    """A part of lookalike that needs a package which is not installed; the sentence says how to install it."""


class SearchTimeoutError(LookalikeError, TimeoutError):
    """A search that did not end within its `timeout`; the sentence says how far it came."""


class BusyError(LookalikeError):
    """What is asked for is in use: a collection by another writer, an index by the call that a signal interrupted."""
