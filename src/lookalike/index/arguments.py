"""What the methods of an index are asked for, checked and in the form that the engine takes."""

from __future__ import annotations

import errno
import math
import os
from typing import SupportsIndex

from lookalike.arrays import as_count
from lookalike.errors import ArgumentError, WriteError

DEFAULT_RECALL = 0.95


def recall_with_itself(recall: float, others: int) -> float:
    """What a stored vector must be searched with for this recall of others, as it is found itself."""
    return (recall * others + 1) / (others + 1) if others else recall


def recall_without_itself(recall: float, others: int) -> float:
    """Of so many others, where this is the recall with itself, which was found."""
    return max(0.0, (recall * (others + 1) - 1) / others)


def as_path(path: str | os.PathLike[str]) -> bytes:
    """A path as the engine takes it; ArgumentError if no file can have that name."""
    try:
        encoded = os.fsencode(path)
    except TypeError:
        raise ArgumentError(f"expected a path, received {path!r:.80}") from None
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:  # the engine would take it for the end of the name
        raise ArgumentError(f"expected a path, received {path!r:.80}, which no file can have")
    return encoded


def as_target(path: str | os.PathLike[str]) -> bytes:
    """A path to write to as the engine takes it, links followed; WriteError for a device, pipe or socket."""
    target = as_path(path)
    if os.path.islink(target):
        target = os.path.realpath(target)
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        raise WriteError(errno.EEXIST, f"expected a file to write to, received another kind at {os.fsdecode(path)}")
    return target


def how_far(
    recall: float | None, probes: SupportsIndex | None, rerank: SupportsIndex | None, exact: bool
) -> tuple[float, int, int, bool]:
    """The engine's recall, probes, rerank and exact; ArgumentError where they contradict each other."""
    if bool(exact) + (recall is not None) + (probes is not None) > 1:
        raise ArgumentError("recall, probes and exact each say how far to look; expected only one of them")
    if rerank is not None and probes is None:
        raise ArgumentError("rerank goes with probes; expected both, or a recall from which they follow")
    wanted = DEFAULT_RECALL if recall is None else as_number("recall", recall)
    if not 0.0 < wanted <= 1.0:
        raise ArgumentError(f"recall is {recall}; expected more than 0 and at most 1")
    return (
        wanted,
        0 if probes is None else as_count("probes", probes, 1),
        0 if rerank is None else as_count("rerank", rerank, 1),
        bool(exact) or wanted == 1.0,
    )


def as_number(name: str, value: float) -> float:
    """A float that is not NaN; ArgumentError else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name} is {value!r}; expected a number") from None
    if math.isnan(number):
        raise ArgumentError(f"{name} is NaN; expected a number")
    return number


def largest_distance(max_distance: float | None) -> float:
    """Infinite where none was given."""
    return math.inf if max_distance is None else as_number("max_distance", max_distance)


def as_timeout(timeout: float | None) -> float:
    """Seconds, infinite where none were given; ArgumentError unless they are more than 0."""
    if timeout is None:
        return math.inf
    seconds = as_number("timeout", timeout)
    if seconds <= 0:
        raise ArgumentError(f"timeout is {timeout}; expected more than 0 seconds")
    return seconds
