"""What the tests of archives in collections do over and over, with the model of the tests of faults."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.collection import Collection, SyncReport
from tests.faults import pictures
from tests.faults.pictures import encoded, seed_of, vector

KINDS = ("a.tar", "a.tar.gz", "a.zip", "a.parquet")
TEXT = ("notes.txt", b"no picture")


def members(*seeds: int) -> dict[str, bytes]:
    """Pictures that are called by their seeds."""
    return {f"{seed}.png": encoded(seed) for seed in seeds}


def counts(report: SyncReport) -> dict[str, int]:
    """What is not zero."""
    names = ("new", "changed", "moved", "unchanged", "removed", "kept", "embedded", "unsettled")
    listed = {"failed": len(report.failed), "lost": len(report.lost), "skipped": sum(s.total for s in report.skipped)}
    return {name: n for name, n in ({n: getattr(report, n) for n in names} | listed).items() if n}


def made(sources: Path | list[Path], place: Path) -> Collection:
    return Collection.create(sources, place / "index", model=pictures.MODEL)


def synced(sources: Path | list[Path], place: Path) -> SyncReport:
    with made(sources, place) as collection:
        report = collection.sync()
        assert report.found == report.indexed + sum(s.total for s in report.skipped) + len(report.failed)
        assert report.indexed + report.kept == len(collection)
        return report


def state(place: Path, below: Path | None = None) -> dict[str, int]:
    """The seed of what is indexed, by path; those of `below` relative to it."""
    assert Collection.verify(place / "index") == []
    with Collection.open(place / "index") as collection:
        found = {path: seed_of(collection.vector(path)) for path in collection.paths()}
        assert {hit.path for hit in collection.search(vector(0), k=10**4)} == found.keys()
    return {os.path.relpath(path, below) if below else path: seed for path, seed in found.items()}


def ids(place: Path) -> dict[str, int]:
    with Collection.open(place / "index") as collection:
        return {os.path.basename(hit.path): hit.id for hit in collection.search(vector(0), k=10**4)}


PROCESS = "a process"

_opened: list[str] = []
_listening = False


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event == "open":
        _opened.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")
    if _listening and event == "subprocess.Popen":
        _opened.append(PROCESS)


sys.addaudithook(_hear)


@contextmanager
def listening() -> Iterator[list[str]]:
    """The files that this process opens, and `PROCESS` for each that it starts."""
    global _listening
    _opened.clear()
    _listening = True
    try:
        yield _opened
    finally:
        _listening = False
