"""A durable set of pictures, searched by looks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, SupportsFloat, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.arrays import as_count
from lookalike.collection.access import Access
from lookalike.collection.backup import BackupReport, backup
from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import About, Catalogue, Item
from lookalike.collection.catalogue.looks import Look
from lookalike.collection.classes import Kinds
from lookalike.collection.create import create, known_archives, place_for
from lookalike.collection.describe import Described, Given, describe
from lookalike.collection.examples import Examples, gone_of, item_of
from lookalike.collection.export import chunks, require_outside
from lookalike.collection.hits import Hits
from lookalike.collection.info import Info
from lookalike.collection.keys_of import Keys
from lookalike.collection.lock import writer_lock
from lookalike.collection.looks import made_anew, put
from lookalike.collection.mending.repair import repair
from lookalike.collection.mending.report import RepairReport
from lookalike.collection.mending.verify import verify
from lookalike.collection.model import AS_REMEMBERED, Wanted, model_of
from lookalike.collection.moved_source import find_again
from lookalike.collection.new_model import ModelChange, ModelReport
from lookalike.collection.no_model import things
from lookalike.collection.place import Place, StrPath, existing_place, find_place
from lookalike.collection.query import Like, Query, Several
from lookalike.collection.ready import make_ready
from lookalike.collection.recall import Curves, Measured
from lookalike.collection.recall_file import curves_of
from lookalike.collection.sealed import segments
from lookalike.collection.searching import search
from lookalike.collection.sources import Looked, look_at
from lookalike.collection.sync.intake import Intake, taken_in
from lookalike.collection.sync.report import Failure, Progress, SyncReport, Things
from lookalike.collection.sync.settle import Settling
from lookalike.collection.sync.sync import BATCH, Sync
from lookalike.collection.sync.watch import LEAST_POLL, Clock, as_seconds, out_of_reach, rounds
from lookalike.collection.time_left import TimeLeft
from lookalike.collection.tuning import Tuned, as_queries, measure
from lookalike.errors import (
    BusyError,
    DamagedError,
    LookalikeError,
    ModelError,
    NoPicturesError,
    PictureError,
    WriteError,
)
from lookalike.facts import Facts
from lookalike.fitting import Box
from lookalike.index import Reader
from lookalike.metric import Metric
from lookalike.models import DEFAULT, Model, Notify
from lookalike.models.words import words_of
from lookalike.names import text_of
from lookalike.vectors import Format, Layout, Written, write_vectors
from lookalike.vectors.write import Writable, as_writable

if TYPE_CHECKING:
    from lookalike.images.given import Failed, Source

T = TypeVar("T")


class Collection:
    """Pictures on a disk, each with its vector; opened by `Collection.open`, made by `Collection.create`.

        >>> with Collection.open("photos") as photos:
        ...     report = photos.sync()
        ...     for path, distance, id in photos.search("cat.jpg", k=3):
        ...         print(distance, path)

    A search sees what is committed, also while another process or thread indexes: what its own thread has committed at
    once, what other threads have when their call has returned. Where searches come again and again, a thread of the
    collection's own brings along what other processes commit, beside them, so that it is seen within 200 ms on a
    machine that is not overloaded; else the first search does. Threads may share a collection; none waits for another's
    search, and all for the first that opens what is there.

    Attributes:
        place: where it lies.
    """

    def __init__(self, place: Place, wanted: Wanted = AS_REMEMBERED) -> None:
        """Open the collection at a place; `Collection.open` finds the place.

        Raises:
            NotAnIndexError: none is there, or one of a newer version.
            DamagedError: it is truncated or altered.
            ModelError: it was made with another model than the one of that name here. Of a model that must read its
                weights to know, that is said when something is first embedded.
        """
        self.place = place
        self._access = Access(place, wanted)
        self._looked: Mapping[bytes, Looked] = {}  # before the first sync, which need not look again

    @property
    def things(self) -> Things:
        """What its items are: pictures, or vectors from files."""
        return things(self._access.model)

    @property
    def model(self) -> Model:
        """What makes its vectors; loaded when something is first embedded."""
        return self._access.model

    @classmethod
    def open(
        cls,
        where: StrPath,
        *,
        wait: SupportsFloat = 0,
        model: str | None = None,
        device: str = "cpu",
        notify: Notify | None = None,
    ) -> Self:
        """The collection of a folder of pictures, or in a collection directory.

        For a folder without one, an empty one is made in its `.lookalike`: `sync` fills it.

        Args:
            where: the folder or directory.
            wait: seconds to wait while another process makes it.
            model: as for `create`; of one that is there, what its model is called now, as when a file was moved.
            device, notify: as for `lookalike.models.get_model`.

        Raises:
            NotAnIndexError: `where` is missing or a file; what is there is foreign, or of a newer version.
            NoPicturesError: a folder without a collection and without a picture.
            DamagedError, ModelError: as for the class.
            WriteError: a folder without a collection, where none can be written.
            BusyError: another process is making it, and still so after `wait`.
        """
        patience, wanted = as_seconds("wait", wait, least=0), Wanted(model, device, notify)
        place = find_place(text_of(where))
        if not place.exists:
            create(place, look_at([place.shown], {}, {}), wanted, wait=patience)
        return cls(place, wanted)

    @classmethod
    def create(
        cls,
        sources: StrPath | Sequence[StrPath],
        to: StrPath | None = None,
        *,
        model: str | None = None,
        metric: Metric | None = None,
        layout: Layout | None = None,
        format: Format | None = None,
        key: str | None = None,
        names: str | None = None,
        wait: SupportsFloat = 0,
        device: str = "cpu",
        notify: Notify | None = None,
    ) -> Self:
        """The collection of folders, pictures and archives of pictures, or of files of vectors; `sync` fills it.

        It is made where there is none. Archives are tar, zip and Parquet files (docs/archives.md).

            >>> words = Collection.create("words.h5", "words", metric="cosine")
            >>> words.sync()

        Args:
            sources: are added to those that it has. They may be none where `to` is given: `fetch` fills it, too.
            to: its directory; without it, `.lookalike` in the one folder that is the source.
            model: the name of a model (docs/models.md); by default the one it has, or EfficientNet-Lite0 for a new one.
            metric: what vectors are compared by; by default what their file says, or cosine.
            layout, format, names: how files of vectors are read (`lookalike.vectors.open_vectors`).
            key: the dataset, array or column of the vectors; of Parquet with pictures their column.
            wait: seconds to wait while another process writes it.
            device, notify: as for `lookalike.models.get_model`.

        Raises:
            NoPicturesError: a source that cannot be read, or none that holds a picture.
            ArchiveError, VectorFileError: a source that is damaged or hostile; nothing was made.
            ArgumentError: several sources, or a file, without `to`; or `to` holds other files; pictures and vectors,
                or an option that goes with neither.
            ModelError: it is there, and made with another model; or there is none of that name, or of its weights.
            MissingExtraError: what the model or a file needs is not installed.
            WriteError, BusyError: as for `open`.
        """
        given = [sources] if isinstance(sources, str | os.PathLike) else sources
        paths = [text_of(source) for source in given]
        patience = as_seconds("wait", wait, least=0)
        place = place_for(paths, None if to is None else text_of(to))
        options = {"layout": layout, "format": format, "key": key, "names": names}
        found = look_at(paths, options, known_archives(place, paths))
        wanted = Wanted(model, device, notify)
        looked = create(place, found, wanted, metric, patience)
        collection = cls(place, wanted)
        collection._looked = looked
        return collection

    @staticmethod
    def change_model(
        where: StrPath,
        model: str,
        progress: Progress | None = None,
        *,
        wait: SupportsFloat = 0,
        fetch: bool = False,
        give_up: bool = False,
        device: str = "cpu",
        notify: Notify | None = None,
    ) -> ModelReport:
        """Embed all pictures of the collection there by another model, which is its model from then on.

            >>> Collection.change_model("photos", "phash")

        Until the last one is embedded, searches and syncs go on with the model that it has; then one transaction
        changes it. Ids and facts stay. What was embedded is committed by batches: an interrupted change (Ctrl-C,
        kill -9) goes on where it stood, when it is asked for again. One that is under way to another model is
        called off; so it is by naming the model that the collection has, which changes nothing else.

        Args:
            where: as for `open`.
            model: its name; of `efficientnet-lite0` the version of today.
            progress: called with (done, total), in pictures.
            wait: seconds to wait while another process writes it.
            fetch: pictures that came from URLs are fetched again; nothing else here opens a connection.
            give_up: go on without pictures that are out of reach. A sync takes them when they are back.
            device, notify: as for `lookalike.models.get_model`.

        Raises:
            ReadError: pictures are out of reach; the others are done, and the model is the one that it was.
            NotAnIndexError, DamagedError: as for the class.
            ArgumentError: a collection of vectors, or as for `get_model`.
            ModelError, MissingExtraError: the new model cannot be had.
            BusyError, WriteError: as for `sync`.
        """
        place, patience = existing_place(text_of(where)), as_seconds("wait", wait, least=0)
        new = Wanted(model, device, notify).get()
        with writer_lock(place.directory, patience), closing(Catalogue(place.catalogue)) as catalogue:
            return ModelChange(place, catalogue, new, progress, fetch=fetch, give_up=give_up).run()

    @staticmethod
    def verify(where: StrPath, progress: Progress | None = None) -> list[str]:
        """What is wrong with the collection there, a sentence each; nothing where all is well.

        Every byte is compared with its checksum, every vector with the pictures; nothing is changed.

        Args:
            where: as for `open`.
            progress: called with (done, total), in items and vectors.

        Raises:
            NotAnIndexError: none is there, or one of a newer version.
        """
        try:
            place = existing_place(text_of(where))
            with closing(Catalogue(place.catalogue)) as catalogue:
                return verify(place, catalogue, progress)
        except DamagedError as error:
            return [str(error)]

    @staticmethod
    def repair(where: StrPath, progress: Progress | None = None, *, give_up: bool = False) -> RepairReport:
        """Mend what is damaged in the collection there, and say what was done.

        Every intact row of the catalogue and every vector in an intact block of a segment is kept. Pictures whose
        vectors are lost are embedded again where their files are as they were; the others are named. Those whose
        files are gone are left out; those that cannot be read, or have changed, keep their facts for the next sync.

        Args:
            where: as for `open`.
            progress: called with (done, total), in pictures that are embedded again.
            give_up: go on where pictures whose vectors are lost are in a source or folder that is out of reach:
                they are as those that cannot be read.

        Raises:
            ReadError: such pictures are out of reach, or a segment cannot be read now; nothing was changed.
            NotAnIndexError: none is there, one of a newer version, or one of which nothing can be read.
            BusyError: another process or thread is writing it.
            WriteError: it cannot be written, or the disk is full; what was there is still there.
            ModelError: as for the class.
        """
        place = find_place(text_of(where))
        if not place.has_lost_catalogue:
            place = existing_place(text_of(where))
        with writer_lock(place.directory):
            return repair(place, lambda about: model_of(place, about, AS_REMEMBERED), give_up, progress)

    def optimize(self) -> None:
        """Bring all vectors into one segment, forget those removed, and give free space back.

        Raises:
            BusyError, WriteError, DamagedError: as for `sync`.
        """
        with self._access.writer(0) as catalogue:
            segments.seal(self.place, catalogue, everything=True)
        make_ready(self._access)

    def tune(self, queries: Any, progress: Progress | None = None) -> Tuned:
        """Measure the recall with queries of yours, so that `recall=` is honoured for such as these, and keep that.

            >>> photos.tune(Path("queries").glob("*.jpg"))
            >>> features.tune(np.load("queries.npy"))

        Segments of 4,096 vectors and more are measured each by itself, and their files written anew, in one step. That
        holds until their vectors are sealed anew: by `optimize`, and by a sync that brings them together with others.
        Call it again then. Others search meanwhile as before.

        Args:
            queries: vectors (n, dim); or each what `search` takes as its query: paths of pictures, their bytes or
                streams, PIL images, ids, vectors, `Query`s. Better a thousand than ten; each is compared with every
                vector. One that is indexed is found by itself, which counts.
            progress: called with (done, total), in pictures that are embedded and segments that are measured.

        Raises:
            ArgumentError: there are none, or some are words for a model that reads no text.
            NoPicturesError: nothing is indexed.
            PictureError: none of the pictures can be read; if some can, the others are in `failed` of the answer.
            VectorError, IdError, ModelError: as for `search`.
            BusyError, WriteError, DamagedError: as for `sync`; all is as it was.
        """
        given = as_queries(queries)
        with self._access.writer(0) as catalogue:
            if not catalogue.counts.of("indexed"):
                raise NoPicturesError(
                    f"expected {self.things} to search in {self.place.directory}, received none; index some first"
                )
            tuned = measure(self._access, catalogue, given, progress)
        if tuned.vectors:
            make_ready(self._access)
        return tuned

    @property
    def read_only(self) -> str | None:
        """Why it cannot be written, or None: it can be searched all the same."""
        for path in (self.place.directory, self.place.catalogue):
            if not os.access(path, os.W_OK):
                return f"{path} may not be written"
        return f"the disk of {self.place.directory} is full" if self._access.catalogue.is_full else None

    def sync(
        self,
        progress: Progress | None = None,
        *,
        batch: int = BATCH,
        retry: bool = False,
        wait: SupportsFloat = 0,
    ) -> SyncReport:
        """Bring the collection up to date with its sources, and say what was done.

        Files are compared by name, size and time; what is new or changed is embedded. Each batch is
        committed: an interrupted sync (Ctrl-C, kill -9) goes on where the last commit stood.

        Args:
            progress: called with (done, total), in new and changed pictures, as each is read.
            batch: pictures embedded and committed at once.
            retry: try again what could not be read, though its size and time are the same.
            wait: seconds to wait while another process writes it; `math.inf` is for as long as it takes.

        Raises:
            BusyError: another process or thread is writing it, and still so after `wait`; nothing was done.
            WriteError: it cannot be written, or the disk is full; what was committed stays.
            NoPicturesError: no source can be read; nothing was changed.
            ModelError: the model's weights are missing or altered.
            DamagedError: the collection is.
        """
        return self._sync(progress, batch, retry, wait)

    def watch(
        self,
        progress: Progress | None = None,
        *,
        poll: SupportsFloat | None = None,
        batch: int = BATCH,
        retry: bool = False,
        wait: SupportsFloat = math.inf,
    ) -> Iterator[SyncReport]:
        """Sync, and again whenever something has changed in the sources, until it is closed or interrupted.

            for report in photos.watch():
                print(report.new, report.removed)

        Gives the report of the first sync, then one of each sync that found something new. A file counts once
        it has stayed the same for a moment. A source that is lost, as with its disk, keeps its pictures and is
        followed again when it is back, and so is the collection itself: its directory is then among the `lost`.
        Between two syncs nothing is locked. Where the system tells no changes, as where it follows no more folders,
        it looks every half minute, and `polled` of the reports says why.

        Args:
            poll: look every so many seconds, where the system tells no changes: on a network drive.
            progress, batch: as for `sync`.
            retry, wait: as for `sync`, of the first one; later ones wait as long as it takes, and by default
                the first one, too.

        Raises:
            ArgumentError: `poll` is no positive number.
            BusyError, WriteError, ModelError, DamagedError: as for `sync`.
        """
        from lookalike.collection.sync.signs import Signs  # what asks the system, which nothing else needs

        known: list[str] = []
        last: SyncReport | None = None
        away = False

        def tops() -> list[str]:
            nonlocal known
            try:
                with self._access.reading():
                    known = [self.place.absolute(root) for root in self._catalogue.roots()]
            except LookalikeError:
                if self.place.exists or self.place.has_lost_catalogue:
                    raise
            return known

        def sync(settling: Settling) -> SyncReport:
            nonlocal retry, wait, last, away
            try:
                if away:
                    self._access.reopen()
                report = self._sync(progress, batch, retry, wait, settling)
                if last is not None and report.lost and not report.changes and not self.place.exists:
                    raise NoPicturesError("the collection went in the midst of the round")
            except LookalikeError:
                if self.place.exists or self.place.has_lost_catalogue or last is None:
                    raise
                away = True
                return out_of_reach(self.place, last)
            retry, wait, last, away = False, math.inf, report, False
            return report

        every = None if poll is None else as_seconds("poll", poll, least=LEAST_POLL)
        with closing(Signs(tops, self.place.directory) if every is None else Clock(every)) as waiting:
            yield from rounds(sync, waiting)

    def _sync(
        self,
        progress: Progress | None,
        batch: int,
        retry: bool,
        wait: SupportsFloat,
        settling: Settling | None = None,
    ) -> SyncReport:
        size, patience = as_count("batch", batch, 1), as_seconds("wait", wait, least=0)
        with self._access.writer(patience) as catalogue:
            model = self._access.model_of(catalogue.about())
            model.remember(catalogue)
            looked, self._looked = self._looked, {}
            again = find_again(self.place, catalogue)
            report = Sync(self.place, catalogue, model, progress, size, retry, settling, looked).run()
            report.found_again = again
        if report.changes:
            make_ready(self._access)
        return report

    def fetch(
        self,
        urls: Iterable[str],
        progress: Progress | None = None,
        *,
        batch: int = BATCH,
        wait: SupportsFloat = 0,
    ) -> SyncReport:
        """Fetch pictures from URLs of http and https, and index them; nothing else here opens a connection.

        One that is indexed stays as it was then; one that could not be had is tried again.

        Args:
            progress, batch, wait: as for `sync`.

        Raises:
            PictureError: one of them is no such URL; nothing was done.
            ModelError: this is a collection of vectors.
            BusyError, WriteError, DamagedError: as for `sync`.
        """
        from lookalike.collection.sync.fetched import Fetch

        def fetching(intake: Intake) -> None:
            Fetch(intake, urls).run()

        size, patience = as_count("batch", batch, 1), as_seconds("wait", wait, least=0)
        with self._access.writer(patience) as catalogue:
            model = self._access.model_of(catalogue.about())
            return taken_in(Intake(self.place, catalogue, model, progress, size), fetching)

    def search(
        self,
        query: Like | Query | None = None,
        k: SupportsIndex = 10,
        *,
        id: SupportsIndex | StrPath | None = None,
        vector: ArrayLike | None = None,
        text: str | None = None,
        more: Several = (),
        less: Several = (),
        crop: Box | Sequence[int] | None = None,
        recall: float | None = None,
        max_distance: float | None = None,
        where: str | None = None,
        exact: bool = False,
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> Hits:
        """The k pictures that look most like what is given; fewer where the collection holds fewer.

            photos.search("cat.jpg", k=3)
            photos.search(text="a red bicycle", less=["toy.jpg"])
            photos.search(more=["a.jpg", ("c.jpg", 0.5)], less="b.jpg")

        A picture of the collection is recognised by its content, without decoding it. The files and items that are
        given are left out; copies of them are found. What is given in several arguments is looked for together
        (docs/search.md): the middle of all examples, away from the middle of those of `less`.

        Args:
            query: the path of a picture, its bytes or a stream of them, a PIL image, an id, or a vector (dim,) of
                this model.
            id: that of a hit, or the path of an indexed picture: absolute, from the working folder, from the
                collection's or a source, or as it is shown.
            vector: (dim,).
            text: words. The shipped model knows the names of many things, in English (docs/words.md), and gives
                what probably shows them; models with text read what they like.
            more, less: like these, unlike these: each what `query` may be, or a tuple of that and its weight, which
                is 1 otherwise. Vectors are lists or arrays.
            crop: x, y, width, height: the part of the query that is looked at, in pixels of the upright picture.
            recall: the share of the true neighbours to be found, in (0, 1].
            max_distance: leave out pictures farther away than this; under cosine from 0 to 2, under the others as far
                as vectors can be apart.
            where: a condition on the facts of the pictures that may be found, such as "year >= 2020 and
                camera contains 'canon'" (docs/metadata.md). The recall is kept.
            exact: compare with every picture.
            timeout: seconds after which the search gives up. A picture that is decoded, or a segment that is opened,
                is not left off in its middle.
            progress: called with (done, total), in pictures, where words are looked for in many for the first time.

        Raises:
            PictureError: the query cannot be read as a picture, or has no such part; no picture is indexed at a path.
            VectorError: it is no vector of the model's dimensions, or has NaN or inf; examples that are each other's
                opposites.
            ArgumentError: nothing to look for; k < 1, or a recall outside (0, 1]; `where` is no condition, or names a
                fact that none has; several examples under hamming; a word that the shipped model does not know.
            IdError: no picture has that id.
            ModelError: a text for a model without text.
            SearchTimeoutError: its time was over, and nothing is answered.
            DamagedError: the collection is.
        """
        count, time = as_count("k", k, 1), TimeLeft(timeout)
        wanted = Query.of(query, id=id, vector=vector, text=text, more=more, less=less, crop=crop)
        how = (wanted, count, recall, max_distance, where, exact, time, progress)
        with Examples(self._access) as examples:
            examples.prepare(wanted)
            time.require()
            return self._access.with_index(lambda index: search(self._access, examples, index, *how))

    def path(self, id: SupportsIndex | StrPath) -> str:
        """The absolute path of an indexed picture, by the id of a hit, or by a path as pages and JSON show it; of one
        that is gone, where it was.

        Raises:
            IdError: no picture has that id.
            PictureError, ArgumentError: none is at that path, or several are shown so.
        """
        key = os.fsdecode(id) if isinstance(id, str | os.PathLike) else as_count("id", id, 0, 2**63 - 1)

        def find(index: Reader) -> str:
            gone = gone_of(key, self.place, self._catalogue)
            return self.place.absolute((gone or item_of(key, self.place, self._catalogue, index)).path)

        return self._access.with_index(find)

    def vector(self, path: StrPath) -> NDArray[np.float32]:
        """The vector (dim,) of an indexed picture.

        Raises:
            PictureError: the picture is not indexed.
            DamagedError: the collection is.
        """
        name = text_of(path)

        def find(index: Reader) -> NDArray[np.float32]:
            item = item_of(name, self.place, self._catalogue, index)
            with segments.cure_of(self.place):
                return index[item.id]

        return self._access.with_index(find)

    def examine(self, use: Callable[[Reader, list[Item]], T]) -> T:
        """What `use` makes of the index and the indexed items, whose ids are the index's; both of one snapshot.

        Whatever else `use` asks of this collection, as by `search` or `facts`, it is told of that snapshot, too.
        Nobody waits meanwhile. It is called again where its snapshot was too old: the files of it are gone.

        Raises:
            LookalikeError: `use` would change the collection, as by `sync`; do that when it has ended.
            DamagedError: the collection is.
        """

        def both(index: Reader) -> T:
            items = [item for item in self._catalogue.items() if item.state == "indexed"]
            with segments.cure_of(self.place):
                return use(index, items)

        return self._access.with_index(both)

    def looks(self) -> Iterator[tuple[int, Look]]:
        """How the indexed pictures look in small, by id, within `examine`; DamagedError in the end where that is so."""
        return self._catalogue.looks.each()

    def complete_looks(self, progress: Progress | None = None) -> dict[int, Look]:
        """Look at pictures in files that were indexed before `looks` were kept, and keep theirs.

        Returns those that could not be kept, as where the collection may not be written or another process writes it.
        Pictures that have changed since, or cannot be read, are left out.
        """

        def missing(_: About) -> list[Item]:
            items = self._catalogue.among(np.array(self._catalogue.looks.missing(), np.int64))
            return [item for item in items if not (keys.container_of(item.path) or keys.is_url(item.path))]

        unkept: dict[int, Look] = {}
        if self.things == "vectors" or not (items := self._access.in_snapshot(missing)):
            return unkept
        for looks in made_anew(self.place, items, progress):
            try:
                with self._access.writer(0) as catalogue:
                    put(catalogue, looks)
            except (BusyError, WriteError):
                unkept |= looks
        return unkept

    def paths(self, where: str | None = None) -> list[str]:
        """The absolute paths of all indexed pictures, or of those that fulfil a condition, in the order of their ids.

        Raises:
            ArgumentError: `where` is no condition, or names a fact that none has.
            DamagedError: the collection is.
        """

        def find(about: About) -> list[str]:
            if where is None:
                items = self._catalogue.items()
            else:
                items = self._catalogue.among(self._catalogue.metadata.matching(where, about.generation))
            return [self.place.absolute(item.path) for item in items if item.state == "indexed"]

        return self._access.in_snapshot(find)

    def export(
        self,
        path: StrPath,
        *,
        format: Writable | None = None,
        overwrite: bool = False,
        where: str | None = None,
        progress: Progress | None = None,
    ) -> Written:
        """Write all vectors with their names to a new file, which is there whole or not at all.

            >>> words.export("words.h5")
            >>> photos.export("cats.npy", where="label = 'cat'")

        Names are what hits call `path`; the order is that of the ids, in which the vectors of a file stay. Vectors
        are float32, as they were taken in. A .npy file has a Parquet file beside it, with the name of each in the
        column `path`, its `id`, and the facts that were given or are in its EXIF; one that is called id stands for it.
        All is of one snapshot, and nobody waits meanwhile.

        Args:
            path: the file.
            format: "hdf5" (the original experiment's layout), "npy", "word2vec" or "word2vec-binary"; by default as
                the ending of `path` says (`lookalike.vectors.write_vectors`).
            overwrite: replace a file that is there.
            where: a condition on the facts of those that are written, as for `search`.
            progress: called with (done, total), in vectors; from 0 again where the snapshot was too old.

        Raises:
            NoPicturesError: nothing is indexed, or nothing that fulfils the condition.
            ArgumentError: an unknown format or ending; a name that does not go into this format, or is that of two
                vectors; `where` is no condition, or names a fact that none has; a file in the collection itself.
            WriteError: a file is there already, or the system cannot write.
            MissingExtraError: .npy needs pyarrow for its names, and that is not installed.
            DamagedError: the collection is.
        """
        file = os.fsdecode(path)
        require_outside(self.place, file)
        with_facts = as_writable(file, format) == "npy"

        def use(index: Reader) -> Written:
            with self._access.reading() as about:
                metadata = self._catalogue.metadata
                ids = index.ids if where is None else metadata.matching(where, about.generation)
                if not len(ids):
                    such = "" if where is None else f" of which {where}"
                    raise NoPicturesError(
                        f"expected {self.things} to export from {self.place.directory}, received none{such}; nothing "
                        "was written"
                    )
                given = chunks(self.place, self._catalogue, index, about, ids, with_facts, progress)
                return write_vectors(file, given, format=format, overwrite=overwrite)

        return self._access.with_index(use)

    def backup(self, to: StrPath, progress: Progress | None = None) -> BackupReport:
        """Copy the collection, as it is now, while others search and write it.

            >>> photos.backup("/mnt/disk/photos.backup")

        The copy is a collection of its own: it can be opened where it is, and finds the pictures where they are. It is
        verified before this returns. A second backup to the same place copies only what is new. Your pictures are not
        in it. Copied back in place of a collection that was lost, it goes on from there.

        Args:
            to: a directory: none, an empty one, or an earlier backup of this collection.
            progress: called with (done, total), in bytes.

        Raises:
            ArgumentError: something else is at `to`.
            DamagedError: the collection is; an earlier backup stays as it was.
            BusyError: another process writes there.
            ReadError, WriteError: the system cannot read the one or write the other; an earlier backup stays as it was.
        """
        return backup(self._access, text_of(to), progress)

    def describe(self, facts: Given) -> Described:
        """Give facts to pictures: all of them, or none where an error is raised.

            >>> photos.describe({"photos/cat.jpg": {"stars": 5, "labels": ["cat", "garden"]}})

        A fact that was given stays with its picture, also when that is moved or changed, until it is given anew or
        as None; where the picture is gone, it is kept for as long as `keep_facts` says. It stands before one of the
        same name from EXIF or from the file.

        Args:
            facts: for each path its facts by name: text, numbers, booleans, dates, lists of texts; None takes one away.

        Raises:
            ArgumentError: a name or value that is none; a picture given twice; more than 64 KiB for one picture,
                or than 1,000 names in the collection.
            BusyError, WriteError, DamagedError: as for `sync`.
        """
        with self._access.writer(0) as catalogue:
            return describe(self.place, catalogue, facts)

    def keep_facts(self, days: SupportsIndex) -> None:
        """Keep ids and facts of pictures that are gone for so many days from when a sync found that; at first it is 90.

        They are known by their content when they come back. What is older now, with 0 all, is forgotten at once.

        Raises:
            ArgumentError: fewer than 0, or more than 36,500.
            BusyError, WriteError, DamagedError: as for `sync`.
        """
        count = as_count("days", days, 0, 36_500)
        with self._access.writer(0) as catalogue, catalogue.writing():
            catalogue.absent.keep(count)
            catalogue.absent.forget_due()

    def facts(self, path: StrPath) -> Facts:
        """What is known of an indexed picture: of its file, from its EXIF, and what was given.

        Raises:
            PictureError: the picture is not indexed.
            DamagedError: the collection is.
        """
        name = text_of(path)
        with self._access.reading():
            item = Keys(self.place, self._catalogue).find(name)
            if item is None or item.state != "indexed":
                raise PictureError("expected an indexed picture; call sync() first", name)
            return self._catalogue.facts(item)

    def given(self, paths: Iterable[StrPath]) -> dict[str, Facts]:
        """Of `facts` what was given by `describe`, by path; without the pictures that were given nothing.

        Raises:
            DamagedError: the collection is.
        """
        with self._access.reading():
            keys = Keys(self.place, self._catalogue)
            asked = {name: keys.of(name) for name in map(text_of, paths)}
            items = self._catalogue.with_paths(list(asked.values()))
            given = {path: self._catalogue.metadata.given(items[key].id) for path, key in asked.items() if key in items}
        return {path: facts for path, facts in given.items() if facts}

    def facts_of(self, ids: Iterable[int]) -> dict[int, Facts]:
        """As `facts`, by the ids of `Hit`s; without those that are there no more."""
        with self._access.reading():
            items = [item for item_id in ids if (item := self._catalogue.with_id(int(item_id)))]
            return {item.id: self._catalogue.facts(item) for item in items}

    def damaged(self) -> set[int]:
        """The ids of the indexed pictures of which a part is missing or makes no sense, as far as that was noticed."""
        with self._access.reading() as about:
            return set(self._catalogue.metadata.matching("damaged = true", about.generation).tolist())

    def originals(self, keys: Iterable[int | str]) -> dict[int, Source | Failed]:
        """What pictures can be decoded from, by their ids: their files, or for members of archives their bytes.

        Those whose bytes cannot be had are `Failed`, with the reason; ids that are there no more are left out.

        Args:
            keys: ids or paths of indexed pictures.
        """
        from lookalike.collection.originals import pictures
        from lookalike.images.given import Failed

        with self._access.reading():
            named, asked = Keys(self.place, self._catalogue), list(keys)
            known = [named.find(key) if isinstance(key, str) else self._catalogue.with_id(key) for key in asked]
            gone = [
                gone_of(key, self.place, self._catalogue) for key, item in zip(asked, known, strict=True) if not item
            ]
            items = [item for item in known if item]
            containers = {container.path: container for container in self._catalogue.containers.all()}
        found = [(item, self.place.absolute(item.path)) for item in items]
        sources: dict[int, Source | Failed] = {
            each.id: Failed(self.place.absolute(each.path), "its file is gone") for each in gone if each
        }
        return sources | {item.id: source for item, source in pictures(self.place, found, containers)}

    def failed(self) -> list[Failure]:
        """The pictures that could not be read, with the reasons."""
        with self._access.reading():
            return [Failure(self.place.absolute(item.path), item.reason or "") for item in self._catalogue.failed()]

    def info(self) -> Info:
        """What it is, and how much it holds.

        Raises:
            DamagedError: the collection is; the vectors themselves are verified when they are searched.
        """

        def describe(about: About) -> Info:
            catalogue = self._catalogue
            segments.open_sealed(self.place, catalogue, about)
            coming = catalogue.next.model()
            return Info(
                path=self.place.directory,
                roots=[self.place.absolute(root) for root in catalogue.roots()],
                things=self.things,
                indexed=catalogue.counts.of("indexed"),
                failed=catalogue.counts.of("failed"),
                of_several_pages=catalogue.metadata.of_several_pages(about.generation),
                absent=catalogue.absent.count(),
                kept_days=catalogue.absent.days,
                pending=catalogue.pending_count(),
                segments=len(catalogue.segments()),
                bytes_on_disk=segments.bytes_on_disk(self.place),
                model=about.model,
                model_hash=about.model_hash,
                dim=about.dim,
                metric=about.metric,
                created=_time(about.created_ns),
                updated=_time(about.updated_ns),
                next_model=coming.model if coming else None,
                next_vectors=catalogue.next.pending_count() + sum(catalogue.next.segments().values()),
                facts={name: sorted(kinds) for name, kinds in catalogue.metadata.kinds().items()},
                read_only=self.read_only,
            )

        return self._access.in_snapshot(describe)

    def recall_curve(self) -> list[Measured]:
        """What searches find and cost by the recall they are asked for, measured with 64 of its own vectors, and kept.

        Empty where every search compares all vectors, as in a collection of a few thousand.

        Raises:
            DamagedError: the collection is.
        """
        return self.recall_curves().rows

    def recall_curves(self) -> Curves:
        """As `recall_curve`, and beside that what queries find and cost such as nothing that is stored is like.

        Those are the midpoints of 64 pairs of its own vectors, of which neither counts as found.

        Raises:
            DamagedError: the collection is.
        """
        return curves_of(self._access)

    def kinds(self, progress: Progress | None = None) -> Kinds:
        """How many of its pictures probably show dogs, cars, fruit, …: what the model's network was trained to tell.

        Args:
            progress: called with (done, total), in pictures.

        Raises:
            ModelError: the model knows no words.
            DamagedError: the collection is.
        """
        words = words_of(self.model.name)
        if words is None:
            raise ModelError(
                f"expected a collection of the model {DEFAULT}, which knows the names of many things, received one of "
                f"{self.model.name}; index the pictures with that one"
            )

        def count(index: Reader) -> Kinds:
            with segments.cure_of(self.place):
                return Kinds.of(self._access.classes(index, words, progress))

        return self._access.with_index(count)

    def close(self) -> None:
        """Close its files; closing twice is fine."""
        self._access.close()

    def __len__(self) -> int:
        """How many pictures are indexed."""
        with self._access.reading():
            return self._catalogue.counts.of("indexed")

    def __repr__(self) -> str:
        try:
            return f"<Collection of {len(self):,} {self.things} in {self.place.directory}>"
        except LookalikeError:  # closed or damaged
            return f"<Collection in {self.place.directory}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _catalogue(self) -> Catalogue:
        return self._access.catalogue


def open(
    where: StrPath,
    *,
    progress: Progress | None = None,
    model: str | None = None,
    device: str = "cpu",
    notify: Notify | None = None,
) -> Collection:
    """The collection of a folder, up to date: what is new there is indexed first, if it may be written.

        >>> photos = lookalike.open("photos")
        >>> photos.search("cat.jpg", k=3)

    Args:
        where: a folder of pictures, or a collection directory.
        progress: called with (done, total), in new and changed pictures.
        model, device, notify: as for `Collection.open`.

    Raises:
        What `Collection.open` and `Collection.sync` do. `Collection.open` alone searches what is committed.
    """
    with ExitStack() as stack:
        collection = stack.enter_context(Collection.open(where, model=model, device=device, notify=notify))
        if not collection.read_only:
            collection.sync(progress)
        stack.pop_all()
    return collection


def _time(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC)
