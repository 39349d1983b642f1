"""One decoder process: reads a request from stdin, answers on stdout, ends when stdin ends.

It is started by `child.py` and imports neither NumPy nor the rest of the package. Whatever kills it costs
one picture.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import warnings
from typing import BinaryIO

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images import wire
from lookalike.images.content import SMALLER, read_file
from lookalike.images.decode import decode_square, thumbnail


def main(memory: int, cpu_seconds: float, max_pixels: int) -> None:
    """Serves until stdin ends; each picture gets `cpu_seconds` of its own."""
    requests, replies = _take_pipes()
    _limit(memory)
    _send(replies, wire.READY)
    while message := _receive(requests):
        # The kernel ends this process by SIGPROF once the time is used up, also in the midst of C code;
        # waiting for the next message uses none.
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        _send(replies, answer(wire.Request.unpack(message), memory, max_pixels))


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


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent; then stdin, stdout and stderr are /dev/null, for C libraries that print."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    return requests, replies


def _limit(memory: int) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the parent
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS knows the limit, but refuses or ignores it
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # `open_picture` has a limit of its own


def _receive(file: BinaryIO) -> bytes:
    """The next message; empty when the parent has closed its end."""
    head = file.read(wire.LENGTH.size)
    return file.read(*wire.LENGTH.unpack(head)) if len(head) == wire.LENGTH.size else b""


def _send(file: BinaryIO, message: bytes) -> None:
    try:
        file.write(wire.LENGTH.pack(len(message)))
        file.write(message)
        file.flush()
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
