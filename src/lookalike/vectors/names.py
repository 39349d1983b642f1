"""Names of vectors: texts such as paths or words, bytes that are not UTF-8 by surrogateescape, each once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.vectors.limits import MOST_NAME


def decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def encode(name: str) -> bytes:
    """UnicodeEncodeError for half of a surrogate pair, which is no character and no byte."""
    return name.encode("utf-8", "surrogateescape")


def what_is_wrong(name: Any) -> str | None:
    """Why `name` cannot be one: the end of a sentence that says what was received."""
    if not isinstance(name, str):
        return f"{name!r:.80}"
    if not name:
        return "an empty one"
    if "\0" in name:
        return f"one with NUL, {name!r:.80}"
    try:
        size = len(encode(name))
    except UnicodeEncodeError:
        return f"one with half a character, {name!r:.80}"
    return f"one of {size:,} bytes, {name!r:.80}" if size > MOST_NAME else None


EXPECTED = f"a name of 1 to {MOST_NAME:,} bytes without NUL"


class Twice(NamedTuple):
    """A name that came again: which of all names, from 0, and which it was before."""

    again: int
    before: int


class Seen:
    """All names so far, in 24 bytes each: 128 bits of digest and a number, in sorted runs that merge as they grow."""

    def __init__(self) -> None:
        self._count = 0
        self._runs: list[NDArray[np.uint64]] = []  # (n, 3): digest, digest, number; sorted by the first

    def add(self, names: Sequence[str]) -> Twice | None:
        """Takes more names; the first of them that was there before."""
        if not names:
            return None
        digests = b"".join(blake2b(encode(name), digest_size=16).digest() for name in names)
        run = np.empty((len(names), 3), np.uint64)
        run[:, :2] = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        run[:, 2] = np.arange(self._count, self._count + len(names), dtype=np.uint64)
        self._count += len(names)
        run = _by_digest(run)
        same = (run[1:, :2] == run[:-1, :2]).all(axis=1)
        twice = [
            Twice(int(again), int(before)) for again, before in zip(run[1:][same, 2], run[:-1][same, 2], strict=True)
        ]
        for earlier in self._runs:
            at = np.minimum(np.searchsorted(earlier[:, 0], run[:, 0]), len(earlier) - 1)
            same = (earlier[at, :2] == run[:, :2]).all(axis=1)
            twice += [
                Twice(int(again), int(before)) for again, before in zip(run[same, 2], earlier[at[same], 2], strict=True)
            ]
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            self._runs[-2:] = [_by_digest(np.concatenate(self._runs[-2:]))]
        return min(twice, default=None)


def _by_digest(run: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return run[np.argsort(run[:, 0], kind="stable")]
