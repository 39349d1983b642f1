"""What was told of a collection before: what is left out is listed when it is new, not at every search."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from lookalike.collection import SyncReport
from lookalike.collection.create import TOLD


def is_new(directory: str, report: SyncReport) -> bool:
    """Whether other files are skipped, or cannot be read, than was remembered."""
    with suppress(OSError), open(os.path.join(directory, TOLD), "rb") as file:
        return file.read() != _digest(report)
    return True


def remember(directory: str, report: SyncReport) -> None:
    """What was told, as far as that may be written: if not, it is told again."""
    with suppress(OSError), open(os.path.join(directory, TOLD), "wb") as file:
        file.write(_digest(report))


def _digest(report: SyncReport) -> bytes:
    skipped = sorted((each.path, each.reason) for each in report.skipped)
    failed = sorted((each.path, each.reason) for each in report.failed)
    return hashlib.sha256(repr([skipped, failed]).encode()).digest()
