"""Bringing a collection up to date while a person watches: the progress bar and what is said afterwards."""

from __future__ import annotations

import sys
import time
from collections import Counter

from lookalike.cli.bar import Bar
from lookalike.cli.errors import Interrupted
from lookalike.collection import Collection, SyncReport
from lookalike.errors import BusyError, NoPicturesError, WriteError
from lookalike.names import visible

_LISTED = 20  # failures named one by one


def note(text: str) -> None:
    """A remark for the person: on stderr, so that stdout is data alone."""
    sys.stderr.write(f"{visible(text)}\n")


def sync(collection: Collection, *, asked_for: bool) -> SyncReport | None:
    """Syncs and says what was done; None where the collection cannot be written now and is used as it is.

    Where the user has asked for it, what failed before is tried again, and something is said in any case.
    """
    if collection.read_only:
        note(f"not checked for changes: {collection.read_only}")
        return None
    start = time.perf_counter()
    with Bar() as bar:
        try:
            report = collection.sync(bar.show, retry=asked_for)
        except (BusyError, WriteError) as error:
            if asked_for or len(collection) == 0:
                raise
            bar.hide()
            note(f"not brought up to date: {error}")
            return None
        except KeyboardInterrupt:
            kept = f"{len(collection):,} pictures are kept, and the same command goes on from there"
            raise Interrupted(f"interrupted; {kept}") from None
    nothing = report.indexed + report.kept == 0
    _tell(report, time.perf_counter() - start, asked_for or nothing)
    if nothing:
        raise NoPicturesError(_nothing(report, collection))
    return report


def _tell(report: SyncReport, seconds: float, in_any_case: bool) -> None:
    changes = {name: getattr(report, name) for name in ("new", "changed", "moved", "removed")}
    changed = [f"{count:,} {name}" for name, count in changes.items() if count]
    for source in report.lost:
        note(f"not looked at, its pictures are kept as they were: {source.path}: {source.reason}")
    if not (changed or report.newly_failed or in_any_case):
        return
    read = report.new + report.changed + report.newly_failed
    pace = f" ({read / seconds:,.0f} pictures/s)" if read else ""
    note(f"{report.indexed:,} pictures indexed: {', '.join(changed) or 'nothing new'}, in {seconds:.1f} s{pace}")
    for reason, count in Counter(skipped.reason for skipped in report.skipped).most_common():
        note(f"  {count:,} skipped: {reason}")
    if report.failed:
        note(f"  {len(report.failed):,} could not be read:")
        for failure in report.failed[:_LISTED]:
            note(f"    {failure.path}: {failure.reason}")
        if len(report.failed) > _LISTED:
            note(f"    … and {len(report.failed) - _LISTED:,} more, listed by: lookalike info")


def _nothing(report: SyncReport, collection: Collection) -> str:
    where = ", ".join(collection.info().roots)
    if report.failed:
        return f"none of the {len(report.failed):,} pictures in {where} can be read; see the reasons above"
    return f"no pictures in {where}; expected JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF files in it or below"
