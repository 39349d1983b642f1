"""One decoder process: reads a request from stdin, answers on stdout, ends when stdin ends.

It is started by `child.py` and imports neither NumPy nor the rest of the package. Whatever kills it costs
one picture.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images import serving, wire
from lookalike.images.content import SMALLER, read_file
from lookalike.images.decode import decode_square, thumbnail
from lookalike.images.formats import format_of
from lookalike.images.video import read_film


def main(memory: int, cpu_seconds: float, max_pixels: int) -> None:
    """Serves until stdin ends; each picture gets `cpu_seconds` of its own."""

    def renew(times: float = 1) -> None:
        serving.allow(times * cpu_seconds)

    requests, replies = serving.take_pipes()
    serving.limit(memory)
    Image.MAX_IMAGE_PIXELS = None  # `open_picture` has a limit of its own
    serving.send(replies, serving.READY)
    while message := serving.receive(requests):
        renew()  # waiting for the next message uses none
        serving.send(replies, answer(wire.Request.unpack(message), memory, max_pixels, renew))


def answer(request: wire.Request, memory: int, max_pixels: int, renew: Callable[..., None] = lambda _=1: None) -> bytes:
    """The reply to one request: the file is read once, hashed and decoded from the same bytes.

    Args:
        renew: gives it all of its time again, or so many times that, where reading or decoding takes long.
    """
    try:
        if request.what == wire.COMPARE:
            return wire.OK + compare(request.path or b"", memory, max_pixels).pack()
        if request.path is not None and (film := read_film(request.path, max_pixels, renew)):
            data, frame, digest = film.sha256, film.frame, film.sha256
        else:
            data = request.data if request.path is None else read_file(request.path, most=memory // 2)
            frame, digest = None, hashlib.sha256(data).digest()
            if format_of(data) == "HEIF":
                renew(wire.HEIC_TIMES)
        if request.what == wire.THUMBNAIL:
            return wire.OK + thumbnail(data, request.input.side, max_pixels, request.crop, frame)
        square = decode_square(data, request.input, max_pixels, request.crop, frame)
        head = (digest, square.width, square.height, square.facts, square.thumb, square.same)
        return wire.OK + wire.Picture(*head, square.image.tobytes()).pack()
    except PictureError as error:
        return wire.FAILED + error.reason.encode("utf-8", "replace")[: wire.REASON_BYTES]
    except MemoryError:
        return wire.FAILED + f"needs more than {memory >> 20} MiB of memory to decode; {SMALLER}".encode()


def compare(paths: bytes, memory: int, max_pixels: int) -> wire.Compared:
    """What two files have in common; PictureError where one cannot be read or decoded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread of NumPy's would take from the memory allowed
    from lookalike.images.compare.compare import compare as compare_wholes
    from lookalike.images.compare.verdict import Verdict
    from lookalike.images.compare.whole import HoldsMoreError, whole

    hashes, wholes = [], []
    for path in paths.split(b"\0"):
        data = read_file(path, most=memory // 4)
        hashes.append(hashlib.sha256(data).digest())
        with suppress(HoldsMoreError):
            wholes.append(whole(data, max_pixels))
    verdict = compare_wholes(*wholes) if len(wholes) == 2 else Verdict("different")  # as their bytes are
    return wire.Compared(hashes[0], hashes[1], verdict)
