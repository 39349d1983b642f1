"""What a first search and `info` would look for in all there is, looked for by who has changed much of it."""

from __future__ import annotations

from contextlib import suppress

from lookalike.collection.access import Access
from lookalike.collection.recall_file import curves_of
from lookalike.collection.sealed.segments import cure_of
from lookalike.errors import LookalikeError

LEAST = 1 << 16
"""Items; in fewer a search finds it in no time."""


def make_ready(access: Access) -> None:
    """Bring along what is kept beside the catalogue; what is damaged is told by who searches."""
    with suppress(LookalikeError), access.reading():
        if access.catalogue.counts.of("indexed") >= LEAST:
            with cure_of(access.place):
                access.with_index(access.calibration)
            curves_of(access)
