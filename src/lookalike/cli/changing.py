"""Changing the model of an index while a person watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lookalike.cli.bar import Bar
from lookalike.cli.errors import Interrupted
from lookalike.cli.output import counted
from lookalike.cli.syncing import note, patiently
from lookalike.cli.telling import failures
from lookalike.collection import Collection, ModelReport
from lookalike.collection.create import place_for


def change_model(
    paths: Sequence[str], to: str | None, how: dict[str, Any], *, wait: float, fetch: bool, give_up: bool
) -> None:
    """Where the index of these sources is there, and made with another model than the one named: change it, and say so.

    Args:
        how: as `model_options` gives it.
    """
    place = place_for(paths, to)
    if how["model"] is None or not place.exists:
        return
    with Bar("embedding anew") as bar:
        watch = _Watch(bar, how["model"])
        try:
            report = patiently(
                lambda seconds: Collection.change_model(
                    place.shown, progress=watch.show, wait=seconds, fetch=fetch, give_up=give_up, **how
                ),
                wait,
            )
        except KeyboardInterrupt:
            raise Interrupted(watch.interrupted) from None
    for sentence in sentences(report):
        note(sentence)


class _Watch:
    """Says what happens before it happens, and how far it came."""

    def __init__(self, bar: Bar, model: str) -> None:
        self._bar = bar
        self._model = model
        self._done: int | None = None
        self._total = 0

    def show(self, done: int, total: int) -> None:
        if self._done is None:
            already = f", of which {done:,} are done already" if done else ""
            note(
                f"changing the model to {self._model}: {counted(total, 'picture')} to embed{already}; searches go on "
                "with the old one until all are"
            )
        self._done, self._total = done, total
        self._bar.show(done, total)

    @property
    def interrupted(self) -> str:
        if self._done is None:
            return "interrupted; the model is the one it was"
        return (
            f"interrupted; {self._done:,} of {counted(self._total, 'picture')} are embedded by {self._model}, the old "
            "model answers as before, and the same command goes on from there"
        )


def sentences(report: ModelReport) -> Iterator[str]:
    """What was done; nothing where the model is the one that it was."""
    if report.called_off is not None:
        yield f"the change of the model to {report.called_off} that was under way is called off"
    if report.changed:
        before = "another version of it" if report.before == report.model else report.before
        pace = f" ({report.embedded / report.elapsed:,.0f} pictures/s)" if report.embedded else ""
        yield (
            f"the model is {report.model} now, it was {before}: {counted(report.embedded, 'picture')} embedded in "
            f"{report.elapsed:.1f} s{pace}"
        )
        yield from failures(report.failed, done="embedded; they keep their facts and are tried again")
