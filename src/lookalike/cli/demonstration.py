"""What `lookalike demo` does: every stage once, on pictures that ship with lookalike, each with its time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from lookalike import demo as pictures_of_ours
from lookalike.cli.output import flush, print_line
from lookalike.cli.page import Shown, write_gallery
from lookalike.cli.syncing import note
from lookalike.cli.target import require_writable
from lookalike.collection import Hit
from lookalike.errors import PictureError
from lookalike.images.find import Found, find
from lookalike.images.pool import DecoderPool, Failed
from lookalike.index import Index
from lookalike.models import embed_squares, get_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.models import Model

_K = 3
_BUCKETS, _RECALL = 20, 0.85  # so few pictures would be compared one by one; here LSH is to be seen at work


def demonstrate(html: str) -> None:
    """Does it, and writes the page to `html`."""
    require_writable(html)
    model = get_model()
    with _step("found {} pictures") as done:
        paths = [found.path for found in find(pictures_of_ours.folder()) if isinstance(found, Found)]
        done(len(paths))
    with _step(f"turned {{}} into vectors of {model.dim} dimensions by {model.name}") as done:
        vectors = _embed(paths, model)
        done(len(vectors))
    with _step(f"indexed {{}} with LSH: about {_BUCKETS} buckets, sketches of one bit a dimension") as done:
        index = Index(model.dim, "cosine", buckets=_BUCKETS)
        index.add(vectors)
        index.optimize()
        done(len(index))
    searches = [_search(index, paths, paths.index(query)) for query in pictures_of_ours.queries()]
    with _step("wrote a page with {} searches") as done:
        facts = [
            ("Pictures", f"{len(paths)}"),
            ("Model", model.name),
            ("Index", repr(index)),
            ("Distance", "cosine"),
        ]
        write_gallery(html, "Look-alikes among the demo pictures", searches, facts)
        done(len(searches))
    note("")
    note(f"Look at the page: {os.path.abspath(html)}")
    note("Now your own:     lookalike search cat.jpg ~/Pictures")
    note("In Python:        import lookalike; lookalike.open('Pictures').search('cat.jpg', k=3)")


@contextmanager
def _step(sentence: str) -> Iterator[Callable[[int], None]]:
    counts: list[int] = []
    start = perf_counter()
    yield counts.append
    note(f"{perf_counter() - start:6.2f} s  {sentence.format(counts[0])}")


def _embed(paths: Sequence[str], model: Model) -> NDArray[np.float32]:
    pixels = []
    with DecoderPool() as pool:
        for picture in pool.load(paths, model.input):
            if isinstance(picture, Failed):
                raise PictureError(f"{picture.reason}; install lookalike again", picture.path)
            pixels.append(picture.pixels)
    return embed_squares(model, pixels)


def _search(index: Index, paths: Sequence[str], query: int) -> tuple[list[Shown], list[Hit], str]:
    start = perf_counter()
    found = index.neighbors_of(query, _K, recall=_RECALL)
    microseconds = (perf_counter() - start) * 1e6
    true = np.intersect1d(found.ids, index.neighbors_of(query, _K, exact=True).ids).size
    hits = [Hit(paths[id], float(distance), id) for id, distance in zip(*found, strict=True)]
    remark = (
        f"compared with {found.candidates} of {len(index)} vectors in {microseconds:.0f} µs; "
        f"{true} of the true nearest {_K} found"
    )
    print_line(f"\n{os.path.basename(paths[query])}  ({remark})")
    for hit in hits:
        print_line(f"  {hit.distance:.3f}  {os.path.basename(hit.path)}")
    flush()
    path = paths[query]
    return [Shown(os.path.basename(path), path, path)], hits, remark
