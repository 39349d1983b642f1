"""Dates that phones, cameras and messengers write into names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.name_date import date_in
from tests.collection.conftest import Draw
from tests.images.test_exif import encode, exif


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("IMG_20240105_123045.jpg", "2024-01-05T12:30:45"),
        ("IMG_20240105_123045_HDR.jpg", "2024-01-05T12:30:45"),
        ("IMG_20240105.jpg", "2024-01-05"),
        ("VID_20240105_123045.mp4", "2024-01-05T12:30:45"),
        ("PXL_20240105_123456789.jpg", "2024-01-05T12:34:56"),
        ("PXL_20240105_123456789.MP.jpg", "2024-01-05T12:34:56"),
        ("MVIMG_20190412_101112.jpg", "2019-04-12T10:11:12"),
        ("20240105_123045.jpg", "2024-01-05T12:30:45"),
        ("BURST20240105123045.jpg", "2024-01-05T12:30:45"),
        ("WIN_20240105_12_30_45_Pro.jpg", "2024-01-05T12:30:45"),
        ("Screenshot_20240105-123045_Chrome.jpg", "2024-01-05T12:30:45"),
        ("Screenshot_2024-01-05-12-30-45.png", "2024-01-05T12:30:45"),
        ("Screenshot_2024-01-05-12-30-45-123_com.app.png", "2024-01-05T12:30:45"),
        ("Screenshot 2024-01-05 at 12.30.45.png", "2024-01-05T12:30:45"),
        ("Screen Shot 2019-01-05 at 3.04.05 PM.png", "2019-01-05T15:04:05"),
        ("Screenshot 2024-01-05 at 12.04.05\u202fAM.png", "2024-01-05T00:04:05"),
        ("Screenshot from 2024-01-05 12-30-45.png", "2024-01-05T12:30:45"),
        ("2024-01-05 12.30.45.jpg", "2024-01-05T12:30:45"),
        ("2024-01-05 12.30.45-1.jpg", "2024-01-05T12:30:45"),
        ("WhatsApp Image 2024-01-05 at 12.30.45 (1).jpeg", "2024-01-05T12:30:45"),
        ("IMG-20240105-WA0001.jpg", "2024-01-05"),
        ("signal-2024-01-05-123045.jpg", "2024-01-05T12:30:45"),
        ("photo_2024-01-05_12-30-45.jpg", "2024-01-05T12:30:45"),
        ("2024-01-05 party.jpg", "2024-01-05"),
        ("IMG_20240105_993045.jpg", "2024-01-05"),  # no time of day
        ("IMG_20240230_123045.jpg", None),  # no day
        ("IMG_20241305_123045.jpg", None),
        ("IMG_19890105_123045.jpg", None),  # no digital camera
        ("IMG_1234.jpg", None),
        ("20240105.jpg", None),  # any number
        ("P20240105.jpg", None),
        ("FB_IMG_1704450645000.jpg", None),
        ("12320240105_123045.jpg", None),
        ("", None),
    ],
)
def test_the_date_in_a_name(name: str, taken: str | None) -> None:
    date = date_in(name)
    assert (date and date.taken) == taken
    if date:
        assert date.taken.startswith(f"{date.year}-{date.month:02}-{date.day:02}")


def test_the_future_is_no_date() -> None:
    year = datetime.now(UTC).year
    assert date_in(f"IMG_{year + 1}0105_123045.jpg")
    assert date_in(f"IMG_{year + 2}0105_123045.jpg") is None


def test_a_name_dates_what_has_no_exif(tmp_path: Path, draw: Draw) -> None:
    folder = tmp_path / "photos"
    named = draw(folder / "IMG_20240105_123045.png", seed=1)
    copy = folder / "Screenshot_2021-02-03-04-05-06.png"
    copy.write_bytes(named.read_bytes())  # the same bytes, to be dated by its own name
    plain = draw(folder / "plain.png", seed=2)
    both = folder / "IMG-20200101-WA0001.jpg"
    both.write_bytes(encode(exif({}, {0x9003: "2018:06:07 08:09:10"})))
    with Collection.open(folder) as collection:
        collection.sync()
        facts = collection.facts(named)
        assert {name: facts[name] for name in ("taken", "year", "month", "day", "taken_from")} == {
            "taken": "2024-01-05T12:30:45",
            "year": 2024,
            "month": 1,
            "day": 5,
            "taken_from": "name",
        }
        assert (collection.facts(copy)["year"], collection.facts(copy)["taken_from"]) == (2021, "name")
        assert collection.facts(plain).keys().isdisjoint({"taken", "year", "taken_from"})
        facts = collection.facts(both)
        assert (facts["taken"], facts["year"], facts["taken_from"]) == ("2018-06-07T08:09:10", 2018, "EXIF")

        assert collection.paths("year = 2024") == [str(named)]
        assert collection.paths("year = 2018 and taken_from = 'EXIF'") == [str(both)]
        assert set(collection.paths("taken_from = 'name'")) == {str(named), str(copy)}
        assert collection.paths("taken is missing") == [str(plain)]
        collection.describe({str(named): {"taken": "1999-12-31"}})
        assert collection.facts(named)["taken_from"] == "given"
        assert collection.paths("taken_from = 'given'") == [str(named)]

        copy.rename(folder / "IMG_20220203_040506.png")  # the name is the file's, not the content's
        collection.sync()
        assert [Path(path).name for path in collection.paths("year = 2022")] == ["IMG_20220203_040506.png"]
        assert collection.paths("year = 2021") == []
