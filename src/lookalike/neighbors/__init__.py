"""The index in scikit-learn's form: an estimator and a transformer that stand in for those of `sklearn.neighbors`.

Needs the extra `lookalike[sklearn]`; without it, importing this raises MissingExtraError. `docs/scikit-learn.md` shows
both in use.
"""

from lookalike.errors import MissingExtraError

try:
    from lookalike.neighbors.nearest import NearestNeighbors
    from lookalike.neighbors.transformer import KNeighborsTransformer
except ImportError as error:
    if (error.name or "").partition(".")[0] not in ("sklearn", "scipy", "joblib"):
        raise
    raise MissingExtraError(
        "lookalike.neighbors needs scikit-learn 1.6 or newer: pip install 'lookalike[sklearn]'"
    ) from error

__all__ = ["KNeighborsTransformer", "NearestNeighbors"]
