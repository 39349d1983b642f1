"""Opening: from bytes to a picture of an allowed format, its header read and its size accepted."""

from __future__ import annotations

import struct
import zlib
from importlib import import_module
from io import BytesIO

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images.content import SMALLER

MAX_PIXELS = 64_000_000

# What Pillow's readers raise on damaged files, gathered by fuzzing them.
DAMAGE = (
    OSError,  # with UnidentifiedImageError
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    struct.error,
    zlib.error,
)

_PLUGINS = {
    "JPEG": "PIL.JpegImagePlugin",
    "PNG": "PIL.PngImagePlugin",
    "GIF": "PIL.GifImagePlugin",
    "BMP": "PIL.BmpImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
    "AVIF": "PIL.AvifImagePlugin",
}
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Opens one picture: its header is read, its pixels are not decoded yet.

    The content decides the format, not the file's name; only the readers of allowed formats ever see it.

    Raises:
        PictureError: no picture of an allowed format, a damaged header, or more than `max_pixels`.
    """
    name = format_of(data)
    if name == "WEBP":
        _accept_size(_webp_size(data), max_pixels)  # its reader begins with memory for two whole pictures
    _load_reader(name)
    try:
        image = Image.open(BytesIO(data), formats=(name,))
        if name == "PNG":
            _scale_transparency(image, depth=data[24])
    except Image.DecompressionBombError as error:
        raise PictureError(f"more than the limit of {max_pixels / 1e6:g} million pixels; {SMALLER}") from error
    except DAMAGE as error:
        raise PictureError(f"a damaged {name} file, or of a kind that is not supported") from error
    _accept_size(image.size, max_pixels)
    return image


def _accept_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        limit = f"{max_pixels / 1e6:g} million"
        raise PictureError(f"{width} x {height} pixels are more than the limit of {limit}; {SMALLER}")


def _webp_size(data: bytes) -> tuple[int, int]:
    """By the first chunk (RFC 9649, sections 2.5, 2.6 and 2.7.1.2); without pixels where it is none."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X" and len(body) == 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:], "little")
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(body) == 10 and body[3:6] == b"\x9d\x01\x2a":  # RFC 6386, section 9.1
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:], "little") & 0x3FFF
    return 0, 0


def format_of(data: bytes) -> str:
    """The format's name by the first bytes: a key of the readers, or HEIF.

    Raises:
        PictureError: it is none of them.
    """
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_format(data)
    raise PictureError(_what_instead(data))


def _iso_format(data: bytes) -> str:
    """AVIF or HEIF, by the brands in the first box (ISO/IEC 14496-12, section 4.3)."""
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")):
        return "HEIF"
    raise PictureError("not a picture that is read: its content is a video or a camera's RAW file")


def _what_instead(data: bytes) -> str:
    if not data:
        return "the file is empty"
    head = data[:512]
    if b"<svg" in head:
        return "not a picture: its content is a vector drawing"
    if not any((byte < 32 and byte not in b"\t\n\v\f\r\x1b") or byte == 127 for byte in head):
        return "not a picture: its content is text"
    return "not a picture: its content is of no known format"


def _load_reader(name: str) -> None:
    """Imports the one reader that is needed; Pillow would import all of them."""
    if name == "HEIF":
        try:
            import pi_heif
        except ImportError as error:
            raise PictureError("HEIC needs an extra: pip install 'lookalike[heic]'") from error
        pi_heif.register_heif_opener()
        return
    import_module(_PLUGINS[name])
    if name == "AVIF":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the pool uses each core already; a thread's stack costs memory


def _scale_transparency(image: Image.Image, depth: int) -> None:
    """Pillow scales samples of 1, 2, 4 and 16 bits to 8, but not the transparent colour beside them."""
    transparency = image.info.get("transparency")
    if image.mode == "L" and depth < 8 and isinstance(transparency, int):
        image.info["transparency"] = transparency * 255 // (2**depth - 1)
    elif image.mode == "RGB" and depth == 16 and isinstance(transparency, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in transparency)
