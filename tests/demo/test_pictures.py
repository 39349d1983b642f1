"""The shipped pictures: all there, all credited, small, and none that a decoder refuses."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

from lookalike import demo
from lookalike.fitting import Input
from lookalike.images.decode import decode

PICTURES = Path(demo.folder())
FILES = sorted(path.relative_to(PICTURES).as_posix() for path in PICTURES.rglob("*") if path.is_file())


def credits() -> list[dict[str, str]]:
    table = PICTURES.parent / "AUTHORS.tsv"
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_picture_is_credited_and_every_credit_has_its_picture() -> None:
    rows = credits()
    assert [row["picture"] for row in rows] == FILES
    assert len({row["origin"] for row in rows}) == len(rows)
    for row in rows:
        assert row["author"], row
        assert row["licence"] == "Public Domain", row


def test_a_few_hundred_pictures_in_many_kinds_and_about_two_megabytes() -> None:
    kinds = Counter(os.path.dirname(name) for name in FILES)
    assert 300 <= len(FILES) <= 420
    assert len(kinds) >= 40
    assert min(kinds.values()) >= 4
    assert sum((PICTURES / name).stat().st_size for name in FILES) < 2_200_000


def test_formats_are_mixed_so_that_the_demo_exercises_the_decoder() -> None:
    suffixes = Counter(os.path.splitext(name)[1] for name in FILES)
    assert set(suffixes) == {".gif", ".jpg", ".png", ".webp"}
    assert min(suffixes.values()) >= 10


def test_each_decodes_and_is_not_blank() -> None:
    for name in FILES:
        pixels, width, height = decode((PICTURES / name).read_bytes(), Input(64, "squeeze"))
        assert max(width, height) <= 192, name
        assert min(width, height) >= 24, name
        assert pixels.std() > 8, f"{name} is nearly blank"


def test_queries_are_pictures_of_the_set_each_of_its_own_kind() -> None:
    assert 4 <= len(demo.QUERIES) <= 6
    assert set(demo.QUERIES) <= set(FILES)
    assert all(os.path.isfile(path) for path in demo.queries())
    assert len({os.path.dirname(query) for query in demo.QUERIES}) == len(demo.QUERIES)
