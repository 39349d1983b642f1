"""The model of a collection: what its catalogue says of it at once, and the model itself when something is embedded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.no_model import VECTORS, NoModel
from lookalike.collection.place import Place
from lookalike.errors import ModelError
from lookalike.fitting import Input
from lookalike.models import DEFAULT, Model, Notify, could_be, get_model


class Wanted(NamedTuple):
    """What someone says of the model: its name, where that is not the remembered one, and how it runs."""

    name: str | None = None
    device: str = "cpu"
    notify: Notify | None = None

    def get(self, remembered: str = DEFAULT, hash: str | None = None) -> Model:
        """That model; of the one that is `remembered` the version with this hash, if there is one.

        Raises:
            ModelError, ArgumentError: as by `get_model`.
        """
        name = remembered if self.name is None else self.name
        return get_model(name, device=self.device, notify=self.notify, hash=hash if name == remembered else None)


AS_REMEMBERED = Wanted()


def model_of(place: Place, about: About, wanted: Wanted) -> RememberedModel | NoModel:
    """The model that made a collection's vectors, or what stands for it; raises as `RememberedModel`."""
    if about.model != VECTORS:
        return RememberedModel(place, about, wanted)
    if wanted.name is not None:
        raise ModelError(
            f"expected no model for the vectors in {place.directory}, which come from files, received {wanted.name!r}; "
            "leave it out"
        )
    return NoModel(about.dim)


class RememberedModel:
    """The model that made a collection's vectors.

    Its name, hash and dimensions are those that the catalogue remembers. What can take pictures, and texts where it
    knows them, is got and compared with them when it is first needed: many a search needs it not.
    """

    def __init__(self, place: Place, about: About, wanted: Wanted) -> None:
        """The model of the collection at `place`, got as is `wanted`.

        Raises:
            ModelError: there is none of that name here; or it is another one, as far as that can be known at no cost.
                Where a name is given that is not the remembered one, it is compared at once, whatever that costs.
            ArgumentError: an option or a device that there is not.
        """
        self.hash, self.dim = about.model_hash, about.dim
        self._place, self._about = place, about
        self._model = wanted.get(about.model, about.model_hash)
        self._is_checked = False
        self.name = self._model.name
        if not could_be(self.name, about.model):
            raise self._another(self.name)
        if self.name != about.model or not getattr(self._model, "lazy", False):
            self._checked()

    @property
    def input(self) -> Input:
        return self._checked().input

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `Model.embed`; ModelError where the model is another one than made the collection."""
        return self._checked().embed(batch)

    def __getattr__(self, name: str) -> Any:
        """What else the model can do, as `embed_text`."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._model, name)  # first: what it cannot do is known without its weights
        self._checked()
        return found

    def remember(self, catalogue: Catalogue) -> None:
        """Where the model has another name by now, as when its file was moved, keep that."""
        if self.name != self._about.model:
            with catalogue.writing():
                catalogue.rename_model(self.name)
            self._about = catalogue.about()

    def _checked(self) -> Model:
        if not self._is_checked:
            found = self._model.hash
            if (found, self._model.dim) != (self.hash, self.dim):
                raise self._another(found[:12] if self.name == self._about.model else f"{self.name} ({found[:12]})")
            self._is_checked = True
        return self._model

    def _another(self, received: str) -> ModelError:
        return ModelError(
            f"expected the model {self._about.model} with the hash {self.hash[:12]}, which made the collection in "
            f"{self._place.directory}, received {received}; use the one that made it (where its file was moved, name "
            "it there), or name another place, or change the model by `lookalike index` with --model NAME"
        )
