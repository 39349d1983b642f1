"""Every mode a picture file can have ends as the same RGB."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images.decode import decode, fit_image

SIDE = 16
RAMP = np.arange(256, dtype=np.uint8).reshape(SIDE, SIDE)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=-1)  # 256 different ones


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data: bytes) -> NDArray[np.int16]:
    """Decoded at the picture's own size, so that no resize hides a wrong value; signed for differences."""
    decoded = decode(data, Input(SIDE, "squeeze"))
    assert (decoded.width, decoded.height) == (SIDE, SIDE)
    return decoded.pixels.astype(np.int16)


def gray(levels: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(levels[..., None], 3, axis=-1)


def png(depth: int, colour: int, rows: bytes, *, transparent: bytes | None = None) -> bytes:
    """A 16 x 16 PNG, written by hand: Pillow writes neither 16-bit colour nor transparent levels of a few bits."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    length = len(rows) // SIDE
    filtered = b"".join(b"\0" + rows[row * length : (row + 1) * length] for row in range(SIDE))
    header = struct.pack("!IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"tRNS", transparent) if transparent else b"",
            chunk(b"IDAT", zlib.compress(filtered)),
            chunk(b"IEND", b""),
        ]
    )


Tags = dict[int, int | tuple[int, ...]]


def tiff(array: NDArray[Any], tags: Tags, order: Literal["<", ">"] = "<") -> bytes:
    """An uncompressed TIFF of one strip, written by hand, with these tags."""
    body = array.astype(array.dtype.newbyteorder(order)).tobytes()
    entries: Tags = {
        256: array.shape[1],
        257: array.shape[0],
        259: 1,
        277: 1,
        278: array.shape[0],
    }
    entries |= {273: 8, 279: len(body), **tags}
    directory, beyond = b"", b""
    start = 8 + len(body)
    end = start + 2 + 12 * len(entries) + 4
    for tag, value in sorted(entries.items()):
        values = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            beyond, packed = beyond + packed, struct.pack(f"{order}I", end + len(beyond))
        directory += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    magic = b"II*\0" if order == "<" else b"MM\0*"
    count = struct.pack(f"{order}H", len(entries))
    return magic + struct.pack(f"{order}I", start) + body + count + directory + b"\0\0\0\0" + beyond


# -- gray and palette


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_gray(kind: str) -> None:
    assert np.array_equal(pixels(encode(Image.fromarray(RAMP), kind)), gray(RAMP))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit(kind: str) -> None:
    bits = (RAMP % 3 == 0) * np.uint8(255)
    assert np.array_equal(pixels(encode(Image.fromarray(bits).convert("1"), kind)), gray(bits))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_palette(kind: str) -> None:
    image = Image.frombytes("P", (SIDE, SIDE), RAMP.tobytes())
    image.putpalette(COLOURS.tobytes())
    assert np.array_equal(pixels(encode(image, kind)), COLOURS)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_rgb_is_left_as_it_is(kind: str) -> None:
    assert np.array_equal(pixels(encode(Image.fromarray(COLOURS), kind, lossless=True)), COLOURS)


# -- alpha


def over_white(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    share = alpha[..., None] / 255
    return np.rint(colours * share + 255 * (1 - share))


ALPHA = np.ascontiguousarray(RAMP.T)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_alpha_is_laid_over_white(kind: str) -> None:
    image = Image.fromarray(np.dstack([COLOURS, ALPHA]))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {"quality": 100} if kind == "AVIF" else {}
    difference = np.abs(pixels(encode(image, kind, **options)) - over_white(COLOURS, ALPHA))
    if kind == "AVIF":
        assert difference.mean() < 4  # its colours are lossy
    else:
        assert difference.max() <= 1


def test_gray_with_alpha() -> None:
    image = Image.merge("LA", [Image.fromarray(RAMP), Image.fromarray(ALPHA)])
    assert np.abs(pixels(encode(image, "PNG")) - over_white(gray(RAMP), ALPHA)).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "La", "RGBA", "RGBa", "PA"])
def test_alpha_of_an_image_in_memory(mode: str) -> None:
    if mode == "PA":
        image = Image.new("PA", (SIDE, SIDE), (0, 128))
        image.putpalette([100, 100, 100])
    else:
        image = Image.new("LA", (SIDE, SIDE), (100, 128)).convert("RGBA" if mode == "RGBa" else "LA")
        image = image.convert(mode)
    assert np.abs(fit_image(image, Input(SIDE, "squeeze")).astype(int) - 177).max() <= 1


def test_what_hides_under_alpha_0_comes_out_white() -> None:
    hidden = Image.fromarray(np.dstack([COLOURS, np.zeros_like(RAMP)]))
    assert (pixels(encode(hidden, "PNG")) == 255).all()
    large = hidden.resize((640, 480))
    assert (decode(encode(large, "PNG"), Input(SIDE, "squeeze")).pixels == 255).all()


def test_alpha_does_not_bleed_in_a_resize() -> None:
    # Red that is seen beside black that is not: black must not darken the edge.
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 100, 200))
    got = decode(encode(image, "PNG"), Input(20, "squeeze")).pixels
    assert (got[..., 0] >= 254).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_one_transparent_colour(kind: str) -> None:
    image = Image.frombytes("P", (SIDE, SIDE), RAMP.tobytes())
    image.putpalette(COLOURS.tobytes())
    expected = COLOURS.copy()
    expected[RAMP == 77] = 255
    assert np.array_equal(pixels(encode(image, kind, transparency=77)), expected)


def test_palette_with_an_alpha_for_each_colour() -> None:
    image = Image.frombytes("P", (SIDE, SIDE), RAMP.tobytes())
    image.putpalette(COLOURS.tobytes())
    got = pixels(encode(image, "PNG", transparency=bytes(range(256))))
    assert np.abs(got - over_white(COLOURS, RAMP)).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_gray_with_a_transparent_level(depth: int) -> None:
    levels = RAMP & np.uint8(2**depth - 1)
    bits = np.unpackbits(levels[..., None], axis=-1)[..., 8 - depth :]
    level = 2**depth - 2 if depth > 1 else 0
    data = png(depth, 0, np.packbits(bits).tobytes(), transparent=struct.pack("!H", level))
    expected = levels * (255 // (2**depth - 1))
    expected[levels == level] = 255
    assert np.array_equal(pixels(data), gray(expected))


def test_rgb_with_a_transparent_colour() -> None:
    data = png(8, 2, COLOURS.tobytes(), transparent=struct.pack("!3H", *COLOURS[3, 5]))
    expected = COLOURS.copy()
    expected[3, 5] = 255
    assert np.array_equal(pixels(data), expected)


# -- 16 bits

WIDE = RAMP.astype(np.uint16) * 257  # the same ramp with 16 bits
FINE = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(SIDE, SIDE) ^ 0x55  # low bytes in use


@pytest.mark.parametrize("levels", [WIDE, FINE])
def test_16_bit_gray_png_is_scaled_not_clipped(levels: NDArray[np.uint16]) -> None:
    assert np.array_equal(pixels(png(16, 0, levels.astype(">u2").tobytes())), gray(np.rint(levels / 257)))


def test_16_bit_gray_png_with_a_transparent_level() -> None:
    data = png(16, 0, FINE.astype(">u2").tobytes(), transparent=struct.pack("!H", FINE[2, 3]))
    expected = np.rint(FINE / 257)
    expected[2, 3] = 255
    assert np.array_equal(pixels(data), gray(expected))


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_gray_tiff(order: Literal["<", ">"]) -> None:
    assert np.array_equal(pixels(tiff(FINE, {258: 16, 262: 1}, order)), gray(np.rint(FINE / 257)))


def test_16_bit_gray_tiff_whose_0_is_white() -> None:
    assert np.array_equal(pixels(tiff(FINE, {258: 16, 262: 0})), gray(255 - np.rint(FINE / 257)))


def test_12_bit_gray_tiff() -> None:
    levels = FINE >> 4
    pairs = levels.reshape(-1, 2)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=-1)
    data = tiff(packed.astype(np.uint8).reshape(SIDE, -1), {256: SIDE, 258: 12, 262: 1})
    assert np.array_equal(pixels(data), gray(np.rint(levels / 4095 * 255)))


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_16_bit_gray_in_memory(mode: str) -> None:
    raw = FINE.astype(">u2" if mode == "I;16B" else "<u2").tobytes()
    image = Image.frombytes(mode, (SIDE, SIDE), raw)
    assert np.array_equal(fit_image(image, Input(SIDE, "squeeze")), gray(np.rint(FINE / 257)))


COLOURS_16 = COLOURS.astype(np.uint16) * 257


def test_16_bit_rgb_png() -> None:
    noise = COLOURS_16 ^ 0x33
    assert np.abs(pixels(png(16, 2, noise.astype(">u2").tobytes())) - noise / 257).max() <= 1


def test_16_bit_rgb_png_with_a_transparent_colour() -> None:
    data = png(16, 2, COLOURS_16.astype(">u2").tobytes(), transparent=struct.pack("!3H", *COLOURS_16[3, 5]))
    expected = COLOURS.copy()
    expected[3, 5] = 255
    assert np.array_equal(pixels(data), expected)


def test_16_bit_rgba_and_gray_alpha_png() -> None:
    rgba = np.dstack([COLOURS_16, ALPHA.astype(np.uint16) * 257])
    assert np.abs(pixels(png(16, 6, rgba.astype(">u2").tobytes())) - over_white(COLOURS, ALPHA)).max() <= 1
    la = np.dstack([WIDE, ALPHA.astype(np.uint16) * 257])
    assert np.abs(pixels(png(16, 4, la.astype(">u2").tobytes())) - over_white(gray(RAMP), ALPHA)).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_rgb_tiff(order: Literal["<", ">"]) -> None:
    data = tiff(COLOURS_16, {258: (16, 16, 16), 262: 2, 277: 3}, order)
    assert np.abs(pixels(data) - COLOURS).max() <= 1


@pytest.mark.parametrize(
    ("array", "tags"),
    [
        (RAMP.astype(np.float32), {258: 32, 262: 1, 339: 3}),
        (RAMP.astype(np.float64), {258: 64, 262: 1, 339: 3}),
        (RAMP.astype(np.int32), {258: 32, 262: 1, 339: 2}),
        (RAMP.astype(np.int16), {258: 16, 262: 1, 339: 2}),
        (COLOURS.astype(np.float32), {258: (32, 32, 32), 262: 2, 277: 3, 339: (3, 3, 3)}),
    ],
    ids=["float32", "float64", "int32", "int16", "float32 rgb"],
)
def test_pixels_without_a_defined_white_are_refused(array: NDArray[Any], tags: dict[int, Any]) -> None:
    with pytest.raises(PictureError, match=r"no defined white|not supported"):
        decode(tiff(array, tags), Input(SIDE, "squeeze"))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_wide_images_in_memory_are_refused(mode: str) -> None:
    with pytest.raises(PictureError, match="8 or 16 bits"):
        fit_image(Image.new(mode, (4, 4)), Input(SIDE, "squeeze"))


# -- CMYK, YCCK, LAB, YCbCr


def test_cmyk_is_the_complement_of_rgb() -> None:
    data = encode(Image.fromarray(COLOURS).convert("CMYK"), "TIFF")
    assert np.abs(pixels(data) - COLOURS).max() <= 1
    inks = Image.new("CMYK", (SIDE, SIDE), (0, 128, 255, 64))
    assert np.abs(pixels(encode(inks, "TIFF")) - [191, 95, 0]).max() <= 1


def adobe(data: bytes, transform: int) -> bytes:
    """With another colour transform in Adobe's marker: 0 is CMYK, 2 is YCCK."""
    at = data.index(b"Adobe") + 11
    return data[:at] + bytes([transform]) + data[at + 1 :]


def test_cmyk_jpeg_is_inverted_as_adobe_writes_it() -> None:
    flat = Image.new("CMYK", (SIDE, SIDE), (0, 128, 255, 64))
    data = encode(flat, "JPEG", quality=100)
    assert b"Adobe" in data
    assert np.abs(pixels(data) - [191, 95, 0]).max() <= 3


def test_ycck_jpeg() -> None:
    # Adobe's YCCK holds cyan, magenta and yellow as if they were R, G and B. Pillow inverts what it writes.
    inks = Image.new("RGB", (SIDE, SIDE), (55, 195, 225)).convert("YCbCr")
    y, cb, cr = (band.point(lambda level: 255 - level) for band in inks.split())
    planes = Image.merge("CMYK", [y, cb, cr, Image.new("L", inks.size, 0)])
    assert np.abs(pixels(adobe(encode(planes, "JPEG", quality=100), 2)) - [200, 60, 30]).max() <= 4


def test_ycbcr_tiff() -> None:
    flat = Image.new("YCbCr", (SIDE, SIDE), (81, 90, 240))
    expected = np.asarray(flat.convert("RGB"))
    for compression in ("jpeg", "tiff_lzw"):
        assert np.abs(pixels(encode(flat, "TIFF", compression=compression)) - expected).max() <= 3


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((255, 0, 0), (255, 255, 255)),
        ((0, 0, 0), (0, 0, 0)),
        ((138, 81, 70), (255, 0, 0)),
        ((75, 68, -112), (0, 0, 255)),
    ],
)
def test_lab_tiff(lab: tuple[int, int, int], rgb: tuple[int, int, int]) -> None:
    # CIE L*a*b* as TIFF 6.0 section 23 stores it: L of 255, a and b signed; under D50.
    levels = np.broadcast_to(np.array(lab).astype(np.uint8), (SIDE, SIDE, 3))
    got = pixels(tiff(levels, {258: (8, 8, 8), 262: 8, 277: 3}))
    assert np.abs(got - rgb).max() <= 24  # the darkest channels, through sRGB's gamma, magnify the rounding of a and b


# -- ICC profiles


def wide_gamut() -> bytes:
    """An RGB profile with red and green exchanged: whoever ignores it is wrong by far."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name in (b"rTRC", b"gTRC"):
        assert name in profile
    count = struct.unpack_from("!I", profile, 128)[0]
    entries = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    description = profile.find("sRGB".encode("utf-16-be"))
    profile[description : description + 8] = "test".encode("utf-16-be")
    return bytes(profile)


def icc(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 2 (ICC.1:2001-04) for a display, written by hand."""
    title = name.encode() + b"\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack("!I", len(title)) + title + bytes(78), **tags}
    tags |= {b"wtpt": xyz(0.9642, 1.0, 0.8249), b"cprt": b"text\0\0\0\0none\0"}
    header = b"\0" * 8 + b"\x02\x10\0\0mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    header += xyz(0.9642, 1.0, 0.8249)[8:] + b"\0" * 48
    start, table, body = 132 + 12 * len(tags), struct.pack("!I", len(tags)), b""
    for tag, value in tags.items():
        table += tag + struct.pack("!II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    whole = header[4:] + table + body
    return struct.pack("!I", 4 + len(whole)) + whole


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack("!3i", *(round(value * 65536) for value in values))


def curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack("!IH", 1, round(gamma * 256)) + b"\0\0"


def rgb_profile(name: str, gamma: float) -> bytes:
    """With the primaries of sRGB under D50."""
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(gamma))
    primaries = {
        b"rXYZ": xyz(0.4360, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7139),
    }
    return icc(b"RGB ", name, primaries | curves)


