"""Deciding by the whole pictures, in child processes; what was decided is remembered, so that it is never done twice.

What is remembered lies beside the catalogue, a line a pair: it can be deleted, and is then made again. A line that is
damaged, or of an older comparison, counts for nothing.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from lookalike.dedupe.files import File
from lookalike.images.compare.verdict import VERSION, Verdict
from lookalike.images.pool import DecoderPool, Failed, Limits
from lookalike.images.wire import Compared, verdict_of

NAME = "comparisons.ndjson"

LIMITS = Limits(memory=2 << 30, cpu_seconds=30, seconds=120)
"""What comparing one pair may cost: it decodes two pictures."""

CHANGED = "it has changed since it was indexed"


class Pair(NamedTuple):
    """Two files to be compared: the one that would be kept, and the other."""

    keeper: File
    other: File


@dataclass
class Comparison:
    """How it went.

    Attributes:
        compared: pairs whose pictures were decoded and compared.
        remembered: pairs that had been before.
        failed: pairs that could not be: the path of one, and why. They are taken for different.
        seconds: that it took.
    """

    compared: int = 0
    remembered: int = 0
    failed: list[Failed] = field(default_factory=list)
    seconds: float = 0.0


class Verifier:
    """Compares pairs of pictures, and remembers what was found in `directory`, where that may be written."""

    def __init__(self, directory: str, comparison: Comparison) -> None:
        self._path = os.path.join(directory, NAME)
        self._comparison = comparison
        self._pool = DecoderPool(limits=LIMITS)
        self._known = dict(_read(self._path))
        self._begun = perf_counter()
        self._file: BinaryIO | None = None
        with suppress(OSError):  # read-only: nothing is remembered, and all is as right
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 (closed by `close`)

    def verdicts(self, pairs: Iterable[tuple[Pair, Verdict | None]]) -> Iterator[Verdict]:
        """What each pair has in common, in their order, unless that is given; a few pairs are read ahead."""
        waiting: deque[Pair] = deque()

        def asked() -> Iterator[tuple[str, str] | Verdict]:
            for pair, verdict in pairs:
                if verdict is None and (verdict := self._known.get((pair.keeper.sha256, pair.other.sha256))):
                    self._comparison.remembered += 1
                waiting.append(pair)
                yield verdict or (pair.keeper.path, pair.other.path)

        for answer in self._pool.compare(asked()):
            pair = waiting.popleft()
            yield answer if isinstance(answer, Verdict) else self._decide(pair, answer)

    def close(self) -> None:
        self._comparison.seconds += perf_counter() - self._begun
        self._pool.close()
        if self._file:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decide(self, pair: Pair, answer: Compared | Failed) -> Verdict:
        """What could not be compared is taken for different."""
        if isinstance(answer, Failed):
            self._comparison.failed.append(answer)
        elif (answer.sha256, answer.other_sha256) != (pair.keeper.sha256, pair.other.sha256):
            self._comparison.failed.append(Failed(pair.other.path, CHANGED))
        else:
            self._comparison.compared += 1
            self._remember(pair, answer.verdict)
            return answer.verdict
        return Verdict("different")

    def _remember(self, pair: Pair, verdict: Verdict) -> None:
        key = pair.keeper.sha256, pair.other.sha256
        self._known[key] = verdict
        if self._file:
            line = json.dumps([VERSION, key[0].hex(), key[1].hex(), *verdict]).encode()
            with suppress(OSError):  # a full disk: the next run compares it again
                self._file.write(b"%08x %s\n" % (zlib.crc32(line), line))  # one write: others may append, too


def _read(path: str) -> Iterator[tuple[tuple[bytes, bytes], Verdict]]:
    try:
        with open(path, "rb") as file:
            for line in file:
                with suppress(ValueError):
                    crc, _, text = line.rstrip(b"\n").partition(b" ")
                    if int(crc, 16) == zlib.crc32(text):
                        version, one, other, *verdict = json.loads(text)
                        if version == VERSION:
                            yield (bytes.fromhex(one), bytes.fromhex(other)), verdict_of(verdict)
    except OSError:
        return
