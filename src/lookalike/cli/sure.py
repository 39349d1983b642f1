"""What is said of a search, beside what it found."""

from __future__ import annotations

from collections.abc import Iterator

from lookalike.cli.output import short
from lookalike.collection import Hits
from lookalike.collection.classes import SURE
from lookalike.collection.sync.report import Things


def remarks(hits: Hits, things: Things) -> Iterator[str]:
    """Sentences where there is no good match, and on what words were taken for."""
    if hits.words:
        yield from _of_words(hits)
    elif hits.match is False and hits.kin is not None:
        share = min(99, int(100 * (1 - hits.kin)))
        yield f"no good match: the nearest are farther away than {share} of 100 {things} here are from theirs"


def verdict(hits: Hits, things: Things) -> str:
    """The same in one line; else nothing."""
    return "; ".join(remarks(hits, things))


def probably(score: float | None) -> str:
    """Of a hit of words, in a word or two: what a model sees is never certain."""
    return "" if score is None else "probably" if score >= SURE else "perhaps" if score >= SURE / 5 else "hardly"


def _of_words(hits: Hits) -> Iterator[str]:
    named = " and ".join(f"“{meaning.text}”" for meaning in hits.words)
    likely = [hit.score or 0 for hit in hits]
    if sure := sum(score >= SURE for score in likely):
        yield f"{sure} of these probably {'shows' if sure == 1 else 'show'} {named}"
    elif likely:
        yield f"nothing here is surely {named}: the likeliest is so with a probability of {max(likely):.2f}"
    for meaning in hits.words:
        if meaning.unsure:
            yield f"“{meaning.text}” is a guess: {meaning.unsure}"
        elif meaning.narrow:
            yield f"of “{meaning.text}” the network knows {meaning.narrow.removesuffix(',')}"
        if meaning.gloss:
            yield f"“{meaning.text}” is taken for: {meaning.gloss}"


def itself(hits: Hits) -> str:
    """A sentence where what was searched by is indexed, and would have been among the hits; else nothing."""
    if not hits.left_out:
        return ""
    was = "were" if hits.left_out[1:] else "was"
    return f"left out: {', '.join(map(short, hits.left_out))}, which {was} searched by"
