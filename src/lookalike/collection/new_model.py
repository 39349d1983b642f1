"""Changing the model of a collection: all its pictures are embedded anew, while the old vectors go on to answer.

The new vectors gather beside the old ones (`catalogue.next`), committed by batches, so that an interrupted change goes
on from there. When every indexed picture has one, or none can be made of it, one transaction lets them be the vectors.
Pictures that come meanwhile get an old vector, and a new one before the end; those that go are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.next_model import NextModel
from lookalike.collection.embedding import Vector, embed_again, embed_sources
from lookalike.collection.mending.remains import Remains, find_again
from lookalike.collection.no_model import VECTORS
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.collection.sync.report import Failure, Progress
from lookalike.errors import ArgumentError, ReadError
from lookalike.images.given import Failed, Source
from lookalike.models import Model

_GONE = "its file is gone"


@dataclass
class ModelReport:
    """What a change of the model did.

    Attributes:
        before, model: the names of the model that the collection had, and has now.
        changed: whether these are two models.
        embedded: pictures that went through the new model now; copies need not, nor those that an interrupted change
            had embedded.
        failed: indexed pictures that could not be embedded anew, with the reason; a sync tries them again.
        called_off: the name of a model to which a change was under way, and is no more.
        elapsed: wall-clock seconds.
    """

    before: str
    model: str
    changed: bool = False
    embedded: int = 0
    failed: list[Failure] = field(default_factory=list)
    called_off: str | None = None
    elapsed: float = 0.0


class ModelChange:
    """One run of a change, by the only writer; as `Collection.change_model`."""

    def __init__(
        self,
        place: Place,
        catalogue: Catalogue,
        model: Model,
        progress: Progress | None = None,
        *,
        fetch: bool = False,
        give_up: bool = False,
    ) -> None:
        self._place = place
        self._catalogue = catalogue
        self._model = model
        self._progress = progress
        self._fetch = fetch
        self._give_up = give_up
        self._done = self._total = 0
        self._missing: dict[object, list[Item]] = {}  # what has no new vector yet, by content
        self._reasons: dict[int, str] = {}  # why an item has no new vector, by its id
        about = catalogue.about()
        if about.model == VECTORS:
            raise ArgumentError(
                f"expected no model for vectors, which are there already, received {model.name!r}; leave it out"
            )
        self._is_same = (about.model_hash, about.dim) == (model.hash, model.dim)
        self._report = ModelReport(about.model, model.name)

    def run(self) -> ModelReport:
        """Do it; where the model is the collection's already, call off a change that is under way.

        Raises:
            ReadError: pictures are out of reach; what was embedded is kept, and the old model stays for the time being.
            WriteError: the disk is full; the same.
        """
        began = perf_counter()
        segments.sweep(self._place, self._catalogue)
        self._begin()
        if not self._is_same:
            self._gather()
            self._put_in_place()
        self._report.elapsed = perf_counter() - began
        return self._report

    def _begin(self) -> None:
        """Say in the catalogue where the change leads, and forget what another one gathered."""
        wanted = None if self._is_same else NextModel(self._model.name, self._model.hash, self._model.dim)
        with self._catalogue.reading():
            under_way = self._catalogue.next.model()
        if under_way == wanted:
            return
        if under_way and wanted and under_way[1:] == wanted[1:]:  # the same, by another name
            with self._catalogue.writing():
                self._catalogue.next.rename(wanted)
            return
        self._report.called_off = under_way.model if under_way else None
        with self._catalogue.writing():
            if wanted:
                self._catalogue.next.begin(wanted)
            else:
                self._catalogue.next.forget()
        segments.sweep(self._place, self._catalogue)

    def _gather(self) -> None:
        """Make the vectors that are missing: each content once, from the first of its files that still holds it."""
        self._missing = self._look_for_missing()
        self._advance(0)
        away: set[int] = set()
        turn = 0
        while some := [copies[turn] for copies in self._missing.values() if len(copies) > turn]:
            remains = self._find(some)
            away |= {item.id for item, _ in remains.away}
            self._reasons |= {item.id: reason for item, reason in remains.away}
            self._reasons |= {item.id: _GONE for item in remains.gone}
            for batch in self._embedded(remains):
                self._keep(batch)
            turn += 1
        lost = away.intersection(item.id for copies in self._missing.values() for item in copies)
        if lost and not self._give_up:
            raise self._out_of_reach([self._reasons[item_id] for item_id in lost])

    def _look_for_missing(self) -> dict[object, list[Item]]:
        """The indexed items without a new vector, by their content."""
        with self._catalogue.reading():
            items = [item for item in self._catalogue.items() if item.state == "indexed"]
        there = set(self._there().tolist())
        missing: dict[object, list[Item]] = defaultdict(list)
        for item in items:
            if item.id not in there:
                missing[item.sha256 or item.id].append(item)
        self._total = len(items)
        self._done = len(items) - sum(map(len, missing.values()))
        return dict(missing)

    def _there(self) -> NDArray[np.int64]:
        """The ids of the new vectors."""
        return np.concatenate([self._sealed(), self._catalogue.next.pending_ids()])

    def _sealed(self) -> NDArray[np.int64]:
        with self._catalogue.next.reading() as about:
            return segments.open_sealed(self._place, self._catalogue.next, about).ids

    def _find(self, items: Sequence[Item]) -> Remains:
        """Where some items are now."""
        with self._catalogue.reading() as about:
            containers = {container.path: container for container in self._catalogue.containers.all()}
            roots = self._catalogue.roots()
        remains = Remains(about, {}, containers)
        find_again(self._place, items, roots, remains)
        return remains

    def _embedded(self, remains: Remains) -> Iterator[list[tuple[Item, Vector | Failed]]]:
        fetched = [item for item, _ in remains.away if keys.is_url(item.path)] if self._fetch else []
        again = embed_again(self._place, remains.found, remains.containers, self._model)
        return chain(again, embed_sources(_fetched(fetched), self._model)) if fetched else again

    def _keep(self, batch: Sequence[tuple[Item, Vector | Failed]]) -> None:
        """Commit what was made, for all copies of each."""
        ids: list[int] = []
        vectors: list[Vector] = []
        for item, made in batch:
            if isinstance(made, Failed):
                self._reasons[item.id] = made.reason
                continue
            copies = [copy.id for copy in self._missing.pop(item.sha256 or item.id)]
            ids += copies
            vectors += [made] * len(copies)
            self._report.embedded += 1
        if ids:
            self._catalogue.next.gather(ids, vectors)
            if self._catalogue.next.pending_count() >= segments.MOST_PENDING:
                segments.seal(self._place, self._catalogue.next)
        self._advance(len(ids))

    def _advance(self, items: int) -> None:
        self._done += items
        if self._progress:
            self._progress(self._done, self._total)

    def _out_of_reach(self, reasons: Sequence[str]) -> ReadError:
        each = "; ".join(f"{count:,} of them: {reason}" for reason, count in Counter(reasons).most_common())
        return ReadError(
            f"expected to read all pictures of {self._place.directory} to change its model, received for {each}; the "
            f"others are done, and {self._report.before} answers as before: bring these back, or allow URLs to be "
            "fetched again (--allow-urls), and run the same command, or go on without them by --give-up"
        )

    def _put_in_place(self) -> None:
        """Let the new vectors be the vectors, in one transaction; items without one are set aside for the next sync."""
        catalogue = self._catalogue
        sealed = self._sealed()
        with catalogue.reading():
            there = {*sealed.tolist(), *catalogue.next.pending_ids().tolist()}
            without = [item for item in catalogue.items() if item.state == "indexed" and item.id not in there]
            indexed = catalogue.indexed()
        named = [(item, self._reasons.get(item.id, _GONE)) for item in without]
        with catalogue.writing():
            for item, reason in named:
                catalogue.set_aside(item, f"not embedded when the model was changed: {reason}")
            for container in {container for item, _ in named if (container := keys.container_of(item.path))}:
                catalogue.containers.look_again(container)
            catalogue.change_model(np.setdiff1d(sealed, indexed).tolist())
        self._report.changed = True
        self._report.failed = [Failure(self._place.absolute(item.path), reason) for item, reason in named]
        segments.sweep(self._place, catalogue)
        segments.seal(self._place, catalogue)


def _fetched(items: Sequence[Item]) -> Iterator[tuple[Item, Source | Failed]]:
    """Pictures from the web again."""
    from lookalike.images.urls.fetch import fetch

    return zip(items, fetch(item.path.decode() for item in items), strict=True)
