"""Searching by words where the model has no text, but knows classes: alone, or together with other examples.

What a word is like is told by probabilities, not by a vector. So examples are brought together by their distances: of
a word one less its probability, of a picture the distance to its vector. With m and l the weighted means of those to
what is looked for and to what is not, and w the mean weight of the latter, it is m + w (m − l), the formula of
`combine`; under cosine the two agree, but for the length of what `combine` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.access import Access
from lookalike.collection.classes import Classes
from lookalike.collection.examples import Examples
from lookalike.collection.query import Example, Query, Text
from lookalike.collection.sealed.segments import cure_of
from lookalike.collection.sync.report import Progress
from lookalike.index import Reader
from lookalike.models import Model
from lookalike.models.words import Meaning, Words, words_of

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranked:
    """All items, the nearest first.

    Attributes:
        ids, distances: (n,).
        shares: (n,), how probable it is that each shows what the words say; their weighted mean, of several.
        own: the ids of the examples themselves, which are no hits.
        path: of the first picture that was searched by, or None.
        meanings: what the words were taken for.
    """

    ids: NDArray[np.int64]
    distances: Floats
    shares: Floats
    own: frozenset[int]
    path: str | None
    meanings: tuple[Meaning, ...]


def words_for(query: Query, model: Model) -> Words | None:
    """The words by which a query's texts are looked up; None where it has none, or the model reads texts itself."""
    has_text = any(isinstance(what, Text) for what, _ in query.examples)
    return words_of(model.name) if has_text and not hasattr(model, "embed_text") else None


def rank(
    access: Access,
    examples: Examples,
    index: Reader,
    query: Query,
    words: Words,
    only: NDArray[np.int64] | None,
    progress: Progress | None,
) -> Ranked:
    """All items of the index, or `only` some, by a query with words in it, within `Access.with_index`.

    Raises:
        ArgumentError: a word that is not known.
        Others as for `Examples.see`.
    """
    meanings = {what.text: words.mean(what.text) for what, _ in query.examples if isinstance(what, Text)}
    classes = access.classes(index, words, progress)
    told = {text: classes.probability(meaning.classes) for text, meaning in meanings.items()}
    own: set[int] = set()
    paths: list[str] = []

    def distances(given: Sequence[Example]) -> Iterable[tuple[Floats, float]]:
        for what, weight in given:
            if isinstance(what, Text):
                yield 1 - told[what.text], weight
            else:
                seen = examples.one(what, index)
                own.update(seen.own)
                paths.extend([seen.path] if seen.path else [])
                yield _to_all(index, seen.vector, classes), weight

    with cure_of(access.place):
        found = _together(distances(query.more), distances(query.less), query.less)
    shares = _mean((told[what.text], weight) for what, weight in query.more if isinstance(what, Text))
    kept = np.arange(len(found)) if only is None else np.flatnonzero(np.isin(classes.ids, only))
    order = kept[np.argsort(found[kept], kind="stable")]
    return Ranked(
        classes.ids[order],
        found[order],
        shares[order],
        frozenset(own),
        paths[0] if paths else None,
        tuple(meanings.values()),
    )


def _together(
    more: Iterable[tuple[Floats, float]], less: Iterable[tuple[Floats, float]], unlike: Sequence[Example]
) -> Floats:
    middle = _mean(more)
    if not unlike:
        return middle
    weight = sum(weight for _, weight in unlike) / len(unlike)
    return middle + np.float32(weight) * (middle - _mean(less))


def _mean(weighted: Iterable[tuple[Floats, float]]) -> Floats:
    total, weights = np.float32(0), 0.0
    summed: Floats | np.float32 = total
    for values, weight in weighted:
        summed, weights = summed + np.float32(weight) * values, weights + weight
    mean: Floats = np.asarray(summed / np.float32(weights), np.float32)
    return mean


def _to_all(index: Reader, vector: Floats, classes: Classes) -> Floats:
    """The distances of all items to one vector, in the order of `classes`."""
    ids, distances = index.search(vector, len(index), exact=True)
    found = np.empty(len(ids), np.float32)
    found[np.searchsorted(classes.ids, ids)] = distances
    return found
