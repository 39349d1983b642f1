"""Progress on long work, for a person who watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """A progress bar with things/s and the time left; only on a terminal, and only when there is work.

    Args:
        doing: a word for the work.
        things: what is counted.
    """

    def __init__(self, doing: str = "indexing", things: str = "pictures") -> None:
        self._doing = doing
        self._things = things
        self._bar: Progress | None = None

    def show(self, done: int, total: int) -> None:
        if self._bar is None and total and sys.stderr.isatty():
            self._bar = _start_bar(self._doing, total)
        if self._bar is not None:
            rate = self._bar.tasks[0].speed
            self._bar.update(
                self._bar.task_ids[0], completed=done, pace="" if rate is None else f"{rate:,.0f} {self._things}/s"
            )

    def hide(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()


def _start_bar(doing: str, total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("", total=total, pace="")
    bar.start()
    return bar
