"""The inside of a child process: its pipes to the parent, and the limits that it stands under.

A message is a length, then that many bytes.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import warnings
from typing import BinaryIO

LENGTH = struct.Struct("!I")  # the pixels of the largest side fit, and so does the largest file
READY = b"ready"
"""A child's first message: its imports and limits stand."""


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent; then stdin, stdout and stderr are /dev/null, for C libraries that print."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    return requests, replies


def limit(memory: int) -> None:
    """Bounds this process: its address space, and by `allow` its CPU time."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the parent
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS knows the limit, but refuses or ignores it
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")


def allow(cpu_seconds: float) -> None:
    """From now on, so much CPU time: then the kernel ends this process by SIGPROF, also in the midst of C code."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)


def receive(file: BinaryIO) -> bytes:
    """The next message; empty when the parent has closed its end."""
    head = file.read(LENGTH.size)
    return file.read(*LENGTH.unpack(head)) if len(head) == LENGTH.size else b""


def send(file: BinaryIO, message: bytes, more: bool = False) -> None:
    """Sends a message, now or, where `more` follow, with them."""
    try:
        file.write(LENGTH.pack(len(message)))
        file.write(message)
        if not more:
            file.flush()
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
