"""What was given to pictures that are set aside: a sync drops it with them, so the undo file keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeGuard

from lookalike.collection import Collection, Progress
from lookalike.collection.place import Place
from lookalike.dedupe.disk import digest
from lookalike.errors import PictureError
from lookalike.facts import Facts


def facts_of(directory: str | None, paths: Iterable[str]) -> dict[str, Facts]:
    """What was given to the pictures at these paths; nothing where the collection is gone. DamagedError if it is."""
    if not _is_there(directory):
        return {}
    with Collection(Place.at(directory)) as collection:
        return collection.given(paths)


def restore_facts(
    directory: str | None, kept: Mapping[str, tuple[str, Facts]], progress: Progress | None = None
) -> int:
    """Give pictures with these hashes, by path, those of their facts whose names they have not; how many got some."""
    if not kept or not _is_there(directory):
        return 0
    with Collection(Place.at(directory)) as collection:
        back = {path: facts for path, (sha256, facts) in kept.items() if _has(path, sha256)}
        missing = _missing(collection, back)
        if not missing:
            return 0
        collection.sync(progress)  # which remembers, for a time, what was given to those that were gone
        still = _missing(collection, back)
        return len(missing.keys() - still.keys()) + (collection.describe(still).pictures if still else 0)


def _missing(collection: Collection, facts: Mapping[str, Facts]) -> dict[str, Facts]:
    """The facts whose names the pictures have not."""
    there = collection.given(facts)
    missing = {
        path: {name: value for name, value in known.items() if name not in there.get(path, {})}
        for path, known in facts.items()
    }
    return {path: known for path, known in missing.items() if known}


def _has(path: str, sha256: str) -> bool:
    try:
        return digest(path) == sha256
    except PictureError:
        return False


def _is_there(directory: str | None) -> TypeGuard[str]:
    return directory is not None and Place.at(directory).exists
