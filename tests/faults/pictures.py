"""Tiny pictures that are told apart by a number, and a model that costs nothing.

A picture of a seed is 8 x 8 pixels of noise; its vector is the mean colour of its 16 tiles. So the
harnesses know every vector without asking lookalike, and the seed of every vector that comes back.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import PictureError
from lookalike.images import pool, wire, worker
from lookalike.models import Input, register

MODEL = "tiles"
SIDE = 8
DIM = 48

_EPOCH = 1_700_000_000_000_000_000


class Tiles:
    """The mean colours of 4 x 4 tiles, around grey; `embedded` hears of every picture."""

    name = MODEL
    hash = "1"
    dim = DIM
    input = Input(SIDE, "squeeze")
    embedded: Callable[[list[int]], None] | None = None

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = _vectors(batch)
        if self.embedded:
            self.embedded([seed_of(vector) for vector in vectors])
        return vectors


model = Tiles()


class InProcess(pool.DecoderPool):
    """Decodes here, without the 0.1 s that a child takes to start: kills shall fall elsewhere."""

    def _ask(self, request: wire.Request) -> bytes:
        limits = self._limits
        reply = worker.answer(request, limits.memory, limits.pixels)
        if reply[:1] != wire.OK:
            raise PictureError(reply[1:].decode())
        return reply[1:]


def prepare(*, children: bool = False) -> None:
    """Make the model known to this process and to its forks; with `children`, all is read and decoded as always."""
    from tests.faults.shard import read_in_process

    register(MODEL, lambda: model)
    if not children:
        pool.DecoderPool = InProcess  # type: ignore[misc]
        read_in_process()


@cache
def vector(seed: int) -> NDArray[np.float32]:
    """What the model makes of the picture of a seed."""
    found: NDArray[np.float32] = _vectors(_pixels(seed)[np.newaxis])[0]
    _seeds[found.tobytes()] = seed
    return found


def seed_of(found: NDArray[np.float32]) -> int:
    """The seed whose vector this is, among those that `vector` was asked for or `expect` was told of."""
    seed = _seeds.get(found.tobytes())
    if seed is None:
        raise AssertionError(f"a vector of no picture that was ever there: {found[:4]}...")
    return seed


def expect(seeds: Iterable[int | None]) -> None:
    """Let `seed_of` know these."""
    for seed in seeds:
        if seed is not None:
            vector(seed)
            encoded(seed)


@cache
def encoded(seed: int) -> bytes:
    """The file of a seed."""
    file = io.BytesIO()
    Image.fromarray(_pixels(seed)).save(file, "PNG")
    _files[file.getvalue()] = seed
    return file.getvalue()


def seed_of_file(content: bytes) -> int:
    """The seed of a picture file, among those that `encoded` was asked for or `expect` was told of."""
    return _files[content]


def write(path: str, seed: int, time: int | None = None) -> None:
    """Put the picture of a seed at `path` at once; its time is its own, or that of number `time`."""
    expect([seed])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    aside = os.path.join(os.path.dirname(path), ".aside")
    with open(aside, "wb") as file:
        file.write(encoded(seed))
    touch(aside, seed if time is None else time)
    os.replace(aside, path)


def touch(path: str, time: int) -> None:
    """Give a file the time of a number: a clock's ticks are too coarse to tell two changes apart."""
    os.utime(path, ns=(_EPOCH + time * 1_000_003,) * 2)


_seeds: dict[bytes, int] = {}
_files: dict[bytes, int] = {}


def _pixels(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def _vectors(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    tiles = batch.reshape(-1, 4, SIDE // 4, 4, SIDE // 4, 3).mean(axis=(2, 4), dtype=np.float32)
    around_grey: NDArray[np.float32] = (tiles - np.float32(127.5)).reshape(len(batch), DIM)
    return around_grey
