"""Pictures that an earlier version indexed without reading their EXIF: it is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.metadata import Known
from lookalike.collection.place import Place
from lookalike.facts.fact import to_json
from lookalike.fitting import Input


def unread(catalogue: Catalogue, items: Sequence[Item]) -> list[Item]:
    """Those of some indexed items of which nothing is known yet, not even that there is no EXIF."""
    ids = catalogue.metadata.unknown()
    return [item for item in items if item.id in ids]


def read_exif(
    place: Place, catalogue: Catalogue, items: Sequence[Item], batch: int, advance: Callable[[int], None]
) -> None:
    """Read the EXIF of items, committed by batches.

    An item whose file is another by now has none; one whose file cannot be read now is left to the next sync.
    """
    if not items:
        return
    from lookalike.images.pool import DecoderPool, Loaded  # Pillow

    with DecoderPool() as pool:
        pictures = pool.load((place.absolute(item.path) for item in items), Input(8, "squeeze"))
        for start in range(0, len(items), batch):
            known: dict[int, Known] = {}
            some = items[start : start + batch]
            for item, picture in zip(some, islice(pictures, len(some)), strict=True):
                if isinstance(picture, Loaded):
                    same = picture.sha256 == item.sha256
                    known[item.id] = Known(exif=to_json(picture.facts)) if same else Known()
                advance(1)
            if known:
                with catalogue.writing():
                    catalogue.metadata.add(known)
