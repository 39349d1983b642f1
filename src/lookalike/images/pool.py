"""Decoding on all cores: paths in, pictures out, in the same order.

One thread for each child waits for its answers, so children go on while the caller works on what they gave.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, LookalikeError, PictureError
from lookalike.fitting import Box, Input
from lookalike.images import wire
from lookalike.images.child import DEFAULT_LIMITS, Child, Limits
from lookalike.images.compare.verdict import Verdict
from lookalike.images.facts import Fact
from lookalike.images.given import Failed, Given, Source

__all__ = ["DecoderPool", "Failed", "Given", "Limits", "Loaded"]

_AHEAD_BYTES = 32 << 20  # of results that wait for the caller
_GIVEN_BYTES = 64 << 20  # of pictures given by their bytes that wait for a child, besides one

_NONSENSE = "its decoder gave an answer that makes no sense"

Pair = tuple[str, str]
"""The paths of two pictures."""

P = TypeVar("P", bound=Source | Pair | Verdict)
T = TypeVar("T")


class Loaded(NamedTuple):
    """A picture that was read and decoded.

    Attributes:
        path: as it was given.
        sha256: 32 bytes, of the very bytes the pixels were decoded from.
        pixels: uint8, (side, side, 3), sRGB; by the fit "squares" perhaps several, one below the other; read-only.
        width, height: the whole picture's, in pixels, after its orientation was applied.
        facts: what its EXIF says, by the names of `facts.FACTS`.
        thumb: the whole picture in small, as `thumb.thumb_of` makes it.
        same: 32 bytes that are equal only where all pixels are, as `same_pixels` gets them.
    """

    path: str
    sha256: bytes
    pixels: NDArray[np.uint8]
    width: int
    height: int
    facts: Mapping[str, Fact]
    thumb: bytes
    same: bytes


class DecoderPool:
    """Child processes that decode pictures under limits; a picture that kills its child costs only itself.

    Children start when they are first needed and end with `close`, with the `with` block, or with this
    process, however it ends. Any number of threads may share a pool.

    Args:
        workers: the most children at once; by default one for each core this process may use.
        limits: what one picture may cost.

    Raises:
        ArgumentError: fewer than one worker.

    Example:
        >>> with DecoderPool() as pool:
        ...     for picture in pool.load(paths, Input(224, "squeeze")):
        ...         if isinstance(picture, Loaded):
        ...             print(picture.path, picture.pixels.mean())
    """

    def __init__(self, workers: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._workers = _cores() if workers is None else workers
        if self._workers < 1:
            raise ArgumentError(f"expected at least 1 worker, got {workers}; leave it out to use every core")
        self._limits = limits
        self._process = os.getpid()
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="lookalike-decoder")
        self._lock = threading.Lock()  # guards the three below
        self._children: set[Child] = set()
        self._idle: list[Child] = []
        self._closed = False

    def load(self, pictures: Iterable[Source], input: Input, crop: Box | None = None) -> Iterator[Loaded | Failed]:
        """Decodes each picture to a square; exactly one result a picture, in their order.

        A relative path is one from the folder that is current at the call. `pictures` is read ahead by a bounded
        number, and bounded bytes. Closing the iterator drops what is not begun.

        Args:
            crop: the part of each that is looked at; all of it by default.

        Raises:
            LookalikeError: the pool is closed, was made before a fork, or no child can start.
        """
        folder, side = _working_folder(), input.side

        def one(picture: Source) -> Loaded | Failed:
            try:
                reply = self._ask(_request(wire.LOAD, folder, picture, input, crop))
            except PictureError as error:
                return Failed(_name(picture), error.reason)
            try:
                answer = wire.Picture.unpack(reply, side)
            except ValueError:
                return Failed(_name(picture), _NONSENSE)
            pixels = np.frombuffer(answer.pixels, np.uint8).reshape(-1, side, 3)
            about = (answer.width, answer.height, answer.facts, answer.thumb, answer.same)
            return Loaded(_name(picture), answer.sha256, pixels, *about)

        return self._in_order(one, pictures, side)

    def thumbnails(self, pictures: Iterable[Source], side: int, crop: Box | None = None) -> Iterator[bytes | Failed]:
        """A JPEG for each picture, over white, its longer side at most `side` pixels; otherwise as `load`.

        Raises:
            ArgumentError: `side` is not from 1 to 32768.
        """
        folder, input = _working_folder(), Input(side, "pad")

        def one(picture: Source) -> bytes | Failed:
            try:
                return self._ask(_request(wire.THUMBNAIL, folder, picture, input, crop))
            except PictureError as error:
                return Failed(_name(picture), error.reason)

        return self._in_order(one, pictures, side)

    def compare(self, pairs: Iterable[Pair | Verdict]) -> Iterator[wire.Compared | Failed | Verdict]:
        """What the whole pictures in two files have in common, for each pair in their order; otherwise as `load`.

        Failed, by the path of the first, is a pair of which one cannot be read or decoded. A verdict among the pairs is
        one that is known: it comes back in its turn.
        """
        folder = _working_folder()

        def one(pair: Pair | Verdict) -> wire.Compared | Failed | Verdict:
            if isinstance(pair, Verdict):
                return pair
            try:
                paths = b"\0".join(_absolute(folder, path) for path in pair)
                return wire.Compared.unpack(self._ask(wire.Request(wire.COMPARE, paths, b"", Input(1, "squeeze"))))
            except PictureError as error:
                return Failed(pair[0], error.reason)
            except ValueError:
                return Failed(pair[0], _NONSENSE)

        return self._stream(one, pairs, 2 * self._workers)

    def close(self) -> None:
        """Ends all children, also in the midst of a picture. A closed pool stays closed."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()  # the thread that waits for it, if any, wakes up
        self._threads.shutdown(cancel_futures=True)
        for child in self._children:
            child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _in_order(self, task: Callable[[Source], T], pictures: Iterable[Source], side: int) -> Iterator[T]:
        self._check_open()
        ahead = max(2 * self._workers, min(256, _AHEAD_BYTES // (3 * side * side)))
        return self._stream(task, pictures, ahead)

    def _stream(self, task: Callable[[P], T], pictures: Iterable[P], ahead: int) -> Iterator[T]:
        window: deque[tuple[Future[T], int]] = deque()  # with the bytes that each was given
        given = 0
        try:
            for picture in pictures:
                size = len(picture.data) if isinstance(picture, Given) else 0
                while window and given + size > _GIVEN_BYTES:
                    given -= window[0][1]
                    yield self._result(window.popleft()[0])
                window.append((self._begin(task, picture), size))
                given += size
                while window and (len(window) > ahead or window[0][0].done()):
                    given -= window[0][1]
                    yield self._result(window.popleft()[0])
            while window:
                yield self._result(window.popleft()[0])
        finally:
            for future, _ in window:
                future.cancel()

    def _begin(self, task: Callable[[P], T], picture: P) -> Future[T]:
        self._check_open()
        try:
            return self._threads.submit(task, picture)
        except RuntimeError:  # the threads take nothing more: `close` came in between
            self._check_open()
            raise

    def _result(self, future: Future[T]) -> T:
        self._check_open()
        try:
            result = future.result()
        except CancelledError:  # by `close`
            self._check_open()
            raise
        self._check_open()  # a picture is not to blame when `close` ended its child
        return result

    def _check_open(self) -> None:
        if self._closed:
            raise LookalikeError("this DecoderPool is closed; make a new one")
        if self._process != os.getpid():
            raise LookalikeError("this DecoderPool was made before a fork; make a new one in this process")

    def _ask(self, request: wire.Request) -> bytes:
        child = self._take()
        try:
            return child.ask(request)
        finally:
            self._put_back(child)

    def _take(self) -> Child:
        with self._lock:
            self._check_open()
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                self._forget(child)
            child = Child(self._limits)
            self._children.add(child)
            return child

    def _put_back(self, child: Child) -> None:
        with self._lock:
            if child.alive:
                self._idle.append(child)
            else:
                self._forget(child)

    def _forget(self, child: Child) -> None:
        self._children.discard(child)
        child.end()


def _name(picture: Source) -> str:
    return picture.path if isinstance(picture, Given) else picture


def _request(what: int, folder: bytes | None, picture: Source, input: Input, crop: Box | None) -> wire.Request:
    """PictureError where no file can be at the path."""
    if isinstance(picture, Given):
        return wire.Request(what, None, picture.data, input, crop)
    return wire.Request(what, _absolute(folder, picture), b"", input, crop)


def _working_folder() -> bytes | None:
    """None where it is gone."""
    try:
        return os.getcwdb()
    except OSError:
        return None


def _absolute(folder: bytes | None, path: str) -> bytes:
    """The path for a child, which may have started in another folder.

    Raises:
        PictureError: no file can be there.
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise PictureError("cannot be read (no file has such a name)") from error
    if folder is None and not os.path.isabs(name):
        raise PictureError("cannot be read (the working folder is gone)")
    return os.path.join(folder or b"/", name)


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
