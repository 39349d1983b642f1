"""A camera's RAW file: the largest JPEG in it, which the camera made of it, and what its EXIF says.

Most are TIFF files (TIFF 6.0; DNG 1.7) whose directories name their previews; of the others, and where that leads
nowhere, any JPEG whose header makes sense is looked for. What the sensor saw is not developed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from lookalike.errors import PictureError
from lookalike.images import jpeg

_OF_MAKERS = "3fr arw cr2 cr3 dcr dng erf fff iiq kdc mef mos nef nrw orf pef raf rw2 rwl sr2 srf srw"
ENDINGS = frozenset(_OF_MAKERS.split())
"""Of the files that are read, in lower case."""

MAGIC = (b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW", b"IIII")
"""How those begin that are no TIFF files: of Panasonic, Olympus, Fujifilm, Phase One; CR3 is known by its brand."""

_TIFF = (b"II*\0", b"MM\0*")
_COMPRESSION, _PHOTOMETRIC, _OFFSETS, _COUNTS, _SUB, _DNG = 259, 262, 273, 279, 330, 50706
_JPEG_AT, _JPEG_LENGTH = 513, 514
_JPEGS = (6, 7)  # compressions
_SENSOR = (32803, 34892)  # photometric interpretations: a colour filter's samples, linear ones
_MAKERS = (32767, 32769, 32770, 34713, 65000, 65535)  # compressions of Sony, Epson, Samsung, Nikon, Kodak, Pentax
_TAGS = frozenset([_COMPRESSION, _PHOTOMETRIC, _OFFSETS, _COUNTS, _SUB, _DNG, _JPEG_AT, _JPEG_LENGTH])
_SIZES = {1: 1, 3: 2, 4: 4, 13: 4}  # bytes of a value, by type: BYTE, SHORT, LONG, IFD

_MOST_DIRECTORIES, _MOST_ENTRIES, _MOST_VALUES = 64, 1000, 16
_MOST_FOUND = 256  # beginnings of JPEGs, which noise has by chance, too
_ENOUGH = 1_000_000  # pixels
_EXIF_BYTES = 1 << 20

Directory = Mapping[int, list[int]]
Order = Literal["little", "big"]


def is_raw(data: bytes) -> bool:
    """Whether a file that begins as a TIFF is a camera's RAW file: its directories speak of a sensor."""
    if data[8:10] == b"CR":  # CR2
        return data.startswith(_TIFF)
    for directory in _directories(data):
        kind = (directory.get(_PHOTOMETRIC, [0])[0] in _SENSOR) or (directory.get(_COMPRESSION, [0])[0] in _MAKERS)
        if kind or _DNG in directory:
            return True
    return False


def preview(data: bytes) -> tuple[bytes, bytes | None]:
    """The largest JPEG in a RAW file, from its beginning on, and the file's EXIF where that is not in the JPEG.

    Raises:
        PictureError: none is in it.
    """
    named = [at for directory in _directories(data) for at in _jpegs(directory)]
    pixels, at = _largest(data, named)
    if pixels < _ENOUGH:  # the notes of a maker may name a larger one, each in its own way
        pixels, at = _largest(data, [*named, *_beginnings(data)])
    if not pixels:
        raise PictureError("a camera's RAW file without a preview that can be read; export it as JPEG or TIFF")
    return data[at:], _exif(data)


def _largest(data: bytes, places: list[int]) -> tuple[int, int]:
    """The pixels of the largest JPEG of those at some places that are one, and where it begins; 0, 0 where none is."""
    headers = {at: header for at in places if (header := jpeg.header(data, at))}
    return max(((header.width * header.height, at) for at, header in headers.items()), default=(0, 0))


def _beginnings(data: bytes) -> Iterator[int]:
    at = data.find(b"\xff\xd8\xff")
    for _ in range(_MOST_FOUND):
        if at < 0:
            return
        yield at
        at = data.find(b"\xff\xd8\xff", at + 2)


def _jpegs(directory: Directory) -> list[int]:
    """Where JPEGs begin that a directory names."""
    places = list(directory.get(_JPEG_AT, []))
    if directory.get(_COMPRESSION, [0])[0] in _JPEGS and directory.get(_PHOTOMETRIC, [0])[0] not in _SENSOR:
        places += directory.get(_OFFSETS, [])[:1]
    return places


def _directories(data: bytes) -> Iterator[Directory]:
    """The directories of a TIFF file, and those below them, each once, as far as they lie in it."""
    order = _order(data)
    if order is None:
        return
    pending, seen = [int.from_bytes(data[4:8], order)], set[int]()
    while pending and len(seen) < _MOST_DIRECTORIES:
        at = pending.pop(0)
        count = int.from_bytes(data[at : at + 2], order)
        end = at + 2 + 12 * count
        if at in seen or at < 8 or not 0 < count <= _MOST_ENTRIES or end > len(data):
            continue
        seen.add(at)
        entries = (_values(data, entry, order) for entry in range(at + 2, end, 12))
        directory = {tag: values for tag, values in entries if tag in _TAGS and values}
        yield directory
        pending += [int.from_bytes(data[end : end + 4], order), *directory.get(_SUB, [])]


def _values(data: bytes, entry: int, order: Order) -> tuple[int, list[int]]:
    """The tag of an entry with its values; none where they are of another type, or lie beyond the end."""
    tag, kind = (int.from_bytes(data[at : at + 2], order) for at in (entry, entry + 2))
    count = int.from_bytes(data[entry + 4 : entry + 8], order)
    size = _SIZES.get(kind, 0)
    if tag not in _TAGS or not size or count > _MOST_VALUES:
        return tag, []
    at = entry + 8
    if size * count > 4:
        at = int.from_bytes(data[at : at + 4], order)
    if at + size * count > len(data):
        return tag, []
    return tag, [int.from_bytes(data[at + i * size : at + (i + 1) * size], order) for i in range(count)]


def _order(data: bytes) -> Order | None:
    """The order of bytes of a TIFF file, or one in all but its number."""
    if not data.startswith((*_TIFF, *MAGIC[:4])):
        return None
    return "little" if data[:2] == b"II" else "big"


def _exif(data: bytes) -> bytes | None:
    """EXIF as in a JPEG, of a file that is a TIFF but for its number, or of CR3's box of it."""
    if (order := _order(data)) is not None:
        magic = _TIFF[order == "big"]
        return b"Exif\0\0" + magic + data[4 : _EXIF_BYTES - 6]
    box = data.find(b"CMT1", 0, _EXIF_BYTES) + 4
    if box >= 4 and data[box : box + 4] in _TIFF:
        return b"Exif\0\0" + data[box : box + (64 << 10)]
    return None
