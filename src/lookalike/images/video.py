"""A video, looked at by one of its frames, a tenth into it; PyAV (FFmpeg) decodes it, and has its door here.

The first bytes say which container it is, and no other is tried: of playlists and the like, which name further files,
nothing is ever opened.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images.content import LARGEST_VIDEO, SMALLER, regular_file
from lookalike.images.extras import VIDEO
from lookalike.images.facts import Fact, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA, SAID = "lookalike media", "lookalike said"
"""What `Image.info` has of what stands for something else, "raw" or "video"; and what a video says of itself."""

_CONTAINERS = {
    b"\x1aE\xdf\xa3": "matroska",
    b"FLV\1": "flv",
    b"\0\0\1\xba": "mpeg",
    b"0&\xb2u\x8ef\xcf\x11": "asf",
}
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, EOFError)
_HEAD = 16  # bytes that tell it
_INTO = 0.1  # of its length
_MOST_FRAMES = 24  # that are decoded on the way there
_CHUNK, _OFTEN = 1 << 20, 128 << 20
_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d")
_PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")  # ISO 6709, in degrees
_DATES = ("com.apple.quicktime.creationdate", "creation_time", "date")  # the first is by the clock of the place
_MAKE, _MODEL = "com.apple.quicktime.make", "com.apple.quicktime.model"
_LOCATIONS = ("com.apple.quicktime.location.ISO6709", "location")


class Film(NamedTuple):
    """A video that was read.

    Attributes:
        sha256: of all of its bytes.
        frame: in RGB, upright.
    """

    sha256: bytes
    frame: Image.Image


def container(head: bytes) -> str | None:
    """Which kind of video begins so, by FFmpeg's name; None where it is none that is read. HEIF begins alike."""
    for magic, name in _CONTAINERS.items():
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    return "mov" if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") else None


def read_film(path: str | bytes, max_pixels: int, renew: Callable[[], None] = lambda: None) -> Film | None:
    """The video at a path, which is read through once for its hash and never held; None where its name says no video.

    Args:
        renew: called now and then while it is hashed, which bounds itself.

    Raises:
        PictureError: as `read_file`, as `frame_of`, or it has more than `LARGEST_VIDEO` bytes.
    """
    name = os.fsdecode(path)
    if name.rpartition(".")[2].lower() not in VIDEO.endings:
        return None
    with regular_file(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        size = os.fstat(descriptor).st_size
        if size > LARGEST_VIDEO:
            raise PictureError(
                f"the file has {size >> 20} MiB; at most {LARGEST_VIDEO >> 20} MiB of a video are read; {SMALLER}"
            )
        if container(file.read(_HEAD)) is None:
            return None  # what reads it as a picture says what it is
        file.seek(0)
        digest = hashlib.sha256()
        for chunk in iter(partial(file.read, _CHUNK), b""):
            digest.update(chunk)
            if file.tell() % _OFTEN == 0:
                renew()
        renew()
        file.seek(0)
        return Film(digest.digest(), frame_of(file, max_pixels))


def frame_of(source: bytes | BinaryIO, max_pixels: int) -> Image.Image:
    """A frame of a video, a tenth into it, or near: RGB, upright, with what the video says of itself in its `info`.

    Raises:
        PictureError: PyAV is not installed, or the video is damaged, without pictures, or of more than `max_pixels`.
    """
    try:
        import av
    except ImportError as error:
        raise PictureError(VIDEO.missing) from error
    file = BytesIO(source) if isinstance(source, bytes) else source
    kind = container(file.read(_HEAD))
    file.seek(0)
    try:
        with av.open(file, format=kind, metadata_errors="ignore") as film:
            frame, turn = _frame(film, max_pixels)
            said = {str(key): str(value) for key, value in film.metadata.items()}
    except PictureError:
        raise
    except (av.error.FFmpegError, *_DAMAGE) as error:
        raise PictureError(f"a damaged video ({error or type(error).__name__})") from error
    image = frame.transpose(turn) if turn is not None else frame
    image.info |= {MEDIA: "video", SAID: _facts(said)}
    return image


def _frame(film: Any, max_pixels: int) -> tuple[Image.Image, Image.Transpose | None]:
    if not film.streams.video:
        raise PictureError("a video without pictures")
    stream = film.streams.video[0]
    if stream.width * stream.height > max_pixels:
        raise PictureError(
            f"{stream.width} x {stream.height} pixels are more than the limit of {max_pixels / 1e6:g} million"
        )
    stream.thread_count, stream.thread_type = 1, "NONE"  # the pool uses each core already
    at = _INTO * (film.duration or 0) / 1_000_000
    if at:
        with suppress(OSError):  # one that cannot be sought is looked at from its beginning
            film.seek(int(at * 1_000_000))  # to the whole picture before it
    frame = None
    for count, each in enumerate(film.decode(stream), 1):
        frame = each
        if count == _MOST_FRAMES or (each.time or 0) >= at:
            break
    if frame is None:
        raise PictureError("a video without pictures")
    return frame.to_image(), _TURNS.get(round(getattr(frame, "rotation", 0) or 0) % 360)


def _facts(said: Mapping[str, str]) -> dict[str, Fact]:
    """What a camera writes into a video."""
    facts: dict[str, Fact] = {}
    for moment in (_MOMENT.match(said.get(name, "")) for name in _DATES):
        if moment and moment[1] > "1970":  # as of a clock that was never set
            facts |= dict(zip(("year", "month", "day"), map(int, moment.group(1, 2, 3)), strict=True))
            facts["taken"] = moment[0]
            break
    if camera := one_line(" ".join(said.get(name, "") for name in (_MAKE, _MODEL))):
        facts["camera"] = camera
    place = next((match for name in _LOCATIONS if (match := _PLACE.match(said.get(name, "")))), None)
    if place and abs(float(place[1])) <= 90 and abs(float(place[2])) <= 180:
        facts |= {"latitude": float(place[1]), "longitude": float(place[2])}
    return facts
