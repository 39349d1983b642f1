"""A catalogue that is gone, or no database any more, while the segments that it named are there."""

from __future__ import annotations

import os
from contextlib import suppress

from lookalike.errors import DamagedError


def lost(catalogue: str, received: str) -> DamagedError | None:
    """The error to raise where a catalogue is lost; None where no segment lies beside it, and none was there.

    Args:
        received: what is found at its path.
    """
    folder = os.path.dirname(catalogue)
    segments = {name for name in _names(os.path.join(folder, "segments")) if name.endswith(".segment")}
    if not segments:
        return None
    kept = {name.removesuffix(".rows") + ".segment" for name in _names(os.path.join(folder, "rows"))}
    if segments & kept or os.path.lexists(catalogue):  # in that, more may be left than its start
        cure = f"bring it back from what is kept beside the segments by `lookalike repair {folder}`"
    else:
        cure = (
            "put it back from a backup; an earlier lookalike wrote the segments, and what their vectors are of was in "
            f"the catalogue alone: without a backup, move {folder} away and index again"
        )
    return DamagedError(
        f"expected the catalogue {catalogue} of the segments beside it, received {received}: it is lost; {cure} "
        "(your files are not touched)"
    )


def _names(folder: str) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []
