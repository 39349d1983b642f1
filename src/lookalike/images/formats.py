"""Opening: from bytes to a picture of an allowed format, its header read and its size accepted."""

from __future__ import annotations

import struct
import zlib
from importlib import import_module
from io import BytesIO

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images import jpeg, jxl, raw, video
from lookalike.images.content import SMALLER
from lookalike.images.extras import HEIC

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
    jxl.CODESTREAM: "JXL",
    jxl.CONTAINER: "JXL",
    **dict.fromkeys(raw.MAGIC, "RAW"),
}


DRAFTED = 4
"""A JPEG may have so many times the pixels of any picture, where it is decoded at half its size or less."""

_HELD = 512 << 20  # bytes of coefficients


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS, *, draft: bool = False) -> Image.Image:
    """Opens one picture: its header is read, its pixels are not decoded yet.

    The content decides the format, not the file's name; only the readers of allowed formats ever see it.

    Args:
        draft: it is going to be decoded at no more than `max_pixels`, by `Image.draft` where it has more: so a JPEG may
            have up to `DRAFTED` times as many; a progressive one as long as its coefficients take no more than `_HELD`.

    Raises:
        PictureError: no picture of an allowed format, a damaged header, or more than `max_pixels`.
    """
    name = format_of(data)
    if name == "RAW":
        return _open_raw(data, max_pixels, draft)
    if name == "VIDEO":
        return video.frame_of(data, max_pixels)
    if name == "WEBP":
        _accept_size(_webp_size(data), max_pixels)  # its reader begins with memory for two whole pictures
    elif name == "JXL":
        _accept_size(jxl.size(data), max_pixels)  # its reader decodes at once
    _load_reader(name)
    try:
        image = Image.open(BytesIO(data), formats=(name,))
        if name == "PNG":
            _scale_transparency(image, depth=data[24])
        elif name == "JXL":
            jxl.forget_orientation(image)
    except Image.DecompressionBombError as error:
        raise PictureError(f"more than the limit of {max_pixels / 1e6:g} million pixels; {SMALLER}") from error
    except DAMAGE as error:
        raise PictureError(f"a damaged {name} file, or of a kind that is not supported") from error
    if draft and name == "JPEG":
        _accept_jpeg(data, image.size, max_pixels)
    else:
        _accept_size(image.size, max_pixels)
    return image


def _open_raw(data: bytes, max_pixels: int, draft: bool) -> Image.Image:
    """The preview in a camera's RAW file, which is turned as that says, and has its EXIF."""
    preview, exif = raw.preview(data)
    image = open_picture(preview, max_pixels, draft=draft)
    if exif:
        image.info["exif"] = exif
    image.info[video.MEDIA] = "raw"
    return image


def _accept_jpeg(data: bytes, size: tuple[int, int], max_pixels: int) -> None:
    """As `_accept_size`, of one that is drafted."""
    if size[0] * size[1] <= max_pixels:
        return
    _accept_size(size, DRAFTED * max_pixels)
    header = jpeg.header(data)
    if header is None:
        raise PictureError("a damaged JPEG file: its header ends before its first scan")
    if header.held > _HELD:
        raise PictureError(
            f"{size[0]} x {size[1]} pixels in several scans, as of a progressive JPEG, must be held whole: that takes "
            f"{header.held >> 20} MiB, more than the limit of {_HELD >> 20}; {SMALLER}, or save it as a baseline JPEG"
        )
    if len(data) < header.least_bytes:
        raise PictureError(f"a truncated JPEG file: {len(data):,} bytes cannot hold {size[0]} x {size[1]} pixels")


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
    """The format's name by the first bytes: a key of the readers, HEIF, JXL, RAW or VIDEO.

    Raises:
        PictureError: it is none of them.
    """
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return "RAW" if name == "TIFF" and raw.is_raw(data) else name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_format(data)
    if video.container(data[:16]):
        return "VIDEO"
    raise PictureError(_what_instead(data))


def _iso_format(data: bytes) -> str:
    """AVIF, HEIF, RAW or else VIDEO, by the brands in the first box (ISO/IEC 14496-12, section 4.3)."""
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    if brands.startswith(b"crx "):
        return "RAW"
    if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")):
        return "HEIF"
    return "VIDEO"


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
            raise PictureError(HEIC.missing) from error
        pi_heif.register_heif_opener(decode_threads=1)  # as of AVIF below
        return
    if name == "JXL":
        jxl.load_reader()
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
