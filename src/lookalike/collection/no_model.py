"""What stands for a model in a collection of vectors from files."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.sync.report import Things
from lookalike.errors import ModelError
from lookalike.fitting import Input

VECTORS = "vectors"
"""The name of the model of a collection whose vectors are not made by one."""


class NoModel:
    """Has the dimensions of the vectors, and refuses to make any."""

    name = VECTORS
    hash = ""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    @property
    def input(self) -> Input:
        self._refuse()

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ARG002
        self._refuse()

    def remember(self, catalogue: Catalogue) -> None:
        """There is nothing to be remembered."""

    def _refuse(self) -> NoReturn:
        raise ModelError(
            "expected a query for a collection of vectors that came from files, received a picture; search it by a "
            "vector or by the name of one that is in it"
        )


def things(model: object) -> Things:
    """What the items of a collection with this model are."""
    return "vectors" if isinstance(model, NoModel) else "pictures"
