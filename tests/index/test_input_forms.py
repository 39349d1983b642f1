"""Whatever form vectors come in, the answers are those of contiguous float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import Index
from tests.index.brute_force import METRICS, Metric

Form = Callable[[NDArray[np.float32]], Any]


def strided(x: NDArray[np.float32]) -> Any:
    wide = np.full((2 * len(x), 3 * x.shape[1]), np.nan, np.float32)
    wide[::2, ::3] = x
    return wide[::2, ::3]


def unaligned(x: NDArray[np.float32]) -> Any:
    return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)


def read_only(x: NDArray[np.float32]) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


class Sparse:
    """Has the one method by which sparse matrices are known."""

    def __init__(self, x: NDArray[np.float32]) -> None:
        self.x = x

    def toarray(self) -> NDArray[np.float32]:
        return self.x


FORMS: dict[str, Form] = {
    "strided": strided,
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "fortran": np.asfortranarray,
    "unaligned": unaligned,
    "read-only": read_only,
    "float16": lambda x: x.astype(np.float16),
    "float64": lambda x: x.astype(np.float64),
    "longdouble": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f4"),
    "uint8": lambda x: x.astype(np.uint8),
    "int8": lambda x: x.astype(np.int8),
    "int64": lambda x: x.astype(np.int64),
    "uint64": lambda x: x.astype(np.uint64),
    "lists": lambda x: x.tolist(),
    "lists of int": lambda x: x.astype(int).tolist(),
    "tuples of rows": tuple,
    "sparse in spirit": Sparse,
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_gives_the_same_answers(form: Form, metric: Metric) -> None:
    random = np.random.default_rng(4)
    vectors = random.integers(0, 100, size=(50, 7)).astype(np.float32)  # exact in every dtype
    queries = random.integers(0, 100, size=(9, 7)).astype(np.float32)
    expected = Index(7, metric)
    expected.add(vectors)
    index = Index(7, metric)
    index.add(form(vectors))
    for found in (index.search(form(queries), 5), expected.search(form(queries), 5), index.search(queries, 5)):
        np.testing.assert_array_equal(found.ids, expected.search(queries, 5).ids)
        np.testing.assert_array_equal(found.distances, expected.search(queries, 5).distances)


def test_a_sparse_matrix_of_scipy() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    index = Index(3, "euclidean")
    index.add(sparse.csr_matrix(np.eye(3)))
    np.testing.assert_array_equal(index.search(sparse.csr_matrix([[0.0, 1.0, 0.0]]), 1).ids, [[1]])


def test_an_array_may_change_after_it_was_added() -> None:
    vectors = np.eye(3, dtype=np.float32)
    index = Index(3, "euclidean")
    index.add(vectors)
    vectors[:] = 7
    np.testing.assert_array_equal(index[0], [1, 0, 0])
    index[0][:] = 7
    np.testing.assert_array_equal(index[0], [1, 0, 0])


@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2],
        (3, 1, 2),
        np.array([3, 1, 2], np.uint8),
        np.array([3, 1, 2], np.uint64),
        np.array([3, 0, 1, 0, 2], np.int32)[::2],
        np.array([3, 1, 2], ">i8"),
    ],
)
def test_ids_in_every_form(ids: Any) -> None:
    index = Index(3, "euclidean")
    added = index.add(np.eye(3), ids)
    assert added.dtype == np.int64
    np.testing.assert_array_equal(added, [3, 1, 2])
    np.testing.assert_array_equal(index.ids, [1, 2, 3])
    assert list(index) == [1, 2, 3]
    np.testing.assert_array_equal(index[3], [1, 0, 0])
    index.remove(ids)
    assert len(index) == 0


def test_numbers_of_numpy_are_numbers() -> None:
    two: Any = np.int32(2)
    seed: Any = np.uint64(3)
    index = Index(two, "euclidean", seed=seed)
    index.add([1.0, 2.0], np.int8(5))
    assert np.int16(5) in index
    assert index[np.uint8(5)][1] == 2.0
    index.add([2.0, 2.0], 5, overwrite=np.True_)  # type: ignore[arg-type]
    found = index.search([1.0, 2.0], np.uint16(1), exact=np.True_, max_distance=np.float16(4))  # type: ignore[arg-type]
    assert found.ids[0] == 5
    index.remove(np.int64(5))
