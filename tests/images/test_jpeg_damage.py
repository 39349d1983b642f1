"""JPEGs of which a part is missing or makes no sense are taken, and marked."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lookalike._jpeg import walk
from lookalike.demo import folder
from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images.decode import decode_square
from lookalike.images.jpeg_damage import is_damaged
from lookalike.images.pool import DecoderPool, Loaded

END = b"\xff\xd9"
INPUT = Input(64, "squeeze")
HOW: dict[str, dict[str, Any]] = {
    "plain": {},
    "fine": {"quality": 98, "subsampling": 0},
    "halved": {"subsampling": 1},
    "coarse": {"quality": 20, "optimize": True},
    "progressive": {"progressive": True},
    "fine and progressive": {"progressive": True, "quality": 98, "subsampling": 0},
    "restarts": {"restart_marker_rows": 1},
    "many restarts": {"restart_marker_blocks": 3},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


def photo(size: tuple[int, int] = (611, 403), mode: str = "RGB") -> Image.Image:
    """A picture with detail everywhere, of no whole number of blocks."""
    (path, *_) = sorted(Path(folder(), "cats").iterdir())
    with Image.open(path) as image:
        noise = Image.effect_noise(size, 60).convert("RGB")
        return Image.blend(image.convert("RGBA").convert("RGB").resize(size), noise, 0.3).convert(mode)


def jpeg(image: Image.Image, **how: Any) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", **how)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("how", HOW)
def test_what_is_whole(how: str, mode: str) -> None:
    assert walk(jpeg(photo(mode=mode), **HOW[how])) == (False, 1.0)
    assert walk(jpeg(photo((7, 1), mode), **HOW[how])) == (False, 1.0)


@pytest.mark.parametrize("how", HOW)
def test_the_second_half_is_missing(how: str) -> None:
    """Cut where libjpeg does not see it: an end marker follows."""
    data = jpeg(photo(), **HOW[how])
    cut = data[: len(data) // 2] + END
    assert is_damaged(cut)
    assert decode_square(cut, INPUT).facts["damaged"] is True
    assert "damaged" not in decode_square(data, INPUT).facts


@pytest.mark.parametrize("how", ["plain", "fine", "progressive", "restarts"])
def test_2000_bytes_are_zeros(how: str) -> None:
    data = jpeg(photo((1600, 1200)), **HOW[how])
    middle = len(data) // 2
    assert is_damaged(data[:middle] + bytes(2000) + data[middle + 2000 :])


def test_another_files_data_in_the_middle() -> None:
    data, other = jpeg(photo((800, 600))), jpeg(photo((640, 480)), quality=50)
    middle = len(data) // 2
    assert is_damaged(data[:middle] + other[1000:5096] + data[middle + 4096 :])


def test_a_restart_keeps_what_follows() -> None:
    data = jpeg(photo((800, 600)), restart_marker_rows=1)
    middle = len(data) // 2
    found = walk(data[:middle] + bytes(300) + data[middle + 300 :])
    assert found is not None
    assert found[0]
    assert found[1] > 0.9


def test_what_is_mostly_missing_is_refused() -> None:
    data = jpeg(photo())
    head = data.index(b"\xff\xda")
    cut = data[: head + (len(data) - head) // 10] + END
    with pytest.raises(PictureError, match=r"a damaged JPEG file: no more than \d+ % of the picture is there"):
        decode_square(cut, INPUT)


def test_what_is_no_damage() -> None:
    data = jpeg(photo())
    assert walk(data + b"a video of a living photo" * 99) == (False, 1.0)
    assert walk(data.removesuffix(END) + bytes(500) + END) == (False, 1.0), "padding, as some cameras write it"
    assert walk(data.removesuffix(END) + b"\xff" * 9 + END) == (False, 1.0)


def test_what_is_not_walked_through() -> None:
    data = jpeg(photo())
    assert walk(b"") is walk(END) is walk(data[:100]) is None
    assert walk(data.replace(b"\xff\xc0", b"\xff\xc9")) is None, "arithmetic coding"
    assert not is_damaged(b"\x89PNG")


@pytest.mark.parametrize("how", HOW)
def test_any_bytes_are_borne(how: str) -> None:
    data = jpeg(photo((90, 70)), **HOW[how])
    dice = random.Random(how)
    for _ in range(2000):
        changed = bytearray(data[: dice.randrange(len(data))] if dice.random() < 0.3 else data)
        for _ in range(dice.randrange(1, 9)):
            changed[dice.randrange(len(changed))] = dice.choice((0, 255, dice.randrange(256))) if changed else 0
        found = walk(bytes(changed))
        assert found is None or 0 <= found[1] <= 1


def test_the_pool_says_it(tmp_path: Path) -> None:
    data = jpeg(photo())
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2] + END)
    (tmp_path / "whole.jpg").write_bytes(data)
    with DecoderPool(1) as pool:
        half, whole = pool.load([str(tmp_path / "half.jpg"), str(tmp_path / "whole.jpg")], INPUT)
    assert isinstance(half, Loaded)
    assert isinstance(whole, Loaded)
    assert (half.facts, whole.facts) == ({"damaged": True}, {})
