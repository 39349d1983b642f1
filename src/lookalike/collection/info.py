"""What a collection says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lookalike.collection.sync.report import Things
from lookalike.facts import Kind


@dataclass(frozen=True)
class Info:
    """What a collection is; `dataclasses.asdict` makes a dictionary of it.

    Attributes:
        path: the collection directory.
        roots: the folders and files that were given to be indexed.
        things: "pictures", or "vectors" that came from files.
        indexed, failed: how many of them are indexed, and how many could not be read.
        of_several_pages: files of which one page or frame is looked at.
        absent: pictures that are gone, whose ids and facts wait for them.
        kept_days: for so many days each of them does.
        pending: vectors that are in no segment yet.
        next_model: the name of the model to which a change is under way, or None.
        next_vectors: how many vectors that one has made so far.
        facts: the names that conditions may use, each with the kinds of its values; those of files and EXIF first.
        read_only: why it cannot be written, or None.
    """

    path: str
    roots: list[str]
    things: Things
    indexed: int
    failed: int
    of_several_pages: int
    absent: int
    kept_days: int
    pending: int
    segments: int
    bytes_on_disk: int
    model: str
    model_hash: str
    dim: int
    metric: str
    created: datetime
    updated: datetime
    next_model: str | None
    next_vectors: int
    facts: dict[str, list[Kind]]
    read_only: str | None
