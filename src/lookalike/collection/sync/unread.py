"""Pictures of which it is not known what their EXIF says, as an earlier version left them, or a repair: it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.metadata import Known
from lookalike.facts.fact import to_json
from lookalike.fitting import Input
from lookalike.images.given import Failed

if TYPE_CHECKING:
    from lookalike.images.given import Source


def unread(catalogue: Catalogue, items: Sequence[Item]) -> list[Item]:
    """Those of some indexed items of which nothing is known yet, not even that there is no EXIF."""
    ids = catalogue.metadata.unknown()
    return [item for item in items if item.id in ids]


def read_exif(
    catalogue: Catalogue, pictures: Iterable[tuple[Item, Source | Failed]], batch: int, advance: Callable[[int], None]
) -> None:
    """Read the EXIF of items, committed by batches.

    An item whose picture is another by now has none; one whose picture cannot be read now is left to the next sync.
    """
    from lookalike.images.pool import DecoderPool, Loaded  # Pillow

    waiting: deque[Item] = deque()

    def sources() -> Iterator[Source]:
        for item, source in pictures:
            advance(1)
            if not isinstance(source, Failed):
                waiting.append(item)
                yield source

    with DecoderPool() as pool:
        loaded = pool.load(sources(), Input(8, "squeeze"))
        while some := list(islice(loaded, batch)):
            known: dict[int, Known] = {}
            for picture in some:
                item = waiting.popleft()
                if isinstance(picture, Loaded):
                    same = picture.sha256 == item.sha256
                    known[item.id] = Known(exif=to_json(picture.facts)) if same else Known()
            if known:
                with catalogue.writing():
                    catalogue.metadata.add(known)
