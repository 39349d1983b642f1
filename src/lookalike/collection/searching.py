"""A search of a collection: the query's vector, the nearest items but for the query's own, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import takewhile

from lookalike.collection.access import Access
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.classes import SURE
from lookalike.collection.examples import Examples
from lookalike.collection.hits import Hit, Hits
from lookalike.collection.query import Query
from lookalike.collection.sealed.segments import cure_of
from lookalike.collection.sure import NO_MATCH
from lookalike.collection.sync.report import Progress
from lookalike.collection.time_left import TimeLeft
from lookalike.collection.worded import rank, words_for
from lookalike.index import Reader
from lookalike.index.arguments import as_number
from lookalike.metric import require_distance
from lookalike.models.words import Words


def search(
    access: Access,
    examples: Examples,
    index: Reader,
    query: Query,
    k: int,
    recall: float | None,
    max_distance: float | None,
    where: str | None,
    exact: bool,
    time: TimeLeft,
    progress: Progress | None,
) -> Hits:
    """What `Collection.search` gives, within `Access.with_index`, of examples that are prepared."""
    if max_distance is not None:
        require_distance("max_distance", as_number("max_distance", max_distance), index.metric, index.dim)
    if words := words_for(query, access.model):
        return _by_words(access, examples, index, query, words, k, max_distance, where, time.told(progress))
    only = None if where is None else access.filter(index, where)
    seen = examples.see(query, index)
    count = min(k + len(seen.own), max(len(index), 1))
    with cure_of(access.place):
        found = index.search(
            seen.vector,
            count,
            recall=recall,
            filter=only,
            max_distance=max_distance,
            exact=exact,
            timeout=time.seconds,
        )
        time.require()
        calibration = access.calibration(index) if query.is_one else None
        sure = calibration.judge(index, seen.vector, seen.own) if calibration else None
    nearest = zip(found.ids.tolist(), found.distances.tolist(), strict=True)
    scored = ((id, distance, sure.score(distance) if sure else None) for id, distance in nearest if id >= 0)
    hits, left_out = _hits(access, scored, seen.own, k)
    return Hits(
        hits,
        query=seen.path,
        recall=float(found.recall),
        match=any((hit.score or 0) >= NO_MATCH for hit in hits) if sure else None,
        kin=sure.kin(hits[0].distance) if sure and hits else None,
        left_out=left_out,
    )


def _by_words(
    access: Access,
    examples: Examples,
    index: Reader,
    query: Query,
    words: Words,
    k: int,
    max_distance: float | None,
    where: str | None,
    progress: Progress | None,
) -> Hits:
    """Where words are classes every item is compared."""
    only = None if where is None else access.matching(where)
    ranked = rank(access, examples, index, query, words, only, progress)
    found = zip(ranked.ids.tolist(), ranked.distances.tolist(), ranked.shares.tolist(), strict=True)
    near = takewhile(lambda each: max_distance is None or each[1] <= max_distance, found)
    hits, left_out = _hits(access, near, ranked.own, k)
    match = any((hit.score or 0) >= SURE for hit in hits)
    return Hits(hits, query=ranked.path, recall=1.0, match=match, words=ranked.meanings, left_out=left_out)


def _hits(
    access: Access, found: Iterable[tuple[int, float, float | None]], own: Set[int], k: int
) -> tuple[list[Hit], list[str]]:
    """Of what was found, ids with distances and scores, the first k, and the paths of the query's own among them."""
    hits: list[Hit] = []
    left_out: list[str] = []
    for id, distance, score in found:
        if len(hits) == k:
            break
        path = access.place.absolute(_path(access.catalogue, id))
        if id in own:
            left_out.append(path)
        else:
            hits.append(Hit(path, distance, id, score))
    return hits, left_out


def _path(catalogue: Catalogue, id: int) -> bytes:
    """Where the item of a vector that was found lies."""
    item = catalogue.with_id(id)
    if item is None or item.state != "indexed":
        raise catalogue.damaged(f"no picture of the vector {id}")
    return item.path
