"""What is read of EXIF, and that nothing in it fails a picture."""

from __future__ import annotations

import os
import random
import struct
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from lookalike.fitting import Input
from lookalike.images.decode import decode_square
from lookalike.images.facts import FACTS, FACTS_BYTES, pack, unpack
from lookalike.images.pool import DecoderPool, Loaded

MAKE, MODEL, CHANGED, ORIGINAL, DIGITIZED, LENS = 0x010F, 0x0110, 0x0132, 0x9003, 0x9004, 0xA434
DETAIL, PLACE = 0x8769, 0x8825
SYDNEY = {1: "S", 2: (33.0, 51.0, 24.5), 3: "E", 4: (151.0, 12.0, 0.0)}
TAKEN = {"taken": "2024-05-17T09:30:00", "year": 2024, "month": 5, "day": 17}


def exif(main: dict[int, Any], detail: dict[int, Any] | None = None, place: dict[int, Any] | None = None) -> bytes:
    made = Image.Exif()
    for tag, value in main.items():
        made[tag] = value
    made.get_ifd(DETAIL).update(detail or {})
    made.get_ifd(PLACE).update(place or {})
    return made.tobytes()


def encode(block: bytes | Image.Exif, kind: str = "JPEG", **options: Any) -> bytes:
    file = BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, kind, exif=block, **options)
    return file.getvalue()


def facts(block: bytes | Image.Exif, kind: str = "JPEG") -> dict[str, Any]:
    return dict(decode_square(encode(block, kind), Input(8, "squeeze")).facts)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_format_that_has_it(kind: str) -> None:
    block = exif(
        {MAKE: "NIKON CORPORATION", MODEL: "NIKON D90"},
        {ORIGINAL: "2024:05:17 09:30:00", LENS: "AF-S 18-105mm"},
        SYDNEY,
    )
    whole = Image.Exif()
    whole.load(block)  # as TIFF takes it
    assert facts(whole if kind == "TIFF" else block, kind) == {
        **TAKEN,
        "camera": "NIKON D90",
        "lens": "AF-S 18-105mm",
        "latitude": -33.8568056,
        "longitude": 151.2,
    }


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("Apple", "", "Apple"),
        ("", "X100", "X100"),
        ("  Canon \n", "\tEOS\x07 5D ", "Canon EOS 5D"),
        ("Canon\0\0junk", "EOS", "Canon EOS"),
        ("K\xc3\xb6ln".encode("latin-1"), "1", "Köln 1"),
        ("K\xf6ln".encode("latin-1"), "1", "Köln 1"),
        ("\u202egnp", "1", "gnp 1"),
        ("x" * 5000, "y", "x" * 100),
        ("\0", " ", None),
    ],
)
def test_a_camera_is_one_line(make: str | bytes, model: str, camera: str | None) -> None:
    if "\u202e" in str(make):
        make = str(make).encode()
    assert facts(exif({MAKE: make, MODEL: model})).get("camera") == camera


@pytest.mark.parametrize(
    ("main", "detail", "taken"),
    [
        ({}, {ORIGINAL: "2024:05:17 09:30:00", DIGITIZED: "2025:01:01 00:00:00"}, "2024-05-17T09:30:00"),
        ({}, {ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: "2025:01:01 00:00:00"}, "2025-01-01T00:00:00"),
        ({}, {ORIGINAL: "2024-05-17T09:30:00+02:00"}, "2024-05-17T09:30:00"),
        ({MAKE: "Canon", CHANGED: "2003:01:01 00:00:00"}, {}, "2003-01-01T00:00:00"),
        ({CHANGED: "2003:01:01 00:00:00"}, {}, None),
        ({}, {ORIGINAL: "    :  :     :  :  "}, None),
        ({}, {ORIGINAL: "2023:02:30 00:00:00"}, None),
        ({}, {ORIGINAL: "2024:05:17 25:30:00"}, None),
        ({}, {ORIGINAL: "yesterday"}, None),
        ({}, {ORIGINAL: ""}, None),
    ],
)
def test_when_it_was_taken(main: dict[int, Any], detail: dict[int, Any], taken: str | None) -> None:
    assert facts(exif(main, detail)).get("taken") == taken


