"""From what is looked for to one vector: each example becomes a vector, and several are brought together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.arrays import as_bits, as_vectors
from lookalike.collection.access import Access
from lookalike.collection.catalogue.absent import Absent
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.combine import combine
from lookalike.collection.embedding import BATCH, NO_VECTOR, embed
from lookalike.collection.keys_of import Keys
from lookalike.collection.place import Place
from lookalike.collection.query import Own, Picture, Query, Text, Vector
from lookalike.collection.sealed.segments import cure_of, open_sealed
from lookalike.collection.sync.report import Progress
from lookalike.errors import IdError, ModelError, PictureError, VectorError
from lookalike.images.content import file_sha256
from lookalike.index import Reader
from lookalike.metric import Metric
from lookalike.models import Model, embed_squares
from lookalike.models.words import words_of

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Seen:
    """An example as it is searched for.

    Attributes:
        vector: (dim,).
        own: the ids of the items that are the example itself, which are no look-alikes of it.
        path: of the picture file, or None.
    """

    vector: Numbers
    own: frozenset[int] = frozenset()
    path: str | None = None


class Examples:
    """Turns examples into vectors; a child that decodes ends with the `with`.

    Pictures are read and embedded by `prepare`, before anything of the collection is; the rest within its snapshot.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._place = access.place
        self._stack = ExitStack()
        self._decode: Callable[..., Any] | None = None
        self._hashes: dict[int, bytes] = {}  # by the identity of a picture of the query
        self._embedded: dict[tuple[int, str], Numbers] = {}  # and by the hash of the model

    def __enter__(self) -> Examples:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def prepare(self, query: Query) -> None:
        """Embed those pictures of a query whose content is not indexed; raises as `see`."""
        for what, _ in query.examples:
            if isinstance(what, Picture):
                known = self._known(what)
                if not known or what.crop:
                    self._embed(what)

    def prepare_all(self, queries: Sequence[Query], progress: Progress) -> list[PictureError | None]:
        """As `prepare`, of many at once; for each query why one of its pictures cannot be read, or None.

        Args:
            progress: called with (done, total), in pictures to be decoded.
        """
        errors: list[PictureError | None] = [None] * len(queries)
        unknown: list[tuple[int, Picture]] = []
        for number, query in enumerate(queries):
            try:
                pictures = [what for what, _ in query.examples if isinstance(what, Picture)]
                unknown += [(number, each) for each in pictures if each.crop or not self._known(each)]
            except PictureError as error:
                errors[number] = error
        plain, others = ([each for each in unknown if each[1].is_plain == kind] for kind in (True, False))
        for done, (number, picture) in enumerate(others):
            progress(done, len(unknown))
            try:
                self._embed(picture)
            except PictureError as error:
                errors[number] = errors[number] or error
        embedded = self._embed_many([picture for _, picture in plain])
        for done, ((number, _), why) in enumerate(zip(plain, embedded, strict=True), len(others)):
            progress(done, len(unknown))
            errors[number] = errors[number] or why
        progress(len(unknown), len(unknown))
        return errors

    def see(self, query: Query, index: Reader) -> Seen:
        """What to search for, within `Access.with_index`: the path is that of the first example.

        Raises:
            PictureError: a picture cannot be read, or none is indexed at a path.
            IdError: no picture has that id.
            VectorError: not one vector of the index's dimensions, or several that leave nothing to look for.
            ModelError: a text for a model without text.
            ArgumentError: several examples under a metric that knows no middle.
        """
        seen = [self.one(example.what, index) for example in query.examples]
        weighted = [(one.vector, example.weight) for one, example in zip(seen, query.examples, strict=True)]
        count = len(query.more)
        vector = combine(index.metric, weighted[:count], weighted[count:])
        return Seen(vector, frozenset().union(*(one.own for one in seen)), seen[0].path)

    def one(self, what: Picture | Own | Vector | Text, index: Reader) -> Seen:
        """What to search for by one example alone; raises as `see`."""
        catalogue = self._access.catalogue
        match what:
            case Picture():
                return self._picture(what, index)
            case Own(key):
                if gone := gone_of(key, self._place, catalogue):
                    return self._gone(gone)
                item = item_of(key, self._place, catalogue, index)
                with cure_of(self._place):
                    return Seen(index[item.id], frozenset([item.id]), self._place.absolute(item.path))
            case Vector(values):
                return Seen(_vector(values, index.dim, index.metric, self._access.model))
            case Text(text):
                return Seen(np.asarray(_reader(self._access.model)([text]), np.float32).reshape(-1))

    def _picture(self, picture: Picture, index: Reader) -> Seen:
        """Content that is indexed is recognised by its hash: neither decoded nor embedded, but for a part of it."""
        alike = self._known(picture)
        if not alike or picture.crop:
            vector = self._embed(picture)
        else:
            with cure_of(self._place):
                vector = index[alike[0].id]
        if not isinstance(picture.source, str):
            return Seen(vector)
        path = picture.source
        real = os.path.realpath(path)
        own = {item.id for item in alike if os.path.realpath(self._place.absolute(item.path)) == real}
        own |= {item.id for item in self._access.catalogue.at([self._place.relative(path)]).values()}
        return Seen(vector, frozenset(own), path)

    def _known(self, picture: Picture) -> list[Item]:
        """The items of the same content; what is too large to be decoded is not indexed, nor hashed."""
        if not isinstance(picture.source, str | bytes):
            return []
        if id(picture) not in self._hashes:
            source = picture.source
            found = file_sha256(source) if isinstance(source, str) else hashlib.sha256(source).digest()
            self._hashes[id(picture)] = found
        with self._access.reading():
            return self._access.catalogue.all_with_sha256(self._hashes[id(picture)])

    def _gone(self, gone: Absent) -> Seen:
        """As long as a segment holds its vector, one may search by a picture whose file is gone."""
        path = self._place.absolute(gone.path)
        catalogue = self._access.catalogue
        sealed = open_sealed(self._place, catalogue, catalogue.about())
        if gone.id not in sealed:
            raise IdError(
                f"expected a picture that is there, received {path}, whose file is gone and whose vector is not kept "
                "any more; search by a copy of it"
            )
        with cure_of(self._place):
            return Seen(sealed[gone.id], frozenset([gone.id]), path)

    def _embed(self, picture: Picture) -> Numbers:
        model = self._access.model
        key = id(picture), model.hash
        if key not in self._embedded:
            is_image = not isinstance(picture.source, str | bytes)
            pixels = self._fit(picture, model) if is_image else self._load(picture, model)
            self._embedded[key] = embed_squares(model, [pixels]).reshape(-1)
        return self._embedded[key]

    def _embed_many(self, pictures: Sequence[Picture]) -> Iterator[PictureError | None]:
        """Embed whole files and bytes by batches; for each why it cannot be, or None."""
        from lookalike.images.pool import DecoderPool, Failed  # needs Pillow

        model = self._access.model
        with DecoderPool() as pool:
            decoded = pool.load((picture.to_decode() for picture in pictures), model.input) if pictures else iter(())
            for start in range(0, len(pictures), BATCH):
                loaded = list(islice(decoded, BATCH))
                vectors = iter(embed(model, [each for each in loaded if not isinstance(each, Failed)]))
                for picture, each in zip(pictures[start : start + BATCH], loaded, strict=True):
                    vector = None if isinstance(each, Failed) else next(vectors)
                    if vector is None:
                        yield PictureError(each.reason if isinstance(each, Failed) else NO_VECTOR, picture.name)
                    else:
                        self._embedded[id(picture), model.hash] = vector
                        yield None

    def _load(self, picture: Picture, model: Model) -> NDArray[np.uint8]:
        from lookalike.images.pool import DecoderPool, Failed  # needs Pillow

        if self._decode is None:
            self._decode = self._stack.enter_context(DecoderPool(workers=1)).load
        (loaded,) = self._decode([picture.to_decode()], model.input, picture.crop)
        if isinstance(loaded, Failed):
            raise PictureError(loaded.reason, picture.name)
        return loaded.pixels

    def _fit(self, picture: Picture, model: Model) -> NDArray[np.uint8]:
        from lookalike.images.decode import fit_image

        return fit_image(picture.source, model.input, picture.crop)


