"""One decoder process: reads a request from stdin, answers on stdout, ends when stdin ends.

It is started by `child.py` and imports neither NumPy nor the rest of the package. Whatever kills it costs
one picture.
"""

from __future__ import annotations

import hashlib

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images import serving, wire
from lookalike.images.content import SMALLER, read_file
from lookalike.images.decode import decode_square, thumbnail


def main(memory: int, cpu_seconds: float, max_pixels: int) -> None:
    """Serves until stdin ends; each picture gets `cpu_seconds` of its own."""
    requests, replies = serving.take_pipes()
    serving.limit(memory)
    Image.MAX_IMAGE_PIXELS = None  # `open_picture` has a limit of its own
    serving.send(replies, serving.READY)
    while message := serving.receive(requests):
        serving.allow(cpu_seconds)  # waiting for the next message uses none
        serving.send(replies, answer(wire.Request.unpack(message), memory, max_pixels))


def answer(request: wire.Request, memory: int, max_pixels: int) -> bytes:
    """The reply to one request: the file is read once, hashed and decoded from the same bytes."""
    try:
        data = request.data if request.path is None else read_file(request.path, most=memory // 2)
        if request.what == wire.THUMBNAIL:
            return wire.OK + thumbnail(data, request.input.side, max_pixels, request.crop)
        square = decode_square(data, request.input, max_pixels, request.crop)
        digest = hashlib.sha256(data).digest()
        return wire.OK + wire.Picture(digest, square.width, square.height, square.facts, square.image.tobytes()).pack()
    except PictureError as error:
        return wire.FAILED + error.reason.encode("utf-8", "replace")[: wire.REASON_BYTES]
    except MemoryError:
        return wire.FAILED + f"needs more than {memory >> 20} MiB of memory to decode; {SMALLER}".encode()
