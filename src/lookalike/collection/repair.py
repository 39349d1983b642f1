"""Mending a damaged collection: what is intact stays, what can be made again is, and the rest is named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import segments
from lookalike.collection.catalogue import About, Catalogue, Item
from lookalike.collection.place import Place
from lookalike.collection.report import Failure, Progress
from lookalike.collection.verify import verify_segment
from lookalike.errors import DamagedError, NotAnIndexError
from lookalike.index import Index
from lookalike.models import Model

_BATCH = 64


@dataclass
class RepairReport:
    """What a repair found and did.

    Attributes:
        done: a sentence for each thing that was mended; nothing where all was well.
        kept: pictures whose vectors were intact.
        embedded: pictures whose vectors were lost and made again from their files.
        lost: pictures that cannot be had back, with the reason; they are no longer in the collection.
        lost_ids: their ids.
    """

    done: list[str] = field(default_factory=list)
    kept: int = 0
    embedded: int = 0
    lost: list[Failure] = field(default_factory=list)
    lost_ids: list[int] = field(default_factory=list)


class Repair:
    """One repair, by the only writer, of a collection whose catalogue is intact."""

    def __init__(self, place: Place, catalogue: Catalogue, model: Model, report: RepairReport) -> None:
        self._place = place
        self._catalogue = catalogue
        self._model = model
        self.report = report

    def run(self, progress: Progress | None = None) -> RepairReport:
        """Do it.

        Raises:
            ReadError: a segment cannot be read now; nothing was changed.
            WriteError: the disk is full, or may not be written.
            ModelError: the model's weights are missing or altered.
        """
        with self._catalogue.reading() as about:
            named = self._catalogue.segments()
            items = {item.id: item for item in self._catalogue.items() if item.state == "indexed"}
        sealed = set(self._mend_segments(about, named))
        living, pending = self._settle(sealed, set(items))
        missing = [items[item_id] for item_id in sorted(items.keys() - (living | pending))]
        self.report.kept = len(items) - len(missing)
        self._make_again(missing, progress)
        segments.seal(self._place, self._catalogue, everything=bool(self.report.done))
        return self.report

    def _settle(self, sealed: set[int], indexed: set[int]) -> tuple[set[int], set[int]]:
        """Let each vector be sealed or pending, not both, and none be of no picture; the ids of the two kinds."""
        pending = set(self._catalogue.pending_ids().tolist())
        removed = set(self._catalogue.removed().tolist())
        twice = pending & sealed  # the sealed one is kept: it is the same, and nothing need be undone later
        revived = removed & pending
        loose = sealed - removed - indexed
        if twice or revived or loose:
            with self._catalogue.writing():
                self._catalogue.drop_pending(twice)
                self._catalogue.revive(revived)
                self._catalogue.forget(loose)
            self.report.done.append(f"{len(twice | revived):,} vectors were there twice, {len(loose):,} of no picture")
        return sealed - (removed - revived) - loose, pending - twice

    def _mend_segments(self, about: About, named: dict[str, int]) -> list[int]:
        """Write each damaged segment anew with what is left of it; return the ids of all."""
        ids: list[int] = []
        seen: set[int] = set()
        after: dict[str, int] = {}
        for name, count in named.items():
            try:
                found = verify_segment(self._place, about, name, count).tolist()
                if not seen.isdisjoint(found):
                    raise DamagedError(f"{name} has ids of another segment")
                after[name] = count
            except (DamagedError, NotAnIndexError) as error:  # not what cannot be read now: it may be whole
                found = self._salvage(about, name, seen, after)
                self.report.done.append(
                    f"of the segment {name} {len(found):,} of {count:,} vectors were kept ({error})"
                )
            seen.update(found)
            ids += found
        if after != named:
            with self._catalogue.writing():
                self._catalogue.replace_segments(after)
        return ids

    def _salvage(self, about: About, name: str, seen: set[int], after: dict[str, int]) -> list[int]:
        path = os.path.join(self._place.segments, name)
        try:
            index, _ = Index.salvage(path)
        except (DamagedError, NotAnIndexError):
            return []
        if (index.dim, index.metric) != (about.dim, about.metric) or (
            index.note.get("collection", about.uuid) != about.uuid
        ):
            return []
        index.remove([item_id for item_id in index.ids.tolist() if item_id in seen])
        if not len(index):
            return []
        mended = segments.next_name(self._place, after)
        index.save(os.path.join(self._place.segments, mended), note={"collection": about.uuid})
        after[mended] = len(index)
        return [int(item_id) for item_id in index.ids]

    def _make_again(self, missing: Sequence[Item], progress: Progress | None) -> None:
        """Embed the pictures without a vector from their files, where these are as they were; give up the others."""
        if not missing:
            return
        from lookalike.images.pool import DecoderPool, Failed

        size, done = self._model.input, 0
        with DecoderPool() as pool:
            paths = [self._place.absolute(item.path) for item in missing]
            results = zip(missing, pool.load(iter(paths), size.side, size.fit), strict=True)
            while batch := list(islice(results, _BATCH)):
                lost: list[Item] = []
                good: list[tuple[Item, NDArray[np.uint8]]] = []
                for item, picture in batch:
                    if isinstance(picture, Failed):
                        self._give_up(item, picture.reason, lost)
                    elif picture.sha256 != item.sha256:
                        self._give_up(item, "the file has another content now; the next sync indexes that", lost)
                    else:
                        good.append((item, picture.pixels))
                vectors = list(self._model.embed(np.stack([pixels for _, pixels in good]))) if good else []
                with self._catalogue.writing():
                    self._catalogue.remove([item.id for item in lost])
                    self._catalogue.restore([item.id for item, _ in good], vectors)
                self.report.embedded += len(good)
                done += len(batch)
                if progress:
                    progress(done, len(missing))
        if self.report.embedded:
            self.report.done.append(f"{self.report.embedded:,} pictures were embedded again from their files")

    def _give_up(self, item: Item, reason: str, lost: list[Item]) -> None:
        lost.append(item)
        self.report.lost.append(Failure(self._place.absolute(item.path), reason))
        self.report.lost_ids.append(item.id)
