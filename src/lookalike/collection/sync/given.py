"""Pictures that come as bytes, one after the other: from an archive, or fetched."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.sync.compare import File
from lookalike.collection.sync.intake import Intake
from lookalike.images.given import Failed, Given
from lookalike.images.pool import DecoderPool

Member = tuple[File, Item | None, Given | Failed]
"""A picture as a file, with the item that was there, and its bytes, or why they cannot be had."""


class GivenSync:
    """Takes pictures in as they come: those whose content is known at once, the others once they are decoded.

    Args:
        has_changed: whether what they come from is another one by now.
    """

    def __init__(self, intake: Intake, has_changed: Callable[[], bool] = lambda: False) -> None:
        self._intake = intake
        self._has_changed = has_changed
        self._waiting: deque[tuple[File, Item | None]] = deque()  # those that are being decoded

    def take(self, members: Iterable[Member]) -> bool:
        """Take all of them in; False where what they come from has changed meanwhile, and the rest was left."""
        intake = self._intake
        with DecoderPool() as pool:
            pictures = pool.load(self._unknown(members), intake.model.input)
            while True:
                with intake.report.timed("decode"):
                    batch = list(islice(pictures, intake.batch))
                intake.take([self._waiting.popleft() for _ in batch], batch, lambda *_: self._has_changed())
                if self._has_changed():
                    return False
                if len(batch) < intake.batch:
                    return True

    def _unknown(self, members: Iterable[Member]) -> Iterator[Given]:
        """Those whose content is not known; the others are written down on the way."""
        intake = self._intake
        for file, old, member in members:
            intake.advance(1)
            if isinstance(member, Failed):
                intake.fail(file, old, member.reason)
                continue
            sha256 = hashlib.sha256(member.data).digest()
            if old and old.state == "indexed" and old.sha256 == sha256:
                intake.changes.touch(file, old)
                intake.report.unchanged += 1
            elif content := intake.known(sha256):
                intake.add(file, old, content)
            else:
                self._waiting.append((file, old))
                yield member
            if len(intake.changes) >= intake.batch and not self._has_changed():
                intake.commit()
