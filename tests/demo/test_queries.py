"""What the demo shows: with the default model, each query's nearest three are of its own kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike import demo
from lookalike.images.decode import decode
from lookalike.models import get_model


def test_the_nearest_three_of_each_query_are_of_its_kind() -> None:
    model = get_model()
    pictures = Path(demo.folder())
    paths = sorted(path for path in pictures.rglob("*") if path.is_file())
    squares = [decode(path.read_bytes(), model.input).pixels for path in paths]
    vectors = model.embed(np.stack(squares))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for query in demo.QUERIES:
        itself = paths.index(pictures / query)
        nearest = np.argsort(-(vectors @ vectors[itself]), kind="stable")
        found = [paths[i].relative_to(pictures) for i in nearest if i != itself][:3]
        assert {path.parent for path in found} == {Path(query).parent}, (query, found)
