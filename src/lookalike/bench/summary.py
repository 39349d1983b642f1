"""What a run found, in a few sentences for somebody who was not there."""

from __future__ import annotations

from collections.abc import Sequence

from lookalike.bench.competitors import OURS
from lookalike.bench.report import TARGETS, Against, Ratio, against, best, few, ours, rate_at
from lookalike.bench.results import MODES, Mode, Outcome, Point, Results

AT = 0.95
"""The recall that the first sentences are about."""
HOW: dict[Mode, str] = {"single": "one by one", "batch": "in batches"}
SIGNS = {"": "", "≥": "at least ", "≤": "at most ", "≈": "about "}


def summary(results: Results) -> list[str]:
    """Sentences: the speed at recall 0.95, where ours is behind, exact search, building, and who is missing."""
    said = [_speed(results, mode) for mode in MODES if any(one.points(mode) for one in results.outcomes)]
    said += [_standing(results), _exact(results), _costs(results), _missing(results)]
    return [sentence for sentence in said if sentence]


def exact(outcome: Outcome) -> bool:
    """Whether it is exact search: it finds all, and no setting makes it find less."""
    points = [*outcome.single, *outcome.batch]
    return bool(points) and all(not point.setting and point.recall > 0.999 for point in points)


def _speed(results: Results, mode: Mode) -> str:
    own, pair = rate_at(ours(results, mode), AT), best(against(results, mode, AT))
    if own is None:
        return f"{_not_there(ours(results, mode), HOW[mode])}{_fastest(pair)}."
    rate = f"{'at least ' if own.least else ''}{few(own.value)} queries/s {HOW[mode]}"
    return f"At {AT * 100:.0f} % recall {OURS} answers {rate}, {_beside(pair)}."


def _not_there(points: Sequence[Point], how: str) -> str:
    if not points:
        return f"{OURS} was not measured {how}"
    most = max(point.recall for point in points)
    return f"{OURS} does not get to {AT * 100:.0f} % recall {how}: it finds {most * 100:.1f} % at most"


def _fastest(pair: Against | None) -> str:
    if pair is None or pair.theirs is None:
        return ""
    return f"; at {AT * 100:.0f} % {pair.peer} is the fastest, with {few(pair.theirs.value)} queries/s"


def _beside(pair: Against | None) -> str:
    if pair is None or pair.ratio is None:
        return "and no other gets there"
    if pair.ratio.value < 1:
        return f"fewer than {pair.peer}, which answers {_times(_inverse(pair.ratio))} times as many"
    return f"{_times(pair.ratio)} times as many as the best other, {pair.peer}"


def _standing(results: Results) -> str:
    """At which of the points of the table ours is behind."""
    pairs = {(mode, target): best(against(results, mode, target)) for mode in MODES for target in TARGETS}
    lost = [
        f"{HOW[mode]} at {target * 100:.0f} % ({pair.peer}{f', {pair.ratio} times' if pair.ratio else ''})"
        for (mode, target), pair in pairs.items()
        if pair and (pair.ratio is None or pair.ratio.value < 1)
    ]
    met = sum(pair is not None for pair in pairs.values())
    if not met or not any(ours(results, mode) for mode in MODES):
        return ""
    if not lost:
        return f"{OURS} is ahead of every other at all {met} points of the table of speeds."
    return f"{OURS} is ahead at {met - len(lost)} of {met} points of the table of speeds; not {_listed(lost)}."


def _exact(results: Results) -> str:
    rates = {one.name: max(point.rate for point in one.single) for one in results.outcomes if exact(one) and one.single}
    if not rates:
        return ""
    name = max(rates, key=lambda name: rates[name])
    rate = f"{few(rates[name])} queries/s one by one"
    sets = results.distance == "jaccard"  # of which an inverted index meets but those that share something
    how = "By exact search" if sets else "Comparing every query with every vector"
    said = f"{how}, which finds all, {name} answers {rate}"
    return f"{said}, the fastest of {len(rates)} that do so." if len(rates) > 1 else f"{said}."


def _costs(results: Results) -> str:
    """What ours takes to build and to keep, beside the least that others take which get as far."""
    there = [one for one in results.outcomes if any(rate_at(one.points(mode), AT) for mode in MODES) and not exact(one)]
    own = next((one for one in results.outcomes if one.name == OURS and (one.single or one.batch)), None)
    others = [one for one in there if one is not own]
    if own is None:
        return ""
    said = f"The index of {OURS} is built in {_seconds(own)} and takes {_megabytes(own)} of memory"
    if not others:
        return f"{said}."
    quick = min(others, key=lambda one: one.build_seconds)
    small = min(others, key=lambda one: one.memory)
    return (
        f"{said}; of the others that get to {AT * 100:.0f} % without comparing everything, the quickest is built in "
        f"{_seconds(quick)} ({quick.name}), the smallest takes {_megabytes(small)} ({small.name})."
    )


def _missing(results: Results) -> str:
    gone = [one.name for one in results.outcomes if not one.single and not one.batch]
    cut = [one.name for one in results.outcomes if one.error and one.name not in gone]
    parts = [f"{_listed(gone)} could not be measured"] if gone else []
    parts += [f"{_listed(cut)} broke off"] if cut else []
    return f"Of {len(results.outcomes)} methods, {' and '.join(parts)}: why is said below." if parts else ""


def _times(ratio: Ratio) -> str:
    return SIGNS[ratio.sign] + str(Ratio(ratio.value))


def _inverse(ratio: Ratio) -> Ratio:
    return Ratio(1 / ratio.value, {"≥": "≤", "≤": "≥"}.get(ratio.sign, ratio.sign))


def _seconds(outcome: Outcome) -> str:
    return f"{outcome.build_seconds:,.1f} s"


def _megabytes(outcome: Outcome) -> str:
    return f"{outcome.memory / 1e6:,.0f} MB"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