NOWHERE = IFDRational(0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {1: "X"}, {1: "E"}, {3: "N"}, {2: (91.0, 0.0, 0.0)}, {4: (180.0, 0.0, 1.0)}, {2: (33.0, 51.0)},
        {2: (NOWHERE, NOWHERE, NOWHERE)}, {4: (151.0, NOWHERE, 0.0)},
    ],
)  # fmt: skip
def test_a_place_is_whole_and_on_earth_or_left_out(change: dict[int, Any]) -> None:
    assert "latitude" in facts(exif({}, {}, SYDNEY))
    found = facts(exif({MODEL: "X100"}, {ORIGINAL: "2024:05:17 09:30:00"}, SYDNEY | change))
    assert found == TAKEN | {"camera": "X100"}, "the rest stays"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_any_damage_leaves_the_picture(kind: str) -> None:
    whole = exif({MAKE: "Canon", MODEL: "EOS"}, {ORIGINAL: "2024:05:17 09:30:00", LENS: "lens"}, SYDNEY)
    dice = random.Random(3)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(dice.choice([1, 1, 3, 20])):
            damaged[dice.randrange(6, len(damaged))] = dice.choice([0, 1, 255, dice.randrange(256)])
        cut = bytes(damaged[: dice.choice([len(damaged), dice.randrange(10, len(damaged))])])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as the children do
            square = decode_square(encode(cut, kind), Input(8, "squeeze"))
        assert unpack(pack(square.facts)) == square.facts
        assert len(pack(square.facts)) <= FACTS_BYTES


def test_directories_that_point_at_themselves_end() -> None:
    entries = [(DETAIL, 4, 1, 8), (PLACE, 4, 1, 8)]
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 2) + b"".join(struct.pack(">HHII", *e) for e in entries)
    assert facts(block + b"\0\0\0\x08" + b"\0" * 40) == {}


def test_a_huge_block_is_not_looked_at(tmp_path: Path) -> None:
    block = exif({MODEL: "X100"}) + bytes(2 << 20)
    assert facts(block, "PNG") == {}


def test_the_largest_facts_pass_the_wire(tmp_path: Path) -> None:
    name = "\U0001f600" * 200
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(exif({MODEL: name.encode()}, {ORIGINAL: "2024:05:17 09:30:00", LENS: b'"' * 200}, SYDNEY)))
    with DecoderPool(1) as pool:
        (picture,) = pool.load([os.fspath(path)], Input(8, "squeeze"))
    assert isinstance(picture, Loaded)
    assert picture.facts.keys() == FACTS.keys() - {"media", "pages", "damaged"}  # which take no 60 bytes
    assert picture.facts["camera"] == "\U0001f600" * 100
    assert len(pack(picture.facts)) < FACTS_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"3", b'{"year": "2024"}', b'{"year": true}', b'{"year": 10000}', b'{"evil": 1}', b'{"camera": ""}',
        b'{"camera": "a\\u0000"}', b'{"camera": "a\\nb"}', b'{"camera": "\\ud800"}', b'{"latitude": NaN}',
        b'{"latitude": 1}', b'{"latitude": 1e999}', b"\xff", b"[" * 60_000, b'{"camera": "' + b"x" * 101 + b'"}',
    ],
)  # fmt: skip
def test_what_a_child_must_not_say(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any of json's and ours)
        unpack(data)


def test_a_child_that_speaks_nonsense_costs_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change: Callable[..., bytes] = lambda _: b"{nonsense"  # noqa: E731
    from lookalike.images import wire

    path = tmp_path / "a.jpg"
    path.write_bytes(encode(exif({MODEL: "X100"})))
    monkeypatch.setattr(wire, "unpack", lambda data: unpack(change(data)))
    with DecoderPool(1) as pool:
        (picture,) = pool.load([os.fspath(path)], Input(8, "squeeze"))
    assert picture == (os.fspath(path), "its decoder gave an answer that makes no sense")
