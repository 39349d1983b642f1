"""scikit-learn's own checks of what an estimator must do."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from lookalike.neighbors import KNeighborsTransformer, NearestNeighbors

ZEROS = "the check holds a vector of zeros, which has no direction and is refused under cosine"
UNDER_COSINE = {
    "check_estimators_dtypes": ZEROS,
    "check_estimator_sparse_tag": ZEROS,
    "check_estimator_sparse_array": ZEROS,
    "check_estimator_sparse_matrix": ZEROS,
}


def expected_failures(estimator: Any) -> dict[str, str]:
    return UNDER_COSINE if estimator.metric == "cosine" else {}


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    [
        NearestNeighbors(),
        NearestNeighbors(metric="sqeuclidean"),
        NearestNeighbors(metric="cosine"),
        NearestNeighbors(metric="dot"),
        KNeighborsTransformer(),
        KNeighborsTransformer(mode="connectivity"),
        KNeighborsTransformer(metric="cosine"),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learns_own(estimator: Any, check: partial[None]) -> None:
    if check.func.__name__ == "check_array_api_input":  # for arrays of other libraries, which are not taken
        return
    check(estimator)
