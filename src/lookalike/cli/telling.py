"""What is said of a sync: in sentences for a person, in fields for a program."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from lookalike.cli.output import counted, short, with_bytes
from lookalike.collection import Failure, SyncReport
from lookalike.images.find import Skipped

_LISTED = 20  # failures named one by one
_NAMED = 3  # skipped files of each reason
_PARTS = ("new", "changed", "moved", "removed")


def sentences(report: SyncReport, *, in_any_case: bool) -> Iterator[str]:
    """What was done; nothing where nothing was, unless `in_any_case`."""
    yield from _lost(report.lost, report)
    if not (report.changes or report.newly_failed or in_any_case):
        return
    read = _read(report)
    pace = f" ({read / report.elapsed:,.0f} {report.things}/s)" if read else ""
    done = _changes(report) or "nothing new"
    yield f"{_counted(report.indexed, report)} indexed: {done}, in {report.elapsed:.1f} s{pace}"
    yield from _skipped(report.skipped)
    yield from _failures(report.failed)


def round_sentences(report: SyncReport, before: SyncReport) -> Iterator[str]:
    """What one round of a watch found that the one before did not."""
    yield from _lost([source for source in report.lost if source not in before.lost], report)
    for path in [source.path for source in before.lost]:
        if path not in [source.path for source in report.lost]:
            yield f"looked at again: {path}"
    known = set(before.failed)
    fresh = [failure for failure in report.failed if failure not in known]
    changes = _changes(report) or ("nothing new" if fresh else "")
    if changes:
        count = report.indexed + report.kept
        yield f"{time.strftime('%H:%M:%S')}  {changes}; {_counted(count, report)} indexed, in {report.elapsed:.1f} s"
    yield from _failures(fresh)


def statistics(report: SyncReport) -> Iterator[str]:
    """What each stage took, and how busy the cores were."""
    busy = sum(report.processor.values()) / report.elapsed
    pace = f", {_read(report) / report.elapsed:,.1f} {report.things}/s" if _read(report) else ""
    yield f"  {report.elapsed:.2f} s{pace}; {busy:.2f} of {_cores()} cores busy"
    others = report.elapsed - sum(report.seconds.values())
    decoders = f"waited for; {report.processor['decoders']:.2f} s of processor time meanwhile"
    for stage, seconds in [*report.seconds.items(), ("other", others)]:
        remark = f"  ({decoders})" if stage == "decode" else ""
        yield f"  {stage:<7}{seconds:9.2f} s {seconds / report.elapsed:6.1%}{remark}"


def fields(report: SyncReport, where: str) -> dict[str, Any]:
    """The report as one JSON object; `skipped` by reason, `failures` one by one."""
    names = (*_PARTS, "unchanged", "kept", "indexed", "found", "embedded", "newly_failed", "unsettled")
    return {
        "collection": where,
        "things": report.things,
        **{name: getattr(report, name) for name in names},
        "failed": len(report.failed),
        "skipped": _by_reason(report.skipped),
        "failures": [with_bytes({"path": path, "reason": reason}) for path, reason in report.failed],
        "lost": [with_bytes({"path": path, "reason": reason}) for path, reason, _ in report.lost],
        "seconds": {**report.seconds, "elapsed": report.elapsed},
        "processor_seconds": report.processor,
    }


def nothing_indexed(report: SyncReport, roots: Sequence[str]) -> str:
    """Why no picture is indexed, for an error."""
    where = ", ".join(roots)
    if report.failed:
        return f"of {_counted(len(report.failed), report)} in {where} none can be read; see the reasons above"
    if report.things == "vectors":
        return f"no vectors in {where}; name a file that holds some"
    return f"no pictures in {where}; expected JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF files in it or below"


def _counted(count: int, report: SyncReport) -> str:
    return counted(count, report.things.removesuffix("s"))


def _read(report: SyncReport) -> int:
    return report.new + report.changed + report.newly_failed


def _changes(report: SyncReport) -> str:
    counts = {name: getattr(report, name) for name in _PARTS}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _lost(sources: Sequence[Skipped], report: SyncReport) -> Iterator[str]:
    for source in sources:
        yield f"not looked at, its {report.things} are kept as they were: {source.path}: {source.reason}"


def _skipped(skipped: Sequence[Skipped]) -> Iterator[str]:
    for reason, count in _by_reason(skipped).most_common():
        paths = list(islice((short(entry.path) for entry in skipped if entry.reason == reason), _NAMED))
        more = f" and {count - len(paths):,} more" if count > len(paths) else ""
        yield f"  {count:,} skipped: {reason}: {', '.join(paths)}{more}"


def _by_reason(skipped: Sequence[Skipped]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for entry in skipped:
        counts[entry.reason] += entry.total
    return counts


def _failures(failed: Sequence[Failure]) -> Iterator[str]:
    if failed:
        yield f"  {len(failed):,} could not be read:"
    for failure in failed[:_LISTED]:
        yield f"    {failure.path}: {failure.reason}"
    if len(failed) > _LISTED:
        yield f"    … and {len(failed) - _LISTED:,} more, listed by: lookalike info"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
