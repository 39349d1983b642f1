"""Bringing a collection up to date while a person watches."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from lookalike.cli.bar import Bar
from lookalike.cli.errors import Interrupted
from lookalike.cli.output import counted, flush, print_json
from lookalike.cli.telling import How, fields, is_worth_telling, nothing_indexed, round_sentences, sentences, statistics
from lookalike.cli.told import is_new, remember
from lookalike.collection import Collection, SyncReport
from lookalike.collection.sync.watch import as_seconds
from lookalike.errors import BusyError, LookalikeError, NoPicturesError, WriteError
from lookalike.names import visible

T = TypeVar("T")


def note(text: str) -> None:
    """A remark for the person: on stderr, so that stdout is data alone."""
    sys.stderr.write(f"{visible(text)}\n")


def sync(
    collection: Collection,
    *,
    asked_for: bool,
    wait: float = 0,
    json: bool = False,
    stats: bool = False,
    skipped: bool = False,
) -> SyncReport | None:
    """Syncs and says what was done; None where the collection cannot be written now and is used as it is.

    So it is where none of its sources can be looked at. Where the user has asked for it, both are errors, what
    failed before is tried again, and something is said in any case. What is left out is listed when that is new, and
    file by file where it was asked for by `skipped`.
    """
    if collection.read_only and not asked_for:
        note(f"not checked for changes: {collection.read_only}")
        return None
    with Bar(things=collection.things) as bar:
        try:
            with _interruptible(collection):
                report = patiently(lambda seconds: collection.sync(bar.show, retry=asked_for, wait=seconds), wait)
        except (BusyError, NoPicturesError, WriteError) as error:
            if asked_for or len(collection) == 0:
                raise
            bar.hide()
            note(f"not brought up to date: {error}")
            return None
    nothing = report.indexed + report.kept == 0
    new = nothing or is_new(collection.place.directory, report)
    how: How = "all" if skipped else "shortly" if new else "in a line"
    for sentence in sentences(report, in_any_case=asked_for or nothing, listed=how):
        note(sentence)
    if new and (asked_for or is_worth_telling(report)):
        remember(collection.place.directory, report)
    _add(report, collection, json, stats)
    if nothing:
        raise NoPicturesError(nothing_indexed(report, collection.info().roots))
    return report


def fetch(collection: Collection, urls: Sequence[str], *, wait: float, json: bool, stats: bool) -> None:
    """Fetches pictures, and says what was done."""
    with Bar("fetching") as bar, _interruptible(collection):
        report = patiently(lambda seconds: collection.fetch(urls, bar.show, wait=seconds), wait)
    for sentence in sentences(report, in_any_case=True):
        note(sentence)
    _add(report, collection, json, stats)
    if report.indexed == 0:
        raise NoPicturesError(nothing_indexed(report, [f"{len(urls):,} URLs"]))


def follow(
    collection: Collection, *, poll: float | None, wait: float, json: bool, stats: bool, skipped: bool = False
) -> None:
    """Syncs, and again with every change, until Ctrl-C."""

    def begin(seconds: float) -> tuple[SyncReport, Iterator[SyncReport]]:
        reports = collection.watch(bar.show, poll=poll, retry=True, wait=seconds)
        return next(reports), reports

    def tell(report: SyncReport, lines: Iterator[str]) -> SyncReport:
        bar.hide()
        for line in lines:
            note(line)
        _add(report, collection, json, stats)
        return report

    roots = ", ".join(collection.info().roots)  # before the first report: from then on their disk may go away
    with Bar(things=collection.things) as bar, _interruptible(collection):
        report, reports = patiently(begin, wait)
        last = tell(report, sentences(report, in_any_case=True, listed="all" if skipped else "shortly"))
        note(f"following {roots}; Ctrl-C ends it")
        for report in reports:
            last = tell(report, round_sentences(report, last))


def patiently(write: Callable[[float], T], seconds: float) -> T:
    """What `write` gives, once no other process is writing; it is told how many seconds to wait for that."""
    patience = as_seconds("--wait", seconds, least=0)
    try:
        return write(0)
    except BusyError as error:
        if not patience:
            raise
        note(f"waiting{'' if math.isinf(patience) else f' for at most {patience:g} s'}: {error}")
        return write(patience)


@contextmanager
def _interruptible(collection: Collection) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        try:
            count, one = len(collection), collection.things.removesuffix("s")
            kept = f"{counted(count, f'{one} is', f'{one}s are')} kept"
        except LookalikeError:  # its disk is away
            kept = "what was committed is kept"
        raise Interrupted(f"interrupted; {kept}, and the same command goes on from there") from None


def _add(report: SyncReport, collection: Collection, json: bool, stats: bool) -> None:
    """What was asked for besides the sentences."""
    if stats:
        for line in statistics(report):
            note(line)
    if json:
        print_json(fields(report, collection.place.directory))
        flush()
