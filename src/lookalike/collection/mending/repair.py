"""Mending a damaged collection: what is intact stays, what can be made again is, and the rest is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import About, Catalogue, Item
from lookalike.collection.catalogue.database import Database, NewerVersionError
from lookalike.collection.catalogue.folders import make_folder
from lookalike.collection.catalogue.refused import refused
from lookalike.collection.embedding import embed_again
from lookalike.collection.mending.remains import Remains, look, salvage
from lookalike.collection.mending.report import LostFacts, RepairReport
from lookalike.collection.mending.rescue import put_in_place, rescue
from lookalike.collection.mending.verify import verify_coming
from lookalike.collection.no_model import VECTORS
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept, segments
from lookalike.collection.sealed.bulk import Bulk
from lookalike.collection.sync.report import Failure, Progress
from lookalike.errors import DamagedError, NotAnIndexError
from lookalike.images.given import Failed
from lookalike.models import Model


def repair(
    place: Place, model_of: Callable[[About], Model], give_up: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Mend a collection, by its only writer; as `Collection.repair`."""
    try:
        make_folder(place.segments)
    except OSError as error:
        raise refused(place.directory, error) from error
    rescued = rescue(place) if is_damaged(place) else None
    try:
        with closing(Catalogue(rescued or place.catalogue)) as catalogue:
            model, remains = model_of(catalogue.about()), look(place, catalogue)
        if not give_up:
            remains.require_reach(place)
    except BaseException:
        if rescued:
            Database.discard(rescued)
        raise
    if rescued:
        put_in_place(place, rescued)
    with closing(Catalogue(place.catalogue)) as catalogue:
        return Repair(place, catalogue, model, remains).run(progress)


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


def _made_again(about: About) -> str:
    return "vectors read" if about.model == VECTORS else "pictures embedded"


