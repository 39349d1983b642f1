from __future__ import annotations

from typing import Any

import pytest

from lookalike.errors import ArgumentError
from lookalike.fitting import Box, Input


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ((0, "pad"), "a side of 1 to 32768 pixels, received 0"),
        ((32769, "pad"), "a side of 1 to 32768 pixels, received 32769"),
        ((8, "stretch"), "a fit of squeeze, crop, pad, seamless, squares, received 'stretch'"),
        ((8, "crop", 7), "a shorter edge of 8 to 32768 pixels, with the fit crop, received 7 with crop"),
        ((8, "pad", 9), "a shorter edge of 8 to 32768 pixels, with the fit crop, received 9 with pad"),
        ((8, "pad", None, "lanczos"), "a filter of bicubic, bilinear, received 'lanczos'"),
    ],
)
def test_what_no_model_can_take_is_refused(given: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=f"expected {complaint}"):
        Input(*given)


@pytest.mark.parametrize("given", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 1 << 31, 1)])
def test_a_part_without_pixels_is_refused(given: tuple[int, int, int, int]) -> None:
    with pytest.raises(ArgumentError, match="expected a part of a picture as x, y, width, height in pixels"):
        Box(*given)
