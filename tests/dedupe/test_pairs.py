"""The hard pairs: what they are made of holds what it says; and, in a short form, what is said of them.

The whole table is `python -m tests.dedupe.pairs`: docs/dedupe.md.
"""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lookalike.images.compare.verdict import Region, Verdict

from ..conftest import Require
from .pairs import end_to_end
from .pairs.judge import by_pixels
from .pairs.pair import SORTS, File, Pair, Sort, holds, proposed
from .pairs.sources import held_out, missing, sources
from .pairs.table import measured, pairs_of, table, written

DIFFERENT = [sort for sort in SORTS if not sort.copies]
COPIES = [sort for sort in SORTS if sort.copies and sort.counted]


def pixels(file: File) -> np.ndarray:
    with Image.open(io.BytesIO(file.data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGBA"), int)


def test_a_third_is_held_out_and_shared_by_no_other_part() -> None:
    names = [f"source {number}" for number in range(3000)]
    assert 900 < sum(map(held_out, names)) < 1100
    for material in ("photo", "drawing", "video", "stereo"):
        tuning, kept, every = (sources(material, part) for part in ("tuning", "held-out", "all"))
        assert {source.name for source in tuning}.isdisjoint(source.name for source in kept)
        assert len(tuning) + len(kept) == len(every)


def test_pairs_are_the_same_at_every_call() -> None:
    for sort in DIFFERENT[::14]:
        once, again = (list(islice(pairs_of(sort, "tuning", 1), 1)) for _ in range(2))
        assert once == again
    assert list(islice(pairs_of(DIFFERENT[0], "tuning", 1), 1)) != list(islice(pairs_of(DIFFERENT[0], "tuning", 2), 1))


def test_pictures_of_the_same_pixels_have_them() -> None:
    for sort in COPIES:
        for _name, pair in islice(pairs_of(sort, "tuning", 3), 1 if sort.name.startswith("same pixels") else 0):
            assert pair.one.data != pair.other.data
            assert np.array_equal(pixels(pair.one), pixels(pair.other))


def test_what_is_proposed_and_named_rightly() -> None:
    file = File(b"", ".png")
    assert [proposed(Verdict(kind)) for kind in ("same pixels", "altered", "edited")] == [True, False, False]
    assert [proposed(Verdict(kind), edited=True) for kind in ("altered", "edited", "different")] == [True, False, False]
    assert Pair(file, file).named(Verdict("edited"))
    assert not Pair(file, file).named(Verdict("altered", ("cropped",)))
    turned = Pair(file, file, (Verdict("altered", ("rotated", "cropped")),))
    assert turned.named(Verdict("altered", ("cropped", "rotated")))
    assert not turned.named(Verdict("altered", ("rotated",)))


def test_a_box_holds_an_edit_if_it_is_there_and_not_everywhere() -> None:
    edit = Region(0.1, 0.1, 0.3, 0.2)
    assert holds(Region(0.09, 0.09, 0.31, 0.22), edit)
    assert not holds(Region(0.2, 0.1, 0.3, 0.2), edit)
    assert not holds(Region(0, 0, 1, 1), edit)
    assert not holds(None, edit)


def test_the_table_counts_what_was_said(tmp_path: Path) -> None:
    def judge(one: str, other: str) -> Verdict:
        return Verdict("altered" if "00001" in one else "edited")

    keep = tmp_path / "keep"
    keep.mkdir()
    letters = next(sort for sort in SORTS if sort.name.startswith("letters"))
    (row,) = measured([letters], 3, "all", 1, judge, tmp_path, keep)
    assert (row.pairs, row.proposed, row.with_edited, row.named) == (3, 0, 1, 2)
    assert len(list(keep.iterdir())) == 2
    assert "| letters, another date | 3 |  |  | 1 | 2 |  | 0 | 1 | 66.7 % |  |" in list(table([row]))


def material(sort: Sort, require_or_skip: Require) -> None:
    """Sources of the part that may be tuned on: what is held out is for docs/dedupe.md alone."""
    if sort.material != "drawn":
        require_or_skip(sources(sort.material, "tuning"), f"needs pictures of packages: {', '.join(missing())}")


@pytest.mark.thorough
@pytest.mark.parametrize("sort", DIFFERENT, ids=lambda sort: sort.name)
def test_different_pictures_are_not_proposed(sort: Sort, tmp_path: Path, require_or_skip: Require) -> None:
    material(sort, require_or_skip)
    ((_name, pair),) = islice(pairs_of(sort, "tuning", 3), 1)
    one, other = pixels(pair.one), pixels(pair.other)
    assert one.shape != other.shape or np.abs(one - other).max() >= 16, "they are different"
    verdict = by_pixels(*written(pair, tmp_path, "pair"))
    assert not proposed(verdict, edited=True), verdict


@pytest.mark.thorough
def test_copies_are_named_rightly(tmp_path: Path, require_or_skip: Require) -> None:
    """A floor below the figure in docs/dedupe.md: there are few here."""
    for sort in COPIES:
        material(sort, require_or_skip)
    rows = list(measured(COPIES, 1, "tuning", 3, by_pixels, tmp_path, None))
    assert sum(row.pairs for row in rows) == len(COPIES)
    assert sum(row.named for row in rows) / len(COPIES) > 0.85


@pytest.mark.thorough
def test_end_to_end_a_copy_is_found_and_a_hard_pair_is_not(tmp_path: Path, require_or_skip: Require) -> None:
    sorts = [sort for sort in SORTS if sort.name in ("WebP, of drawings", "letters, another date")]
    for sort in sorts:
        material(sort, require_or_skip)
    copies, letters = end_to_end.measured(sorts, 3, "tuning", 3, tmp_path, None)
    assert (letters.pairs, letters.with_edited, letters.besides) == (3, 0, [])
    assert (copies.pairs, copies.named) == (3, 3)
