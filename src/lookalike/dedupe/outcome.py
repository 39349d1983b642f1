"""What became of the files of a plan, or of an undo file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from lookalike.dedupe.check import LeftAlone


class Left(NamedTuple):
    """A file that was left alone, and why."""

    path: str
    reason: str


@dataclass
class Outcome:
    """What was done.

    Attributes:
        done: pictures that were moved, linked or restored.
        beside: files that belong to them, and went with them.
        bytes: of all these.
        retimed: files that were linked, and had another time of change than the one kept, whose time they have now.
        left: the files that were left alone, with the reason.
    """

    done: int = 0
    beside: int = 0
    bytes: int = 0
    retimed: int = 0
    left: list[Left] = field(default_factory=list)

    @contextmanager
    def step(self, path: str) -> Iterator[None]:
        """Around what is done to one file: what stops it is remembered, and the next goes on."""
        try:
            yield
        except LeftAlone as reason:
            self.left.append(Left(path, str(reason)))
        except OSError as error:
            self.left.append(Left(path, f"the system says: {error.strerror}"))

    def count(self, size: int, *, beside: bool = False) -> None:
        """One file more; `beside` if it belongs to a picture, and is none."""
        if beside:
            self.beside += 1
        else:
            self.done += 1
        self.bytes += size
