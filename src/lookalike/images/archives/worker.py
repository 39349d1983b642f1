"""The child that reads an archive: `reader.py` starts it, and whatever kills it costs that archive only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import BinaryIO

from lookalike.errors import ArchiveError, ReadError
from lookalike.images import serving
from lookalike.images.archives import messages
from lookalike.images.archives.contents import CHANGED, Damaged, Member, pictures, survey
from lookalike.images.archives.file import File, State
from lookalike.images.archives.limits import require_sane

_STEP = 4 << 20  # bytes that are read or unpacked in one step
_MEMBER = 4096  # a member takes as long as so many bytes


def main(kind: str, memory: int, cpu_seconds: float) -> None:
    """Serves until stdin ends; each step gets `cpu_seconds` of its own."""
    if kind == "parquet":
        # NumPy comes along, whose threads would take address space, as would an allocator that reserves it.
        os.environ.update(OPENBLAS_NUM_THREADS="1", ARROW_DEFAULT_MEMORY_POOL="system")
    room = import_module(f"lookalike.images.archives.{kind}")
    requests, replies = serving.take_pipes()
    serving.limit(memory)
    serving.send(replies, serving.READY)
    step = _Step(replies, cpu_seconds)
    try:
        path, given, column = serving.receive(requests).partition(b"\0")
        with File(path, step.spend) as file:
            members = partial(room.members, file, *[messages.untext(column)] * len(given))
            archive = _Archive(file, members, step, replies)
            while request := serving.receive(requests):
                step.begin()
                try:
                    if request == messages.LOOK:
                        archive.look()
                    else:
                        state, again = json.loads(request[1:])
                        archive.take(tuple(state), again, serving.receive(requests))
                except (*room.DAMAGE, OSError):
                    archive.require_same()
                    raise
    except (ArchiveError, MemoryError, *room.DAMAGE, OSError) as error:
        failure = error.with_traceback(None)  # which holds what took the memory
    else:
        return
    serving.send(replies, _complaint(failure, kind, memory))


class _Step:
    """How far the child may go on: before so many bytes, one step ends and the next begins."""

    def __init__(self, replies: BinaryIO, cpu_seconds: float) -> None:
        self._replies = replies
        self._cpu_seconds = cpu_seconds
        self._left = _STEP

    def begin(self) -> None:
        serving.allow(self._cpu_seconds)
        self._left = _STEP

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            serving.send(self._replies, messages.STEP)
            self.begin()


class _Archive:
    """An opened archive; each walk through its `members` begins anew."""

    def __init__(self, file: File, members: Callable[[], Iterator[Member]], step: _Step, replies: BinaryIO) -> None:
        self._file = file
        self._state = file.state
        self._members = members
        self._step = step
        self._replies = replies

    def look(self) -> None:
        contents = survey(self._walk())
        self.require_same()
        for message in messages.pack_contents(replace(contents, state=self._state)):
            serving.send(self._replies, message)

    def take(self, state: State, again: dict[str, int], wanted: bytes) -> None:
        """Hands over each picture, in order, whose byte is not 0."""
        if state != self._state:
            raise ArchiveError(CHANGED)
        given = 0
        for want, member in zip(wanted, pictures(self._walk(), again), strict=False):
            if want:
                given += self._hand_over(member)
                require_sane(self._state[2], given)
        serving.send(self._replies, messages.END)

    def require_same(self) -> None:
        """ReadError where the file cannot be read, ArchiveError where it has changed."""
        if self._file.trouble:
            raise self._file.trouble
        if self._file.state != self._state:
            raise ArchiveError(CHANGED)

    def _hand_over(self, member: Member) -> int:
        """The bytes that were sent."""
        serving.send(self._replies, messages.pack(messages.MEMBER, (member.name, member.size)), more=True)
        outcome, given = messages.DONE, 0
        try:
            for chunk in member.data:
                self._step.begin()
                serving.send(self._replies, messages.DATA + chunk, more=True)
                given += len(chunk)
        except Damaged as error:
            outcome = messages.FAILED + messages.text(str(error))
        self.require_same()
        serving.send(self._replies, outcome)
        return given

    def _walk(self) -> Iterator[Member]:
        for member in self._members():
            self._step.spend(_MEMBER)
            yield member


def _complaint(error: Exception, kind: str, memory: int) -> bytes:
    """What the parent is told of the end of it all."""
    if isinstance(error, ReadError):
        return messages.pack(messages.UNREADABLE, error.args)
    if isinstance(error, ArchiveError):
        sentence = str(error)
    elif isinstance(error, MemoryError):
        sentence = (
            f"expected an archive that can be read in {memory >> 20} MiB of memory, received one that needs more; "
            "split it, or pack it again"
        )
    else:
        reason = str(error).partition("\n")[0] or "an early end"
        sentence = f"expected a whole {kind} archive, received {reason:.300}; fetch it again"
    return messages.REFUSED + messages.text(sentence)
