from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ModelError
from lookalike.models import Input, embed_squares, get_model
from lookalike.models.onnx import efficientnet_lite0


class Means:
    name, hash, dim, input = "means", "1", 3, Input(4, "squares")

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        means: NDArray[np.float32] = batch.mean((1, 2), dtype=np.float32)
        return means


def squares(*levels: int) -> NDArray[np.uint8]:
    return np.concatenate([np.full((4, 4, 3), (level, 0, 255 - level), np.uint8) for level in levels])


def test_one_square_has_its_own_vector_and_several_have_the_mean_direction() -> None:
    batch = np.stack([squares(level) for level in (0, 51, 255)])
    one, two, three = Means().embed(batch)
    made = embed_squares(Means(), [squares(51), squares(0, 51, 255), squares(255)])
    assert (made[0] == two).all()
    assert (made[2] == three).all()
    lengths = np.linalg.norm([one, two, three], axis=1)
    expected = (one / lengths[0] + two / lengths[1] + three / lengths[2]) / 3 * lengths.mean()
    assert made[1] == pytest.approx(expected)
    assert made.dtype == np.float32
    assert embed_squares(Means(), []).shape == (0, 3)


def test_a_square_without_a_vector_counts_for_nothing() -> None:
    class Dark(Means):
        def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().embed(batch) * (batch[:, :1, :1, 0] > 0).reshape(-1, 1)

    (made,) = embed_squares(Dark(), [squares(0, 255)])
    assert made / np.linalg.norm(made) == pytest.approx(np.array([1, 0, 0]))


def test_a_model_that_makes_another_number_of_vectors_is_refused() -> None:
    class Few(Means):
        def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().embed(batch)[:1]

    with pytest.raises(
        ModelError, match=r"expected 3 vectors of 3 dimensions from the model means, received .* \(1, 3\)"
    ):
        embed_squares(Few(), [squares(1, 2, 3)])


def test_the_default_model_has_an_earlier_version_by_its_hash() -> None:
    today, earlier = get_model(), get_model(hash=efficientnet_lite0("seamless").hash)
    assert (today.input.fit, earlier.input.fit) == ("squares", "seamless")
    assert today.hash != earlier.hash
    assert earlier.hash == "890fcd033e9717fa3603d49b09b522d669957b55efc020934fcabdf0ee05e3b5"
    assert today.name == earlier.name
    assert get_model(hash=earlier.hash) is earlier
    assert get_model(hash="of none") is get_model(hash=today.hash) is today
