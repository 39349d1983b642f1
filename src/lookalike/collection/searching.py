"""A search of a collection: the query's vector, the nearest items but for the query's own, and how sure they are."""

from __future__ import annotations

from lookalike.collection.access import Access
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.examples import Examples
from lookalike.collection.hits import Hit, Hits
from lookalike.collection.query import Query
from lookalike.collection.sealed.segments import cure_of
from lookalike.collection.sure import NO_MATCH
from lookalike.index import Index


def search(
    access: Access,
    index: Index,
    query: Query,
    k: int,
    recall: float | None,
    max_distance: float | None,
    where: str | None,
    exact: bool,
) -> Hits:
    """What `Collection.search` gives, within `Access.with_index`."""
    only = None if where is None else access.filter(index, where)
    with Examples(access.place, access.catalogue, index, access.model) as examples:
        seen = examples.see(query)
    count = min(k + len(seen.own), max(len(index), 1))
    with cure_of(access.place):
        found = index.search(seen.vector, count, recall=recall, filter=only, max_distance=max_distance, exact=exact)
        calibration = access.calibration(index) if query.is_one else None
        sure = calibration.judge(index, seen.vector, seen.own) if calibration else None
    hits: list[Hit] = []
    for id, distance in zip(found.ids.tolist(), found.distances.tolist(), strict=True):
        if id >= 0 and id not in seen.own and len(hits) < k:
            path = access.place.absolute(_path(access.catalogue, id))
            hits.append(Hit(path, distance, id, sure.score(distance) if sure else None))
    return Hits(
        hits,
        query=seen.path,
        recall=found.recall,
        match=any((hit.score or 0) >= NO_MATCH for hit in hits) if sure else None,
        kin=sure.kin(hits[0].distance) if sure and hits else None,
    )


def _path(catalogue: Catalogue, id: int) -> bytes:
    """Where the item of a vector that was found lies."""
    item = catalogue.with_id(id)
    if item is None or item.state != "indexed":
        raise catalogue.damaged(f"no picture of the vector {id}")
    return item.path
