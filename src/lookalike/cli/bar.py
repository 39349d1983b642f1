"""The progress bar of a sync."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """A progress bar with pictures/s and the time left; only on a terminal, and only when there is work."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def show(self, done: int, total: int) -> None:
        if self._bar is None and total and sys.stderr.isatty():
            self._bar = _start_bar(total)
        if self._bar is not None:
            rate = self._bar.tasks[0].speed
            self._bar.update(
                self._bar.task_ids[0], completed=done, pace="" if rate is None else f"{rate:,.0f} pictures/s"
            )

    def hide(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.hide()


def _start_bar(total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("indexing"),
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
