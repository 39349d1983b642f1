"""A video is looked at by a frame, a tenth into it."""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images.content import file_sha256
from lookalike.images.decode import decode, decode_square
from lookalike.images.formats import format_of
from lookalike.images.pool import DecoderPool, Failed, Loaded
from tests.images.hostile import noise, saved

av = pytest.importorskip("av", reason="videos are an extra: pip install '.[video]'")

SQUEEZED = Input(16, "squeeze")
COLOURS = [(200, 30, 30), (30, 160, 60), (30, 60, 210), (220, 220, 40)]


def video(
    kind: str = "mp4",
    seconds: int = 20,
    size: tuple[int, int] = (160, 96),
    codec: str = "mpeg4",
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Four colours one after the other, black below the middle; ten frames a second."""
    file = BytesIO()
    options = {"movflags": "use_metadata_tags"} if kind in ("mp4", "mov") else {}
    with av.open(file, "w", format=kind, options=options) as film:
        film.metadata.update(metadata or {})
        stream = film.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = 10
        for i in range(seconds * 10):
            image = Image.new("RGB", size, COLOURS[i * 4 // (seconds * 10)])
            image.paste((0, 0, 0), (0, size[1] // 2, *size))
            film.mux(stream.encode(av.VideoFrame.from_image(image)))
        film.mux(stream.encode())
    return file.getvalue()


def turned(data: bytes) -> bytes:
    """An MP4 as of a phone that is held upright: to be turned clockwise by a quarter (14496-12, section 8.3.2)."""
    at = data.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    return data[:at] + matrix + data[at + len(matrix) :]


def colours(pixels: Any) -> tuple[Any, Any]:
    return pixels[:6].reshape(-1, 3).mean(axis=0), pixels[10:].reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("mp4", "mpeg4"),
        ("mov", "mpeg4"),
        ("matroska", "mpeg4"),
        ("avi", "mpeg4"),
        ("webm", "libvpx"),
        ("mpeg", "mpeg2video"),
    ],
)
def test_a_frame_a_tenth_into_it_is_looked_at(kind: str, codec: str) -> None:
    data = video(kind, codec=codec) if codec != "mpeg2video" else _mpeg()
    assert format_of(data) == "VIDEO"
    square = decode_square(data, SQUEEZED)
    assert (square.width, square.height) == (160, 96)
    assert square.facts == {"media": "video"}
    above, below = colours(decode(data, SQUEEZED).pixels)
    assert np.abs(above - COLOURS[0]).max() < 25
    assert below.max() < 25


def _mpeg() -> bytes:
    """MPEG knows few rates."""
    file = BytesIO()
    with av.open(file, "w", format="mpeg") as film:
        stream = film.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        image = Image.new("RGB", (160, 96), COLOURS[0])
        image.paste((0, 0, 0), (0, 48, 160, 96))
        for _ in range(100):
            film.mux(stream.encode(av.VideoFrame.from_image(image)))
        film.mux(stream.encode())
    return file.getvalue()


def test_a_black_beginning_is_passed_over() -> None:
    file = BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for i in range(100):
            film.mux(
                stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 96), COLOURS[2] if i > 5 else "black")))
            )
        film.mux(stream.encode())
    pixels = decode(file.getvalue(), SQUEEZED).pixels.reshape(-1, 3).mean(axis=0)
    assert np.abs(pixels - COLOURS[2]).max() < 25


def test_one_that_was_filmed_upright_is_upright() -> None:
    decoded = decode(turned(video()), SQUEEZED)
    assert (decoded.width, decoded.height) == (96, 160)
    left, right = (decoded.pixels[:, part].reshape(-1, 3).mean(axis=0) for part in (slice(0, 6), slice(10, 16)))
    assert np.abs(right - COLOURS[0]).max() < 25  # what was above
    assert left.max() < 25


def test_what_it_says_of_itself() -> None:
    said = {
        "creation_time": "2021-02-03T04:05:06.000000Z",
        "com.apple.quicktime.creationdate": "2021-02-03T05:05:06+0100",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 12",
        "com.apple.quicktime.location.ISO6709": "+48.1374-011.5755+520.000/",
    }
    facts = decode_square(video(metadata=said), SQUEEZED).facts
    assert facts == {
        "taken": "2021-02-03T05:05:06",
        "year": 2021,
        "month": 2,
        "day": 3,
        "camera": "Apple iPhone 12",
        "latitude": 48.1374,
        "longitude": -11.5755,
        "media": "video",
    }


def test_a_file_is_hashed_whole_and_never_held(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    path.write_bytes(video())
    os.truncate(path, 700 << 20)  # more than a child might hold; what is behind the end is nothing
    with DecoderPool(workers=1) as pool:
        (loaded,) = pool.load([str(path)], SQUEEZED)
        assert isinstance(loaded, Loaded), loaded
        assert loaded.sha256 == file_sha256(str(path))
        (small,) = pool.thumbnails([str(path)], 64)
        assert isinstance(small, bytes)
        assert Image.open(BytesIO(small)).size == (64, 38)


def test_a_picture_by_the_name_of_a_video_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(saved(noise(40, 60), "PNG"))
    with DecoderPool(workers=1) as pool:
        (loaded,) = pool.load([str(path)], SQUEEZED)
    assert isinstance(loaded, Loaded)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).digest()
    assert "media" not in loaded.facts


def test_damage_is_one_failure_each(tmp_path: Path) -> None:
    data = video(seconds=4)
    (tmp_path / "playlist.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n")
    for name, length in (("half", len(data) // 2), ("head", 40), ("empty", 0)):
        (tmp_path / f"{name}.mp4").write_bytes(data[:length])
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    with DecoderPool(workers=1) as pool:
        results = list(pool.load(paths, SQUEEZED))
    assert all(isinstance(each, Failed) for each in results), results
    with pytest.raises(PictureError, match="a damaged video"):
        decode(data[:40], SQUEEZED)
    with pytest.raises(PictureError, match=r"^[^(]*160 x 96 pixels are more than the limit of 0\.01 million"):
        decode(data, SQUEEZED, 10_000)


def test_any_damage_ends() -> None:
    data, dice = video(seconds=4), np.random.default_rng(9)
    for _ in range(40):
        changed = bytearray(data)
        for place in dice.integers(0, len(data), 30):
            changed[place] = dice.integers(0, 256)
        with suppress(PictureError):
            decode(bytes(changed), SQUEEZED)
