"""One state of an index."""

from __future__ import annotations

from lookalike import _core
from lookalike.index.reader import Reader


class Snapshot(Reader):
    """An index as it was when `Index.snapshot` was called; it stays so, whatever is added, removed or sealed.

    It shares the memory of the index. What the index has given up since, it keeps for as long as it is there.
    """

    def __init__(self, core: _core.Snapshot) -> None:
        self._core = core
