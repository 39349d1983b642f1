"""What is left of the seconds that a search was given."""

from __future__ import annotations

import math
from time import monotonic

from lookalike.collection.sync.report import Progress
from lookalike.errors import SearchTimeoutError
from lookalike.index.arguments import as_timeout


class TimeLeft:
    """Runs from when it is made."""

    def __init__(self, timeout: float | None) -> None:
        """Of so many seconds; None: no end. ArgumentError unless they are more than 0."""
        self._seconds = as_timeout(timeout)
        self._end = monotonic() + self._seconds

    @property
    def seconds(self) -> float | None:
        """What is left, as `Index.search` takes it; None where there is no end. Raises as `require`."""
        self.require()
        return None if math.isinf(self._end) else max(self._end - monotonic(), 1e-9)

    def require(self) -> None:
        """SearchTimeoutError where it is over."""
        if monotonic() >= self._end:
            raise SearchTimeoutError(
                f"expected an answer within {self._seconds:g} s, received none: the time was over before the vectors "
                "were searched; allow more time"
            )

    def told(self, progress: Progress | None) -> Progress:
        """What is called with the progress of long work, which ends there when the time is over."""

        def tell(done: int, total: int) -> None:
            self.require()
            if progress:
                progress(done, total)

        return tell
