"""Files of every version of the format still open, and answer as they did."""

from __future__ import annotations

import os

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import check_neighbors
from tests.index.golden.make import COPIES, FOLDER, NOTE, REMOVED_LAST, ids, vectors


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(("name", "metric"), [("scanned", "euclidean"), ("hashed", "cosine")])
def test_a_golden_file_opens(version: int, name: str, metric: str, tmp_path: object) -> None:
    index = Index.open(os.path.join(FOLDER, f"v{version}-{name}.segment"))
    assert (index.dim, index.metric, len(index), index.note) == (4, metric, 40, NOTE)
    assert ("buckets" in repr(index)) == (name == "hashed" and version > 1)  # the tables of version 1 are not read
    np.testing.assert_array_equal(index.ids, np.sort(ids()))
    np.testing.assert_array_equal([index[id] for id in ids()], vectors())
    for query in vectors()[::9] + np.float32(0.25):
        for options in ({"exact": True}, {"probes": 1000}, {"filter": ids(), "exact": True}):
            found = index.search(query, 5, **options)
            check_neighbors(found, index.metric, query, ids(), vectors(), 5)
        assert (index.search(query, 5, probes=1).ids >= 0).all()
    assert index.add([1.0, 2.0, 3.0, 4.0]).tolist() == [REMOVED_LAST + 1]
    index.save(f"{tmp_path}/again")
    assert len(Index.open(f"{tmp_path}/again")) == 41


@pytest.mark.parametrize("version", [2, 3])
def test_a_golden_file_of_codes_and_copies_opens(version: int) -> None:
    index = Index.open(os.path.join(FOLDER, f"v{version}-coded.segment"))
    all_ids, all_vectors = np.concatenate([ids(), COPIES]), np.concatenate([vectors(), vectors()[:3]])
    assert (index.metric, len(index)) == ("cosine", 43)
    assert "buckets" in repr(index)
    np.testing.assert_array_equal([index[id] for id in all_ids], all_vectors)
    for options in ({"exact": True}, {"probes": 1000}):
        found = index.search(vectors()[0], 5, **options)
        assert found.ids[:2].tolist() == [ids()[0], COPIES[0]]
        check_neighbors(found, index.metric, vectors()[0], all_ids, all_vectors, 5)


@pytest.mark.parametrize("name", ["hashed", "coded"])
def test_an_old_file_saved_again_answers_the_same(name: str, tmp_path: object) -> None:
    old = Index.open(os.path.join(FOLDER, f"v2-{name}.segment"))
    old.save(f"{tmp_path}/again")
    again = Index.open(f"{tmp_path}/again")
    for probes in (1, 2, 5):
        before, after = (index.search(vectors(), 5, probes=probes) for index in (old, again))
        np.testing.assert_array_equal(before.ids, after.ids)
        np.testing.assert_array_equal(before.distances, after.distances)
