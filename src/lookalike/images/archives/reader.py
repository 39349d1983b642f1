"""Reading an archive: its parent's end of the child that does."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from io import BytesIO
from itertools import compress

from lookalike.errors import ArchiveError, ArgumentError, MissingExtraError, ReadError
from lookalike.images.archives import messages
from lookalike.images.archives.contents import CHANGED, Contents, Passed
from lookalike.images.archives.kind import Kind, identify
from lookalike.images.archives.limits import LARGEST_PICTURE
from lookalike.images.given import Failed, Given
from lookalike.images.process import Process, how
from lookalike.names import visible

_MEMORY: dict[Kind, int] = {
    "tar": 1 << 30,
    "zip": 1 << 30,  # whose directory takes half a KiB for each member
    # Arrow maps 300 MiB, and unpacks a page as a whole, beside the packed one: a page may hold 1 GiB of pictures.
    "parquet": 3 << 30,
}
"""Bytes of address space that a child has (Linux only)."""

_CPU_SECONDS = 30  # a step; the directory of a zip, up to 10 s of them, is one
_SECONDS = 60
_CLAIMED = 32 << 20  # bytes for which a member's own word is taken
_PIPE = 1 << 20  # bytes: with a larger pipe the two take fewer turns

_START = """
kind, memory, cpu_seconds = given
from lookalike.images.archives.worker import main
main(kind, int(memory), float(cpu_seconds))
"""


def look(path: str, *, column: str | None = None) -> Contents:
    """What pictures an archive holds, after reading through the whole of its structure.

    Args:
        column: of a Parquet file, the one that holds pictures, as bytes or as structs of bytes and path; by default
            the only one, or one called `image` or the like.

    Raises:
        ArchiveError: it is damaged, hostile, or none that is read.
        ReadError: it is there, but cannot be read now.
        ArgumentError: a column of what is no Parquet file.
        MissingExtraError: Parquet, and pyarrow is not installed.
        LookalikeError: the system starts no process.

    Example:
        >>> contents = look("photos.tar.gz")
        >>> contents.names[:2], contents.passed
        (['2024/a.jpg', '2024/b.jpg'], [Passed(name='notes.txt', reason='not a picture', count=3)])
    """
    with _reading(path, column) as reader:
        return reader.look()


def read(
    path: str, only: Container[str] | None = None, *, column: str | None = None, contents: Contents | None = None
) -> Iterator[Given | Failed]:
    """The pictures of an archive in its order, each with its bytes, or why that one cannot be had.

    One picture at a time is in memory. Closing the iterator ends the child that reads.

    Args:
        only: names that are wanted; by default all. The others are passed over without being read, if they can be.
        column: as of `look`.
        contents: what `look` said of this archive, which spares looking again: that is to unpack a compressed tar.

    Raises:
        ArchiveError: as of `look`, or in midway: it is no longer what was looked at, or its reader died on it.
        ReadError, ArgumentError, MissingExtraError, LookalikeError: as of `look`.

    Example:
        >>> with DecoderPool() as pool:
        ...     pictures = list(pool.load((each for each in read("photos.zip") if isinstance(each, Given)), input))
    """
    with _reading(path, column) as reader:
        found = reader.look() if contents is None or contents.state is None else contents
        wanted = bytes(only is None or name in only for name in found.names).rstrip(b"\0")
        yield from reader.take(found, wanted)


@contextmanager
def _reading(path: str, column: str | None) -> Iterator[_Reader]:
    """A reader that ends with the block; errors name the archive."""
    try:
        kind = identify(path)
        if kind is None:
            raise ArchiveError(
                "expected a tar (plain, or packed by gzip, bzip2 or xz), a zip or a Parquet file, received none of "
                "them by its first bytes; name another"
            )
        if column is not None and kind != "parquet":
            raise ArgumentError(f"{path}: expected no column of a {kind}, received {column!r:.80}; leave it out")
        if kind == "parquet" and find_spec("pyarrow") is None:
            raise MissingExtraError("Parquet needs an extra: pip install 'lookalike[parquet]'")
        reader = _Reader(kind)
        try:
            reader.tell(os.fsencode(path) + (b"" if column is None else b"\0" + messages.text(column)))
            yield reader
        finally:
            reader.end()
    except ArchiveError as error:
        raise ArchiveError(f"{path}: {visible(str(error))}") from None
    except ReadError as error:
        raise ReadError(error.errno, f"{path}: {error}") from None


class _Reader(Process):
    """The child. Its errors do not name the archive."""

    what = "an archive reader"
    parts = "lookalike, and pyarrow for Parquet"

    def __init__(self, kind: Kind) -> None:
        super().__init__(_START, kind, _MEMORY[kind], _CPU_SECONDS)
        if sys.platform == "linux":
            with suppress(OSError):  # where this user has too many bytes in pipes
                fcntl.fcntl(self._replies, fcntl.F_SETPIPE_SZ, _PIPE)

    def tell(self, message: bytes) -> None:
        # One that has ended already has said why, which `hear` will find.
        with self._watched(), suppress(BrokenPipeError):
            self.send(message)

    def look(self) -> Contents:
        self.tell(messages.LOOK)
        names: list[str] = []
        again: dict[str, int] = {}
        while True:
            kind, said = self._hear()
            first, second = json.loads(bytes(said))
            if kind != messages.FOUND:
                return Contents(names, [Passed(*each) for each in first], again, tuple(second))
            names += first
            again |= second

    def take(self, contents: Contents, wanted: bytes) -> Iterator[Given | Failed]:
        self.tell(messages.pack(messages.TAKE, (contents.state, contents.again)))
        self.tell(wanted)
        for name in compress(contents.names, wanted):
            kind, said = self._hear()
            if kind != messages.MEMBER:
                raise ArchiveError(CHANGED)
            again, size = json.loads(bytes(said))
            if again != name:
                raise ArchiveError(CHANGED)
            yield self._member(name, size)

    def _member(self, name: str, size: int) -> Given | Failed:
        data = BytesIO(bytes(min(size, _CLAIMED)))  # a buffer that grows is moved, and is in memory twice
        while True:
            kind, said = self._hear()
            if kind == messages.DONE:
                data.truncate()
                return Given(name, data.getvalue())
            if kind == messages.FAILED:
                return Failed(name, visible(messages.untext(bytes(said))))
            if kind != messages.DATA or data.tell() > LARGEST_PICTURE:
                raise ArchiveError(CHANGED)
            data.write(said)

    def _hear(self) -> tuple[bytes, memoryview]:
        """The next message that says something."""
        while True:
            with self._watched():
                message = self.receive(messages.LONGEST)
            kind, said = message[:1], memoryview(message)[1:]
            if kind == messages.REFUSED:
                raise ArchiveError(messages.untext(bytes(said)))
            if kind == messages.UNREADABLE:
                raise ReadError(*json.loads(bytes(said)))
            if kind != messages.STEP:
                return kind, said

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self.allow(_SECONDS)
        try:
            yield
        except EOFError as error:
            code = self.ending()
            what = (
                f"a step took more than {_CPU_SECONDS} s of CPU time"
                if code == -signal.SIGPROF
                else f"its reader {how(code)}"
            )
            raise ArchiveError(f"expected an archive that can be read, but {what}; leave it out") from error
        except TimeoutError as error:
            raise ArchiveError(
                f"expected an archive that can be read, but nothing of it came in {_SECONDS} s; copy it to a faster "
                "drive, or leave it out"
            ) from error