class Repair:
    """One repair of a collection whose catalogue is intact, once it is known what `remains`.

    What is lost is taken out last: until then a repair that was stopped has lost nothing but what a rescue had. What
    the report tells is kept in the transaction that does it: where this repair is stopped, the next one tells it.
    """

    def __init__(self, place: Place, catalogue: Catalogue, model: Model, remains: Remains) -> None:
        self._place = place
        self._catalogue = catalogue
        self._model = model
        self._remains = remains
        self._done = 0

    def run(self, progress: Progress | None = None) -> RepairReport:
        """Do it.

        Raises:
            WriteError: the disk is full, or may not be written.
            ModelError: the model's weights are missing or altered.
        """
        remains = self._remains
        self._mend_segments()
        self._mend_coming()
        self._settle()
        bad = self._make_again(progress)
        self._lose([*bad, *remains.away], remains.gone)
        report = RepairReport.of(self._catalogue.untold.read())
        report.kept = len(remains.indexed) - len(remains.found) - len(remains.away) - len(remains.gone)
        report.embedded = len(remains.found) - len(bad)
        if report.embedded:
            report.done.append(f"{_made_again(remains.about)} again from their files: {report.embedded:,}")
        report.done += kept.mend(self._place, self._catalogue)
        segments.seal(self._place, self._catalogue, everything=bool(report.done))
        if self._catalogue.untold.read():
            with self._catalogue.writing():
                self._catalogue.untold.forget()
        return report

    def _mend_segments(self) -> None:
        """Write each damaged segment anew with what is left of it."""
        if not self._remains.damaged:
            return
        about, named = self._remains.about, self._remains.named
        after = {name: count for name, count in named.items() if name not in self._remains.damaged}
        beside = list(after)
        done = []
        for name, (error, ids) in self._remains.damaged.items():
            left = salvage(self._place, about, name, self._remains.sealed.difference(ids)) if ids else None
            if left is not None:
                mended = segments.save(self._place, about, left, segments.next_name(self._place, after), beside)
                after[mended] = len(left)
            done.append(
                f"of the segment {name} {len(ids):,} of {named[name]:,} vectors are kept ({segments.bare(error)})"
            )
        with self._catalogue.writing():
            self._catalogue.replace_segments(after)
            self._catalogue.untold.add(RepairReport(done).as_part())

    def _mend_coming(self) -> None:
        """Forget damaged files of a change of the model that is under way: when it goes on, their vectors are made."""
        bad = []
        for name, count in self._catalogue.next.segments().items():
            try:
                with self._catalogue.reading():
                    verify_coming(self._place, self._catalogue, name, count)
            except (DamagedError, NotAnIndexError):
                bad.append((name, count))
        if bad:
            done = (
                f"vectors for the change of the model that are made again when it goes on: {sum(n for _, n in bad):,}"
            )
            with self._catalogue.writing():
                self._catalogue.next.drop_segments(name for name, _ in bad)
                self._catalogue.untold.add(RepairReport([done]).as_part())

    def _settle(self) -> None:
        """Let each vector be sealed or pending, not both, and none be of no picture."""
        sealed = self._remains.sealed
        pending = set(self._catalogue.pending_ids().tolist())
        removed = set(self._catalogue.removed().tolist())
        twice = pending & sealed  # the sealed one is kept: it is the same, and nothing need be undone later
        revived = removed & pending
        loose = sealed - removed - self._remains.indexed
        here = [each.id for each in self._catalogue.absent.all() if self._catalogue.with_id(each.id)]
        if twice or revived or loose or here:
            done = f"vectors there twice: {len(twice | revived):,}; of no picture: {len(loose):,}"
            with self._catalogue.writing():
                self._catalogue.absent.remove(here)
                self._catalogue.drop_pending(twice)
                self._catalogue.revive(revived)
                self._catalogue.forget(loose)
                self._catalogue.untold.add(RepairReport([done]).as_part())

    def _make_again(self, progress: Progress | None) -> list[tuple[Item, str]]:
        """Make the lost vectors again; give the items of which that cannot be done, and why."""
        found = self._remains.found
        bad: list[tuple[Item, str]] = []

        def advance(items: int) -> None:
            self._done += items
            if progress:
                progress(self._done, len(found))

        if found and self._remains.about.model == VECTORS:
            self._read_again(bad, advance)
        elif found:
            self._embed_again(bad, advance)
        return bad

    def _read_again(self, bad: list[tuple[Item, str]], advance: Callable[[int], None]) -> None:
        """Bring the vectors that are still in their files into segments; those that cannot be had are `bad`."""
        from lookalike.collection import originals

        bulk = self._begin()
        try:
            remains = self._remains
            for item, vector in originals.vectors(self._place, remains.found, remains.containers, remains.about.dim):
                if isinstance(vector, Failed):
                    bad.append((item, vector.reason))
                else:
                    bulk.add(np.array([item.id]), vector[np.newaxis])
                if bulk.is_full:
                    self._put(bulk)
                    bulk = self._begin()
                advance(1)
            self._put(bulk)
        finally:
            bulk.discard()

    def _begin(self) -> Bulk:
        with self._catalogue.reading() as about:
            return Bulk(self._place, about, list(self._catalogue.segments()))

    def _put(self, bulk: Bulk) -> None:
        if len(bulk):
            bulk.save()
            with self._catalogue.writing():
                self._catalogue.add_segment(bulk.name, len(bulk))

    def _embed_again(self, bad: list[tuple[Item, str]], advance: Callable[[int], None]) -> None:
        """Embed the pictures that are still what they were; the others are `bad`."""
        remains = self._remains
        for batch in embed_again(self._place, remains.found, remains.containers, self._model):
            good = [(item, made) for item, made in batch if not isinstance(made, Failed)]
            bad += [(item, made.reason) for item, made in batch if isinstance(made, Failed)]
            if good:
                with self._catalogue.writing():
                    self._catalogue.restore([item.id for item, _ in good], [vector for _, vector in good])
            if self._catalogue.pending_count() >= segments.MOST_PENDING:
                segments.seal(self._place, self._catalogue)
            advance(len(batch))

    def _lose(self, aside: Sequence[tuple[Item, str]], gone: Sequence[Item]) -> None:
        """Keep pictures that cannot be embedded now as failed ones, by whose rows a sync gives their facts back; take
        out those that are gone."""
        if not (aside or gone):
            return
        path_of = self._place.absolute
        named = [(item, f"{reason}; its facts are kept") for item, reason in aside]
        named += [(item, "its vector was damaged, and its file is gone") for item in gone]
        facts = [LostFacts(item.id, path_of(item.path), self._catalogue.metadata.given(item.id)) for item in gone]
        part = RepairReport(
            lost=[Failure(path_of(item.path), reason) for item, reason in named],
            lost_ids=[item.id for item, _ in named],
            lost_facts=[each for each in facts if each.facts],
        )
        with self._catalogue.writing():
            for item, reason in aside:
                self._catalogue.set_aside(item, f"its vector was damaged, and not made again: {reason}")
            for container in {container for item, _ in named if (container := keys.container_of(item.path))}:
                self._catalogue.containers.look_again(container)
            self._catalogue.remove(item.id for item in gone)
            self._catalogue.untold.add(part.as_part())
