"""What a camera wrote beside the pixels: EXIF 2.32, as far as one looks for pictures by it.

EXIF is written by anyone: what is not as the standard says is left out, and nothing in it fails a picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lookalike.images.facts import Fact, one_line
from lookalike.images.formats import DAMAGE

if TYPE_CHECKING:
    from PIL import Image

_BLOCK = 1 << 20  # bytes of EXIF that are looked at; cameras write up to 64 KiB

_MAKE, _MODEL, _DATE_TIME = 0x010F, 0x0110, 0x0132
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_ORIGINAL, _DIGITIZED, _LENS = 0x9003, 0x9004, 0xA434
_LATITUDE, _LONGITUDE = (1, 2, 90), (3, 4, 180)  # the tags of N or S and of degrees, minutes and seconds; the most
_TAKEN = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


def exif_facts(image: Image.Image) -> dict[str, Fact]:
    """The facts in the EXIF of a loaded picture, by the names of `facts.FACTS`; as many as are there and make sense."""
    if len(image.info.get("exif") or b"") > _BLOCK:
        return {}
    exif = _sound(image.getexif)
    if not exif:
        return {}
    make, model, changed = (_sound(exif.get, tag) for tag in (_MAKE, _MODEL, _DATE_TIME))
    detail, place = (_sound(exif.get_ifd, tag) or {} for tag in (_EXIF_IFD, _GPS_IFD))
    # an editor writes the time of its last change too: it is a camera's only where there is one
    dates = [detail.get(_ORIGINAL), detail.get(_DIGITIZED), changed if make or model else None]
    facts: dict[str, Fact] = {}
    if moment := next(filter(None, map(_moment, dates)), None):
        facts |= {"taken": moment.isoformat(), "year": moment.year, "month": moment.month, "day": moment.day}
    if camera := _camera(_text(make), _text(model)):
        facts["camera"] = camera
    if lens := _text(detail.get(_LENS)):
        facts["lens"] = lens
    latitude, longitude = _degrees(place, *_LATITUDE), _degrees(place, *_LONGITUDE)
    if latitude is not None and longitude is not None:
        facts |= {"latitude": latitude, "longitude": longitude}
    return facts


def _sound(read: Callable[..., Any], *tag: int) -> Any:
    """What Pillow reads; None where it is damaged."""
    try:
        return read(*tag)
    except DAMAGE:
        return None


def _moment(value: object) -> datetime | None:
    match = _TAKEN.match(_text(value))
    try:
        return datetime(*map(int, match.groups())) if match else None  # type: ignore[arg-type]  # six numbers
    except ValueError:  # 0000:00:00, as of a clock that was never set
        return None


def _text(value: object) -> str:
    """Text up to its NUL; empty where there is none."""
    if isinstance(value, str):  # Pillow takes every byte for a character of Latin-1
        value = value.encode("latin-1" if max(value, default="") <= "\xff" else "utf-8", "ignore")
    if not isinstance(value, bytes):
        return ""
    value = value.partition(b"\0")[0]
    try:
        return one_line(value.decode())
    except UnicodeDecodeError:
        return one_line(value.decode("latin-1"))


def _camera(make: str, model: str) -> str:
    """Maker and model, without saying `Canon` twice."""
    first = make.partition(" ")[0]
    if not model or model.casefold().startswith(first.casefold()):
        return model or make
    return one_line(f"{make} {model}")


def _degrees(place: Mapping[int, Any], side_tag: int, value_tag: int, most: int) -> float | None:
    side = _text(place.get(side_tag)).upper()
    try:
        degrees, minutes, seconds = (float(part) for part in place[value_tag])
    except DAMAGE:  # missing, of another shape, or a fraction of 0
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if side not in ("N", "S", "E", "W") or (side in ("N", "S")) != (most == 90) or not 0 <= total <= most:
        return None  # NaN is not either
    return round(-total if side in ("S", "W") else total, 7)
