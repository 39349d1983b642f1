"""What is said of a sync: in sentences for a person, in fields for a program."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Literal

from lookalike.cli.output import counted, short, with_bytes
from lookalike.collection import Failure, SyncReport
from lookalike.images.find import READ, Skipped

_LISTED = 20  # failures named one by one
_NAMED = 3  # skipped files of each reason
_PARTS = ("new", "changed", "moved", "returned", "removed")


How = Literal["in a line", "shortly", "all"]
"""How what was skipped or cannot be read is listed: only counted, by a few names for each reason, or by every name."""


def sentences(report: SyncReport, *, in_any_case: bool, listed: How = "shortly") -> Iterator[str]:
    """What was done; nothing where nothing was, unless `in_any_case`."""
    yield from _lost(report.lost, report)
    if report.polled:
        yield report.polled
    yield from _found_again(report)
    if not (in_any_case or is_worth_telling(report)):
        return
    read = _read(report)
    pace = f" ({read / report.elapsed:,.0f} {report.things}/s)" if read else ""
    done = _changes(report) or "nothing new"
    yield f"{_counted(report.indexed, report)} indexed: {done}, in {report.elapsed:.1f} s{pace}"
    yield from _emptied(report)
    if listed == "in a line":
        yield from _left_out(report)
        return
    yield from _skipped(report.skipped, every=listed == "all")
    yield from _damaged(report)
    yield from failures(report.failed, len(report.failed) if listed == "all" else _LISTED)


def is_worth_telling(report: SyncReport) -> bool:
    """Whether it is told though nobody asked."""
    return bool(report.changes or report.newly_failed)


def round_sentences(report: SyncReport, before: SyncReport) -> Iterator[str]:
    """What one round of a watch found that the one before did not."""
    yield from _lost([source for source in report.lost if source not in before.lost], report)
    for path in [source.path for source in before.lost]:
        if path not in [source.path for source in report.lost]:
            yield f"looked at again: {path}"
    if report.polled and not before.polled:
        yield report.polled
    yield from _found_again(report)
    known = set(before.failed)
    fresh = [failure for failure in report.failed if failure not in known]
    changes = _changes(report) or ("nothing new" if fresh else "")
    if changes:
        count = report.indexed + report.kept
        yield f"{time.strftime('%H:%M:%S')}  {changes}; {_counted(count, report)} indexed, in {report.elapsed:.1f} s"
    yield from _emptied(report)
    yield from _damaged(report)
    yield from failures(fresh)


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
        "damaged": [with_bytes({"path": path}) for path in report.damaged],
        "emptied": [with_bytes(each._asdict()) for each in report.emptied],
        "absent": report.absent,
        "found_again": [each._asdict() for each in report.found_again],
        "polled": report.polled or None,
        "seconds": {**report.seconds, "elapsed": report.elapsed},
        "processor_seconds": report.processor,
    }


def nothing_indexed(report: SyncReport, roots: Sequence[str]) -> str:
    """Why no picture is indexed, for an error."""
    where = ", ".join(roots)
    if report.failed:
        within = f" in {where}" if where else ""
        return f"of {_counted(len(report.failed), report)}{within} none can be read; see the reasons above"
    if not roots:
        return (
            "nothing is indexed here, and no source is left: those that were given are gone; give others: "
            "lookalike index SRC... --to PATH"
        )
    if report.things == "vectors":
        return f"no vectors in {where}; name a file that holds some"
    if report.absent:
        were = counted(report.absent, "picture that was", "pictures that were")
        return f"no pictures in {where} any more; of {were} there the ids and facts are kept for now: put them back"
    return f"no pictures in {where} or below; {READ} are read"


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


def _emptied(report: SyncReport) -> Iterator[str]:
    for path, pictures in report.emptied:
        kept = f"; {_waiting(report)}" if report.kept_days else ""
        yield f"  no picture is in {path} any more: {_counted(pictures, report)} that were there are taken out{kept}"


def _waiting(report: SyncReport) -> str:
    days = counted(report.kept_days, "day")
    return f"their ids and facts are kept for {days}, should they come back (lookalike sync --keep-facts DAYS)"


def _found_again(report: SyncReport) -> Iterator[str]:
    for was, path, pictures in report.found_again:
        kept = f"{counted(pictures, 'picture keeps its id', 'pictures keep their ids')} and facts"
        yield f"recognised {path} as the source that was at {was}: {kept}"


def _left_out(report: SyncReport) -> Iterator[str]:
    """One line for what was told before."""
    skipped = sum(entry.total for entry in report.skipped)
    parts = [f"{skipped:,} skipped"] if skipped else []
    parts += [f"{len(report.failed):,} could not be read"] if report.failed else []
    if parts:
        yield f"  {', '.join(parts)}, as before; listed by: lookalike sync WHERE --skipped"


def _skipped(skipped: Sequence[Skipped], every: bool = False) -> Iterator[str]:
    for reason, count in _by_reason(skipped).most_common():
        those = (short(entry.path) for entry in skipped if entry.reason == reason)
        paths = list(those if every else islice(those, _NAMED))
        if every:
            yield f"  {count:,} skipped: {reason}:"
            yield from (f"    {path}" for path in paths)
            continue
        more = f" and {count - len(paths):,} more" if count > len(paths) else ""
        yield f"  {count:,} skipped: {reason}: {', '.join(paths)}{more}"


def _damaged(report: SyncReport) -> Iterator[str]:
    if report.damaged:
        more = f" and {len(report.damaged) - _NAMED:,} more" if report.damaged[_NAMED:] else ""
        named = ", ".join(map(short, report.damaged[:_NAMED]))
        yield f"  {len(report.damaged):,} taken in part, the rest is damaged (--where 'damaged = true'): {named}{more}"


def _by_reason(skipped: Sequence[Skipped]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for entry in skipped:
        counts[entry.reason] += entry.total
    return counts


def failures(failed: Sequence[Failure], most: int = _LISTED, done: str = "read") -> Iterator[str]:
    """What could not be `done`, one by one, and why."""
    if failed:
        yield f"  {len(failed):,} could not be {done}:"
    for failure in failed[:most]:
        yield f"    {failure.path}: {failure.reason}"
    if len(failed) > most:
        yield f"    … and {len(failed) - most:,} more, listed by: lookalike info"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
