"""Mending a damaged collection: what is intact stays, what can be made again is, and the rest is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue, Item
from lookalike.collection.catalogue.database import Database, NewerVersionError
from lookalike.collection.mending.remains import Remains, look, salvage
from lookalike.collection.mending.rescue import LostFacts, put_in_place, rescue
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.collection.sync.report import Failure, Progress
from lookalike.errors import DamagedError, NotAnIndexError
from lookalike.models import Model

_BATCH = 64


@dataclass
class RepairReport:
    """What a repair found and did.

    Attributes:
        done: a sentence for each thing that was mended; nothing where all was well.
        kept: pictures whose vectors were intact.
        embedded: pictures whose vectors were lost and made again from their files.
        lost: pictures whose vectors are lost, with the reason. Where the file is gone they are no longer in the
            collection; else they are in it as failed, with their facts, and the next sync that can read them takes
            them as new ones.
        lost_ids: their ids.
        lost_facts: pictures whose facts are lost, or may be.
        lost_items: how many pictures the catalogue has lost; the next sync finds them as new.
    """

    done: list[str] = field(default_factory=list)
    kept: int = 0
    embedded: int = 0
    lost: list[Failure] = field(default_factory=list)
    lost_ids: list[int] = field(default_factory=list)
    lost_facts: list[LostFacts] = field(default_factory=list)
    lost_items: int = 0

    @property
    def lost_anything(self) -> bool:
        """Whether not all is as it was before the damage."""
        return bool(self.lost or self.lost_facts or self.lost_items)


def repair(
    place: Place, model_of: Callable[[About], Model], give_up: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Mend a collection, by its only writer; as `Collection.repair`."""
    report = RepairReport()
    rescued = rescue(place) if is_damaged(place) else None
    try:
        with closing(Catalogue(rescued.path if rescued else place.catalogue)) as catalogue:
            model, remains = model_of(catalogue.about()), look(place, catalogue)
        if not give_up:
            remains.require_reach(place)
    except BaseException:
        if rescued:
            Database.discard(rescued.path)
        raise
    if rescued:
        report.done.append(put_in_place(place, rescued))
        report.lost_facts += rescued.facts
        report.lost_items = rescued.pictures
    with closing(Catalogue(place.catalogue)) as catalogue:
        return Repair(place, catalogue, model, remains, report).run(progress)


def is_damaged(place: Place) -> bool:
    """Whether a row of the catalogue, or its structure, is not as it was written."""
    try:
        with closing(Catalogue(place.catalogue)) as catalogue:
            if catalogue.refuses_writing():
                return True
            with catalogue.reading():
                return bool(catalogue.problems())
    except NewerVersionError:
        raise
    except (DamagedError, NotAnIndexError):
        return True


class Repair:
    """One repair of a collection whose catalogue is intact, once it is known what `remains`."""

    def __init__(
        self, place: Place, catalogue: Catalogue, model: Model, remains: Remains, report: RepairReport
    ) -> None:
        self._place = place
        self._catalogue = catalogue
        self._model = model
        self._remains = remains
        self.report = report

    def run(self, progress: Progress | None = None) -> RepairReport:
        """Do it.

        Raises:
            WriteError: the disk is full, or may not be written.
            ModelError: the model's weights are missing or altered.
        """
        remains = self._remains
        self._mend_segments()
        self._settle()
        self.report.kept = len(remains.indexed) - len(remains.found) - len(remains.away) - len(remains.gone)
        self._make_again(progress)
        self._set_aside(remains.away)
        self._take_out(remains.gone)
        segments.seal(self._place, self._catalogue, everything=bool(self.report.done))
        return self.report

    def _mend_segments(self) -> None:
        """Write each damaged segment anew with what is left of it."""
        if not self._remains.damaged:
            return
        about, named = self._remains.about, self._remains.named
        after = {name: count for name, count in named.items() if name not in self._remains.damaged}
        beside = list(after)
        for name, (error, ids) in self._remains.damaged.items():
            left = salvage(self._place, about, name, self._remains.sealed.difference(ids)) if ids else None
            if left is not None:
                mended = segments.next_name(self._place, after)
                segments.save(self._place, about, left, mended, beside)
                after[mended] = len(left)
            self.report.done.append(
                f"of the segment {name} {len(ids):,} of {named[name]:,} vectors are kept ({segments.bare(error)})"
            )
        with self._catalogue.writing():
            self._catalogue.replace_segments(after)

    def _settle(self) -> None:
        """Let each vector be sealed or pending, not both, and none be of no picture."""
        sealed = self._remains.sealed
        pending = set(self._catalogue.pending_ids().tolist())
        removed = set(self._catalogue.removed().tolist())
        twice = pending & sealed  # the sealed one is kept: it is the same, and nothing need be undone later
        revived = removed & pending
        loose = sealed - removed - self._remains.indexed
        if twice or revived or loose:
            with self._catalogue.writing():
                self._catalogue.drop_pending(twice)
                self._catalogue.revive(revived)
                self._catalogue.forget(loose)
            self.report.done.append(f"vectors there twice: {len(twice | revived):,}; of no picture: {len(loose):,}")

    def _make_again(self, progress: Progress | None) -> None:
        """Embed the pictures without a vector from their files, where these hold what they held."""
        found = self._remains.found
        if not found:
            return
        from lookalike.images.pool import DecoderPool, Failed

        size, done = self._model.input, 0
        with DecoderPool() as pool:
            results = zip(found, pool.load((path for _, path in found), size.side, size.fit), strict=True)
            while batch := list(islice(results, _BATCH)):
                bad: list[tuple[Item, str]] = []
                good: list[tuple[Item, NDArray[np.uint8]]] = []
                for (item, _), picture in batch:
                    if isinstance(picture, Failed):
                        bad.append((item, picture.reason))
                    elif picture.sha256 != item.sha256:
                        bad.append((item, "the file has another content now; the next sync indexes that"))
                    else:
                        good.append((item, picture.pixels))
                vectors = list(self._model.embed(np.stack([pixels for _, pixels in good]))) if good else []
                with self._catalogue.writing():
                    self._catalogue.restore([item.id for item, _ in good], vectors)
                self._set_aside(bad)
                if self._catalogue.pending_count() >= segments.MOST_PENDING:
                    segments.seal(self._place, self._catalogue)
                self.report.embedded += len(good)
                done += len(batch)
                if progress:
                    progress(done, len(found))
        if self.report.embedded:
            self.report.done.append(f"pictures embedded again from their files: {self.report.embedded:,}")

    def _set_aside(self, items: Sequence[tuple[Item, str]]) -> None:
        """Keep pictures that cannot be embedded now as failed ones: by their rows, a sync gives their facts back."""
        if items:
            with self._catalogue.writing():
                for item, reason in items:
                    self._catalogue.set_aside(item, f"its vector was damaged, and not made again: {reason}")
            self._name((item, f"{reason}; its facts are kept") for item, reason in items)

    def _take_out(self, items: Sequence[Item]) -> None:
        if items:
            for item in items:
                if given := json.loads(self._catalogue.metadata.of(item.id).given):
                    self.report.lost_facts.append(LostFacts(item.id, self._place.absolute(item.path), given))
            with self._catalogue.writing():
                self._catalogue.remove(item.id for item in items)
            self._name((item, "its vector was damaged, and its file is gone") for item in items)

    def _name(self, items: Iterable[tuple[Item, str]]) -> None:
        for item, reason in items:
            self.report.lost.append(Failure(self._place.absolute(item.path), reason))
            self.report.lost_ids.append(item.id)
