"""How an index keeps its vectors."""

from __future__ import annotations

from typing import Literal, get_args

from lookalike.errors import ArgumentError
from lookalike.metric import Metric

Store = Literal["float32", "float16", "none", "bits"]
"""``float32`` as they are given, ``float16`` rounded once, ``none`` in 8 bits a dimension only, ``bits`` packed."""

STORES: tuple[Store, ...] = get_args(Store)  # in the engine's own numbering


def store_number(store: Store | None, metric: Metric) -> int:
    """The engine's number of a store; None is what the metric usually takes. ArgumentError if the two do not fit."""
    usual: Store = "bits" if metric == "hamming" else "float32"
    if store is None:
        store = usual
    if store not in STORES:
        raise ArgumentError(f"store is {store!r}; expected one of {', '.join(STORES)}")
    if (store == "bits") != (usual == "bits"):
        fitting = [name for name in STORES if (name == "bits") == (usual == "bits")]
        raise ArgumentError(f"store is {store!r}; the metric {metric!r} expects {' or '.join(fitting)}")
    return STORES.index(store)