def gray_profile(gamma: float) -> bytes:
    return icc(b"GRAY", "gray", {b"kTRC": curve(gamma)})


def srgb_curve(linear: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1, of levels from 0 to 255."""
    share = linear / 255
    return 255 * np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)


def test_an_embedded_profile_is_honoured() -> None:
    image = Image.new("RGB", (SIDE, SIDE), (250, 10, 120))
    got = pixels(encode(image, "PNG", icc_profile=wide_gamut()))
    assert np.abs(got - [10, 250, 120]).max() <= 2


@pytest.mark.parametrize("name", ["GIMP built-in Linear sRGB", "linear"])
def test_a_profile_is_known_by_what_it_does_not_by_its_name(name: str) -> None:
    got = pixels(encode(Image.fromarray(COLOURS), "PNG", icc_profile=rgb_profile(name, 1.0)))
    assert np.abs(got - srgb_curve(COLOURS)).max() <= 2


@pytest.mark.parametrize("name", ["c2", "sRGB"])
def test_what_is_srgb_but_for_rounding_changes_nothing(name: str) -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    description = profile.find("sRGB".encode("utf-16-be"))
    profile[description : description + 8] = name.ljust(4).encode("utf-16-be")
    assert np.array_equal(pixels(encode(Image.fromarray(COLOURS), "PNG", icc_profile=bytes(profile))), COLOURS)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "L with a transparent level"])
def test_a_gray_profile_is_honoured_with_and_without_alpha(mode: str) -> None:
    image = Image.fromarray(RAMP)
    options: dict[str, Any] = {"icc_profile": gray_profile(4.0)}
    expected = srgb_curve(255 * (RAMP / 255) ** 4)
    if mode == "1":
        image, expected = image.convert("1"), np.asarray(image.convert("1").convert("L"), dtype=float)
    elif mode == "LA":
        image.putalpha(Image.fromarray(RAMP).point(lambda level: 255 if level < 200 else 0))
        expected[RAMP >= 200] = 255
    elif mode != "L":
        options["transparency"] = 77
        expected[RAMP == 77] = 255
    assert np.abs(pixels(encode(image, "PNG", **options)) - gray(expected)).max() <= 2


def test_a_gray_profile_is_honoured_with_premultiplied_alpha() -> None:
    image = Image.new("LA", (SIDE, SIDE), (60, 255)).convert("La")
    image.info["icc_profile"] = gray_profile(1.0)
    assert np.abs(fit_image(image, Input(SIDE, "squeeze")) - srgb_curve(np.array(60))).max() <= 2


def test_a_profile_of_many_megabytes_is_honoured() -> None:
    image = Image.new("RGB", (SIDE, SIDE), (250, 10, 120))
    got = pixels(encode(image, "TIFF", icc_profile=wide_gamut() + bytes(5 << 20)))
    assert np.abs(got - [10, 250, 120]).max() <= 2


def test_srgb_is_left_as_it_is() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(pixels(encode(Image.fromarray(COLOURS), "PNG", icc_profile=profile)), COLOURS)


@pytest.mark.parametrize("profile", [b"nonsense", wide_gamut()[:300]])
def test_a_damaged_profile_changes_nothing(profile: bytes) -> None:
    assert np.array_equal(pixels(encode(Image.fromarray(COLOURS), "PNG", icc_profile=profile)), COLOURS)


def test_a_profile_of_another_colour_space_changes_nothing() -> None:
    data = encode(Image.fromarray(RAMP), "PNG", icc_profile=wide_gamut())
    assert np.array_equal(pixels(data), gray(RAMP))