def gone_of(key: int | str, place: Place, catalogue: Catalogue) -> Absent | None:
    """What was indexed by this id or at this path, and is gone; None where an item is, or nothing is known of it."""
    if isinstance(key, int):
        return None if catalogue.with_id(key) else catalogue.absent.with_id(key)
    path = Keys(place, catalogue).of(key)
    gone = catalogue.absent.with_path(path)
    return gone if gone and not catalogue.with_path(path) else None


def item_of(key: int | str, place: Place, catalogue: Catalogue, index: Reader) -> Item:
    """The indexed item of an id or a path.

    Raises:
        PictureError: none is at the path.
        ArgumentError: several are shown as the path is.
        IdError: none has the id.
    """
    if isinstance(key, str):
        item = Keys(place, catalogue).find(key)
        if item is None or item.state != "indexed":
            raise PictureError("expected an indexed picture; call sync() first, or search by its path", key)
        return item
    item = catalogue.with_id(key) if key in index else None
    if item is None:
        raise IdError(f"expected the id of an indexed picture, received {key}; take one from a hit")
    return item


def require_usable(query: Query, model: Model) -> None:
    """That its texts and vectors are for a collection of such a model, before one is made or brought up to date.

    Raises:
        ModelError, VectorError: as `Examples.see`.
        ArgumentError: a word that a model without text does not know.
    """
    words = words_of(model.name)
    for what, _ in query.examples:
        if isinstance(what, Text):
            if words is None or hasattr(model, "embed_text"):
                _reader(model)
            else:
                words.mean(what.text)
        elif isinstance(what, Vector):
            _vector(what.values, model.dim, "cosine", model)


def _vector(values: Any, dim: int, metric: Metric, model: Model) -> Numbers:
    expected = f"the path of a picture, a PIL image or one vector of {dim} numbers (the model is {model.name})"
    try:
        vectors, single = (as_bits if metric == "hamming" else as_vectors)(values, dim)
    except VectorError as error:
        raise VectorError(f"expected {expected}, received {type(values).__name__} ({error})") from error
    if not single:
        raise VectorError(f"expected {expected}, received {len(vectors)} vectors; search by one at a time")
    vector: Numbers = vectors[0]
    return vector


def _reader(model: Model) -> Callable[[list[str]], Any]:
    """What makes vectors of texts."""
    reader: Callable[[list[str]], Any] | None = getattr(model, "embed_text", None)
    if reader is None:
        raise ModelError(
            f"expected a model that reads text, received {model.name}, which sees pictures only; index with one that "
            "does (clip:NAME, or any with `embed_text`) or with the shipped one, which knows the names of many things "
            "(docs/words.md), or search by a picture"
        )
    return reader
