"""Who is asked what two pictures have in common."""

from __future__ import annotations

from pathlib import Path

from lookalike.images.compare.verdict import Verdict


def by_pixels(one: str, other: str) -> Verdict:
    """The comparison of the whole pictures, as `lookalike dedupe` decides with."""
    from lookalike.images.compare.compare import compare
    from lookalike.images.compare.whole import whole

    return compare(whole(Path(one).read_bytes()), whole(Path(other).read_bytes()))
