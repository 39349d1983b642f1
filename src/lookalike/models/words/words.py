"""Which models have words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError
from lookalike.models.words.classes import Classifier
from lookalike.models.words.meaning import Meaning, meaning
from lookalike.models.words.near import alike, near
from lookalike.models.words.nouns import nouns

_WEIGHTS = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class Words:
    """What is known of the pictures behind a model's vectors, in words.

    Attributes:
        model: its name.
        classifier: gives the probability of each class.
    """

    model: str
    classifier: Classifier

    def mean(self, text: str) -> Meaning:
        """What `text` is taken for: a class, a synonym of its name, or what is above it; in the plural, too.

        Raises:
            ArgumentError: it is not known; the message names the nearest that are.
        """
        found = meaning(nouns(), text)
        if found is None:
            raise ArgumentError(
                f"expected the path of a picture, or a word that {self.model} knows, received “{text}”; {_advice(text)}"
            )
        return found

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Classifier.probabilities`."""
        return self.classifier.probabilities(vectors)


@cache
def words_of(model: str) -> Words | None:
    """The words of the model of that name; None where it has none.

    They are for every vector that the shipped network made, whatever the model's hash: the root mean squares of its
    last activation, of one square of a picture, or the mean of those of several.
    """
    if model.partition("?")[0].partition(":")[0] != "efficientnet-lite0":
        return None
    return Words(
        model,
        Classifier(
            _WEIGHTS / "efficientnet-lite0-classes.npy",
            "6f5bc0a41f4ccba2ac4c430b899838d084f5001e35d1581069b2afe4605e2026",
        ),
    )


def _advice(text: str) -> str:
    if known := near(nouns(), text):
        return f"the nearest that it knows: {', '.join(known)}"
    if known := alike(nouns(), text):
        return f"did you mean {' or '.join(known)}?"
    return "it knows none that is near: name an animal, a plant or a thing"
