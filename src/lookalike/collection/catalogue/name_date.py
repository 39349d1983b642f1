"""When a picture was taken, as phones, cameras and messengers write it into its name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import NamedTuple

_FIRST = 1990  # no camera wrote names before

_DAY = re.compile(r"(?<![0-9])([12][0-9]{3})([-_.]?)([01][0-9])\2([0-3][0-9])")
_TIME = re.compile(
    r"(?P<joint>[-_T ]| at |, )?(?P<hour>[0-9]{1,2})([-_.:]?)(?P<minute>[0-5][0-9])\3(?P<second>[0-5][0-9])"
    r"(?:[0-9]{3})?(?![0-9])(?:\s?(?P<half>[AP])\.?M\b)?",
    re.IGNORECASE,
)
# what stands before eight digits that are a day, also without a time
_APP = re.compile(
    r"(?:^|[^A-Za-z])(?:IMG|VID|PXL|MVIMG|PANO|BURST|DSC|WIN|WP|Screenshots?|signal|photo|image|video|scan)[-_ ]?$",
    re.IGNORECASE,
)


class Date(NamedTuple):
    """A day, with the time as far as it is known.

    Attributes:
        taken: in ISO 8601: 2024-01-05T12:30:45, or 2024-01-05.
    """

    taken: str
    year: int
    month: int
    day: int


@lru_cache(maxsize=1024)  # of one name several facts are made
def date_in(name: str) -> Date | None:
    """The first plausible date in a name: one of the calendar, from 1990 to next year, written as such.

        >>> date_in("PXL_20240105_123045678.jpg")
        Date(taken='2024-01-05T12:30:45', year=2024, month=1, day=5)

    Eight digits in a row are one only behind a word such as IMG, or before a time.
    """
    for match in _DAY.finditer(name):
        day, time = _day(match), _TIME.match(name, match.end())
        if day is None or (time is None and name[match.end() : match.end() + 1].isdecimal()):
            continue
        if match[2] or (time and time["joint"]) or _APP.search(name, 0, match.start()):
            return Date(f"{day}{_clock(time) if time else ''}", day.year, day.month, day.day)
    return None


def _day(match: re.Match[str]) -> date | None:
    year = int(match[1])
    try:
        return date(year, int(match[3]), int(match[4])) if _FIRST <= year <= _last() else None
    except ValueError:  # 30 February
        return None


@cache
def _last() -> int:
    """Next year: a clock may be ahead."""
    return datetime.now(UTC).year + 1


def _clock(time: re.Match[str]) -> str:
    """T12:30:45, or nothing where it is no time of a day."""
    hour, half = int(time["hour"]), (time["half"] or "").upper()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + 12 * (half == "P")
    elif half or len(time["hour"]) == 1 or hour > 23:
        return ""
    return f"T{hour:02}:{time['minute']}:{time['second']}"
