"""Whether all of a JPEG is there: libjpeg fills up what is missing, goes on behind what makes no sense, and only warns,
which Pillow tells nobody.

So the codes of its data are walked through (`cpp/pictures/jpeg_walk.cpp`), which costs about two thirds of
decoding it at an eighth of its size, of a progressive one half. What ends before its end is refused by Pillow itself.
"""

from __future__ import annotations

from lookalike.errors import PictureError

LEAST = 0.25
"""The share of a picture that is worth looking at."""

_JPEG = b"\xff\xd8\xff"


def is_damaged(data: bytes) -> bool:
    """Whether a part of a JPEG that can be decoded is missing or makes no sense; of other formats, never.

    A change of single bits may leave what makes sense, and is not noticed.

    Raises:
        PictureError: less than a quarter of it is there.
    """
    if not data.startswith(_JPEG):
        return False
    from lookalike._jpeg import walk  # which a child that meets no JPEG need not load

    if (found := walk(data)) is None:
        return False
    damaged, share = found
    if share < LEAST:
        raise PictureError(f"a damaged JPEG file: no more than {100 * share:.0f} % of the picture is there")
    return damaged
