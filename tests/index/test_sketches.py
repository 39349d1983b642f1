"""Which sketches a segment gets at sealing, and that either kind serves after a round trip."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from tests.segment_files import sections


def sketch_width(path: Path) -> int:
    """Dimensions of a nibble, as docs/format.md tells where they stand."""
    data = path.read_bytes()
    return int(struct.unpack_from("<I", data, sections(data)["router/shape"].offset + 44)[0])


# Gaussian vectors have many others about as near as their neighbours; few in clear clusters have.
@pytest.mark.parametrize(("spread", "width"), [(1.0, 3), (0.0, 4)])
def test_finer_sketches_are_taken_where_many_rows_lie_about_as_near(spread: float, width: int, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    corners = random.standard_normal((1000, 64)) * (1.0 - spread) * 10.0
    vectors = (corners[np.arange(20_000) % 1000] + random.standard_normal((20_000, 64))).astype(np.float32)
    index = Index(64, "euclidean", seed=1)
    index.add(vectors)
    index.optimize()
    index.save(tmp_path / "index")
    assert sketch_width(tmp_path / "index") == width
    opened = Index.open(tmp_path / "index")
    queries = vectors[:300] + random.standard_normal((300, 64)).astype(np.float32) * np.float32(0.1)
    found = opened.search(queries, 10, recall=0.95)
    exact = opened.search(queries, 10, exact=True)
    shared = [len(set(a) & set(b)) for a, b in zip(found.ids.tolist(), exact.ids.tolist(), strict=True)]
    assert np.mean(shared) > 9.0
