"""Thumbnails of the pictures that were indexed before these were kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.looks import Look
from lookalike.collection.place import Place
from lookalike.collection.sync.report import Progress

_BATCH = 256


def made_anew(place: Place, items: Sequence[Item], progress: Progress | None) -> Iterator[dict[int, Look]]:
    """By batches, how items look whose pictures are files, those that are still what they were."""
    from lookalike.fitting import Input
    from lookalike.images.pool import DecoderPool, Loaded

    waiting = deque(items)
    with DecoderPool() as pool:
        pictures = pool.load((place.absolute(item.path) for item in items), Input(8, "squeeze"))
        while batch := list(islice(pictures, _BATCH)):
            pairs = [(waiting.popleft(), picture) for picture in batch]
            yield {
                item.id: Look(picture.thumb, picture.same)
                for item, picture in pairs
                if isinstance(picture, Loaded) and picture.sha256 == item.sha256
            }
            if progress:
                progress(len(items) - len(waiting), len(items))


def put(catalogue: Catalogue, looks: dict[int, Look]) -> None:
    """Keep those of items that are still there, and have none."""
    with catalogue.writing():
        missing = set(catalogue.looks.missing())
        catalogue.looks.put({item_id: look for item_id, look in looks.items() if item_id in missing})
