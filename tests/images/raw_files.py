"""Files as cameras write them, as far as their previews go; simulated: none of them was in a camera."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from io import BytesIO

from PIL import Image

_FORMS = {"B": 1, "s": 2, "H": 3, "I": 4}  # TIFF's types by struct's
Tags = Mapping[int, tuple[str, list[int] | bytes]]


def jpeg_of(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """Of one colour, but black below the middle."""
    image = Image.new("RGB", size, colour)
    image.paste((0, 0, 0), (0, size[1] // 2, *size))
    file = BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def directory(order: str, at: int, tags: Tags, following: int = 0) -> bytes:
    """A directory that lies at an offset, with the values of its tags behind it."""
    head = struct.pack(f"{order}H", len(tags))
    extra_at = at + 2 + 12 * len(tags) + 4
    entries = extra = b""
    for tag, (form, values) in sorted(tags.items()):
        if isinstance(values, bytes):
            packed, count = values, len(values)
        else:
            packed, count = struct.pack(f"{order}{len(values)}{form}", *values), len(values)
        entries += struct.pack(f"{order}HHI", tag, _FORMS[form], count)
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", extra_at + len(extra))
            extra += packed + b"\0" * (len(packed) % 2)
    return head + entries + struct.pack(f"{order}I", following) + extra


def raw(
    kind: str,
    small: bytes,
    large: bytes,
    order: str = "<",
    orientation: int = 6,
    taken: bytes = b"2021:02:03 04:05:06\0",
) -> bytes:
    """A file of a `kind` (dng, cr2, nef, arw, rw2) with a small and a large preview beside its sensor's samples."""
    magic = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 42)
    if kind == "rw2":
        magic = b"IIU\0"
    marks = b"CR\2\0\0\0\0\0" if kind == "cr2" else b""
    first, detail, sub, third = 64, 600, 900, 1300
    small_at, large_at = 2000, 2000 + len(small)
    samples_at = large_at + len(large)
    samples = bytes(range(256)) * 16
    about: dict[int, tuple[str, list[int] | bytes]] = {
        271: ("s", b"Maker\0"),
        272: ("s", f"Maker {kind.upper()}\0".encode()),
        274: ("H", [orientation]),
        34665: ("I", [detail]),
    }
    sensor: Tags = {
        254: ("I", [0]),
        256: ("I", [4000]),
        257: ("I", [3000]),
        259: ("H", [{"nef": 34713, "arw": 32767}.get(kind, 1)]),
        262: ("H", [32803]),
        273: ("I", [samples_at]),
        279: ("I", [len(samples)]),
    }
    if kind in ("dng", "nef"):  # a thumbnail first, the rest below
        about |= {254: ("I", [1]), 259: ("H", [7]), 262: ("H", [6]), 273: ("I", [small_at]), 279: ("I", [len(small)])}
        about |= {330: ("I", [sub, third])}
        if kind == "dng":
            about |= {50706: ("B", bytes([1, 4, 0, 0]))}
        below: Tags = {254: ("I", [1]), 513: ("I", [large_at]), 514: ("I", [len(large)])}
        parts = {sub: directory(order, sub, below), third: directory(order, third, sensor)}
        head = directory(order, first, about)
    else:  # one directory after the other
        about |= {259: ("H", [6]), 273: ("I", [large_at]), 279: ("I", [len(large)])}
        if kind == "rw2":
            del about[273], about[279]
        parts = {
            sub: directory(order, sub, {513: ("I", [small_at]), 514: ("I", [len(small)])}, third),
            third: directory(order, third, sensor),
        }
        head = directory(order, first, about, sub)
    parts |= {first: head, detail: directory(order, detail, {0x9003: ("s", taken)}), small_at: small, large_at: large}
    data = bytearray((magic + struct.pack(f"{order}I", first) + marks).ljust(samples_at, b"\0") + samples)
    for at, part in parts.items():
        data[at : at + len(part)] = part
    return bytes(data)


def raf(large: bytes) -> bytes:
    """Fujifilm's: a preview behind a head of its own."""
    return b"FUJIFILMCCD-RAW 0201FF383501".ljust(148, b"\0") + large + bytes(range(256)) * 16


def cr3(small: bytes, large: bytes, orientation: int = 6) -> bytes:
    """Canon's, of boxes."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", 8 + len(body)) + kind + body

    exif = b"II*\0\x08\0\0\0" + directory(
        "<", 8, {271: ("s", b"Canon\0"), 272: ("s", b"Canon EOS R\0"), 274: ("H", [orientation])}
    )
    moov = box(b"moov", box(b"uuid", bytes(16) + box(b"CMT1", exif) + box(b"THMB", bytes(8) + small)))
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + box(b"uuid", bytes(24) + box(b"PRVW", bytes(16) + large))
