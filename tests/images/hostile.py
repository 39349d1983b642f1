"""Pictures known to hurt, byte by byte."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

# -- JPEG


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(frame: int, width: int, height: int, huffman: bytes, scans: bytes) -> bytes:
    """A gray JPEG: `frame` is 0xC0 for baseline, 0xC2 for progressive."""
    return b"".join(
        [
            b"\xff\xd8",
            jpeg_segment(0xDB, b"\0" + b"\1" * 64),
            jpeg_segment(frame, struct.pack("!BHHB3B", 8, height, width, 1, 1, 0x11, 0)),
            huffman,
            scans,
            b"\xff\xd9",
        ]
    )


def jpeg_that_claims(width: int, height: int) -> bytes:
    """A few hundred bytes."""
    dc_of_zero = jpeg_segment(0xC4, b"\0" + b"\1" + b"\0" * 15 + b"\0")
    ac_end = jpeg_segment(0xC4, b"\x10" + b"\1" + b"\0" * 15 + b"\0")
    return jpeg(0xC0, width, height, dc_of_zero + ac_end, jpeg_segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0" * 100)


def jpeg_of_scans(count: int) -> bytes:
    """64 million pixels; each scan says in 37 codes "nothing changes in the next 27,306 blocks", for a million."""
    long_run = jpeg_segment(0xC4, b"\x10" + b"\1" + b"\0" * 15 + b"\xe0")
    codes = "0" + "10" * 7  # the only symbol, EOB14, and 14 bits more
    bits = (codes * 37).ljust(37 * 15 + 7 & ~7, "0")
    scan = jpeg_segment(0xDA, b"\1\1\0\1\x3f\0") + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return jpeg(0xC2, 8000, 8000, long_run, scan * count)


def half_a_jpeg(progressive: bool) -> bytes:
    whole = saved(noise(900, 1200), "JPEG", progressive=progressive)
    return whole[: len(whole) // 2]


# -- PNG


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, row: int, extra: bytes = b"") -> bytes:
    """A picture of zeros: its rows have `row` bytes."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(row + 1)) for _ in range(height)) + packer.flush()
    header = struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )


def png_with_a_bomb(chunk: bytes, before: bytes, mebibytes: int = 1024) -> bytes:
    """One whose text or profile unpacks to so much."""
    packer = zlib.compressobj(1)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()
    return png(8, 8, 8, 0, 8, extra=png_chunk(chunk, before + bomb))


# -- other formats


def gif_of_a_huge_screen() -> bytes:
    data = saved(Image.new("L", (4, 4)), "GIF")
    return data[:6] + b"\xff\xff\xff\xff" + data[10:]


def webp_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp_that_claims(side: int, extended: bool) -> bytes:
    body = webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes(20))
    if extended:
        body = webp_chunk(b"VP8X", bytes(4) + 2 * (side - 1).to_bytes(3, "little")) + body
    return webp_chunk(b"RIFF", b"WEBP" + body)


def bmp_that_claims(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + 1024, 0, 0, 14 + len(header) + 1024) + header + bytes(1024)


def tiff_that_claims(width: int, height: int) -> bytes:
    """A gray one, whose only strip is empty."""
    short, long = 3, 4
    tags = [(256, long, 1, width), (257, long, 1, height), (258, short, 1, 8), (259, short, 1, 1), (262, short, 1, 1)]
    tags += [(273, long, 1, 8), (277, short, 1, 1), (278, long, 1, height), (279, long, 1, 0)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory


def tiff_whose_directory_is_itself() -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8)


def avif_that_claims(width: int, height: int) -> bytes:
    """One whose box of the size (ISO/IEC 23008-12, section 6.5.3) says another."""
    data = bytearray(saved(noise(16, 16), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack("!II", width, height)
    return bytes(data)


# -- any format


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def random_behind_a_beginning(format: str, kept: int) -> bytes:
    """So many bytes of a true picture, and then others."""
    beginning = saved(Image.radial_gradient("L").convert("RGB"), format)[:kept]
    return beginning + np.random.default_rng(kept).bytes(5000)
