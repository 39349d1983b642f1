"""For a benchmark of a collection of pictures: what each method found for some of them, to be looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.bench.given import Split
    from lookalike.bench.results import Results
    from lookalike.bench.truth import Ids
    from lookalike.images.given import Source
    from lookalike.pages import Lookalikes, Tile

QUERIES = 4
"""Those of which all methods together missed most."""
RECALL = 0.9
"""Each method is shown at its fastest setting that finds so much."""
SIDE = 160  # pixels of a thumbnail's longer side


def lookalikes(
    place: str, ids: Ids, parted: Split, results: Results, found: str
) -> tuple[list[Lookalikes], dict[int, Tile]]:
    """What `benchmark_page` shows of pictures, and the pictures.

    Args:
        place: of the collection.
        ids: of its pictures, by the rows of which `parted` tells.
        found: the folder of the answers.
    """
    from lookalike.bench.truth import distances_of
    from lookalike.pages import Found, Lookalikes

    data, answers = parted.data, _answers(results, found)
    asked = min((len(rows) for _, _, rows in answers), default=0)
    truth = data.test.first(asked)
    farthest = truth.distances[:, -1:] * (1 + 2e-6)  # as in recall: as near, but for the arithmetic of float32
    near = [distances_of(data.base, truth.vectors, data.distance, rows[:asked]) <= farthest for _, _, rows in answers]
    hits = np.sum([one.sum(axis=1) for one in near], axis=0) if near else np.empty(0)
    worst = np.argsort(hits, kind="stable")[:QUERIES]
    base, queries = ids[parted.base_rows], ids[parted.query_rows]
    tables, wanted = [], set[int]()
    for query in worst:
        methods = []
        for (method, recall, rows), is_near in zip(answers, near, strict=True):
            there = rows[query] >= 0
            methods.append(Found(method, recall, base[rows[query][there]].tolist(), is_near[query][there].tolist()))
        exact = base[truth.neighbors[query]].tolist()
        wanted |= {int(queries[query]), *exact, *(one for method in methods for one in method.ids)}
        tables.append((int(queries[query]), exact, methods))
    tiles = _tiles(place, sorted(wanted))
    return [Lookalikes(tiles[query], exact, methods) for query, exact, methods in tables], tiles


def _answers(results: Results, found: str) -> list[tuple[str, float, Ids]]:
    """Of each method its name with the setting, its recall, and what it found."""
    from lookalike.bench import answers
    from lookalike.bench.report import setting_at
    from lookalike.bench.results import described

    every = []
    for outcome in results.outcomes:
        if not outcome.single:
            continue
        point = setting_at(outcome.single, RECALL) or max(outcome.single, key=lambda one: one.recall)
        rows = answers.read(found, results.dataset, results.k, outcome.name, "single", point)
        if rows is not None:
            every.append((f"{outcome.name}, {described(point.setting)}", point.recall, rows))
    return every


def _tiles(place: str, ids: Sequence[int]) -> dict[int, Tile]:
    """Thumbnails of pictures, by their ids."""
    from lookalike.collection import Collection
    from lookalike.images.given import Failed, Given
    from lookalike.images.pool import DecoderPool
    from lookalike.pages import Tile

    def tile(id: int, original: Source | Failed, picture: bytes | Failed) -> Tile:
        path = collection.path(id)
        link = "" if isinstance(original, Given) else path  # nothing opens a picture in an archive
        if isinstance(picture, Failed):
            return Tile(os.path.basename(path), link, None, reason=picture.reason)
        return Tile(os.path.basename(path), link, picture)

    with Collection.open(place) as collection, DecoderPool() as pool:
        originals = collection.originals(ids)
        drawn = pool.thumbnails([each for each in originals.values() if not isinstance(each, Failed)], SIDE)
        return {
            id: tile(id, original, original if isinstance(original, Failed) else next(drawn))
            for id, original in originals.items()
        }
