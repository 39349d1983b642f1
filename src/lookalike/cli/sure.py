"""What is said of how sure a search is."""

from __future__ import annotations

from lookalike.collection import Hits
from lookalike.collection.sync.report import Things


def verdict(hits: Hits, things: Things) -> str:
    """A sentence where there is no good match; else nothing."""
    if hits.match is not False or hits.kin is None:
        return ""
    share = min(99, int(100 * (1 - hits.kin)))
    return f"no good match: the nearest are farther away than {share} of 100 {things} here are from theirs"
