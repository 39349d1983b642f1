"""Groups among real pictures: of what kind each copy is, and which of them is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from lookalike import demo
from lookalike.collection import Collection
from lookalike.dedupe import Duplicates, Group, find_duplicates
from lookalike.dedupe.verify import NAME
from lookalike.errors import ArgumentError
from tests.archived import pack

pytestmark = pytest.mark.thorough


def names(group: Group, photos: Path) -> list[str]:
    return [os.path.relpath(file.path, photos) for file in (group.keeper, *(other.file for other in group.others))]


def groups(collection: Collection, **options: object) -> Sequence[Group]:
    return find_duplicates([collection], **options).groups  # type: ignore[arg-type]  # as they come


def looked_through(folder: Path, **options: object) -> Duplicates:
    with Collection.open(folder) as collection:
        assert collection.sync().failed == []
        return find_duplicates([collection], **options)  # type: ignore[arg-type]


def a_picture(kind: str) -> Image.Image:
    """A cut-out photograph of the demo, on white."""
    with Image.open(min(path for path in Path(demo.folder(), kind).iterdir() if path.suffix == ".jpg")) as picture:
        return picture.convert("RGB")


def test_copies_and_a_larger_one_are_one_group(collection: Collection, photos: Path) -> None:
    (group,) = groups(collection)
    assert names(group, photos) == ["large.png", "a.webp", "b.webp", "below/deep/c.webp"]
    assert [other.kind for other in group.others] == ["resized or recompressed"] * 3
    assert group.proposed == group.others
    assert group.spared == 3 * (photos / "a.webp").stat().st_size


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("largest", ["large.png", "a.webp", "b.webp", "below/deep/c.webp"]),
        ("oldest", ["a.webp", "b.webp", "below/deep/c.webp", "large.png"]),
        ("first", ["a.webp", "b.webp", "below/deep/c.webp", "large.png"]),
    ],
)
def test_who_is_kept(collection: Collection, photos: Path, keep: str, expected: list[str]) -> None:
    (group,) = groups(collection, keep=keep)
    assert names(group, photos) == expected


def test_oldest_is_by_time(collection: Collection, photos: Path) -> None:
    os.utime(photos / "b.webp", ns=(10**17, 10**17))
    collection.sync()
    (group,) = groups(collection, keep="oldest", exact_only=True)
    assert names(group, photos) == ["b.webp", "a.webp", "below/deep/c.webp"]


def test_exact_only(collection: Collection, photos: Path) -> None:
    (group,) = groups(collection, exact_only=True)
    assert names(group, photos) == ["a.webp", "b.webp", "below/deep/c.webp"]
    assert {other.kind for other in group.others} == {"identical file"}


def test_each_kind_is_named_and_only_copies_are_proposed(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = a_picture("oranges")
    width, height = picture.size
    picture.save(folder / "original.png")
    shutil.copy(folder / "original.png", folder / "identical.png")
    picture.save(folder / "same.webp", lossless=True)
    picture.resize((width * 2 // 3, height * 2 // 3)).save(folder / "small.jpg", quality=70)
    ImageOps.mirror(picture).save(folder / "mirrored.jpg", quality=90)
    picture.transpose(Image.Transpose.ROTATE_90).save(folder / "rotated.jpg", quality=90)
    picture.crop((0, 0, int(width * 0.93), height)).save(folder / "cropped.jpg", quality=90)
    ImageEnhance.Brightness(picture).enhance(0.8).save(folder / "darker.jpg", quality=90)
    ImageDraw.Draw(picture).text((width * 0.3, height * 0.45), "not for sale", fill="blue")
    picture.save(folder / "text.jpg", quality=90)
    found = looked_through(folder)
    (group,) = found.groups
    kinds = {os.path.basename(other.file.path): (other.kind, *other.changes) for other in group.others}
    assert os.path.basename(group.keeper.path) == "original.png"
    assert sorted(kinds.items()) == [
        ("cropped.jpg", ("altered", "cropped")),
        ("darker.jpg", ("altered", "recoloured")),
        ("identical.png", ("identical file",)),
        ("mirrored.jpg", ("altered", "mirrored")),
        ("rotated.jpg", ("altered", "rotated")),
        ("same.webp", ("same pixels",)),
        ("small.jpg", ("resized or recompressed",)),
        ("text.jpg", ("edited",)),
    ]
    assert {os.path.basename(each.file.path) for each in group.proposed} == {"identical.png", "same.webp", "small.jpg"}
    region = next(other.region for other in group.others if other.kind == "edited")
    assert region
    assert region.left < 0.35
    assert region.top < 0.5 < region.bottom
    (group,) = looked_through(folder, include_edited=True).groups
    assert [other.kind for other in group.others if not other.proposed] == ["edited"]


def test_different_pictures_that_a_model_takes_for_one(tmp_path: Path) -> None:
    """Two panoramas whose ends are exchanged, and a text that was changed at one place, are at distance 0."""
    folder = tmp_path / "photos"
    folder.mkdir()
    middle, left, right = (a_picture(kind).resize((600, 600)) for kind in ("oranges", "trees", "boats"))
    for name, ends in (("one", (left, right)), ("other", (right, left))):
        panorama = Image.new("RGB", (1800, 600))
        for number, part in enumerate((ends[0], middle, ends[1])):
            panorama.paste(part, (600 * number, 0))
        panorama.save(folder / f"{name}.jpg", quality=92)
    assert looked_through(folder).groups == []


def test_nearly_black_pictures_are_not_one(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(3)
    for number in range(4):
        dark = random.integers(0, 4, (300, 400, 3), dtype=np.uint8)
        Image.fromarray(dark).save(folder / f"{number}.png")
        Image.fromarray(dark).save(folder / f"{number}.jpg", quality=90)
    assert [other.kind for group in looked_through(folder).groups for other in group.proposed] == []


def test_what_was_compared_is_remembered(collection: Collection) -> None:
    first = find_duplicates([collection])
    assert first.comparison.compared > 0
    again = find_duplicates([collection])
    assert (again.comparison.compared, again.groups) == (0, first.groups)
    assert again.comparison.remembered == first.comparison.compared
    path = Path(collection.place.directory, NAME)
    path.write_bytes(path.read_bytes().replace(b"resized", b"rezised") + b"half a li")
    mended = find_duplicates([collection])
    assert mended.groups == first.groups
    assert mended.comparison.compared > 0


def test_pictures_of_an_older_catalogue_are_looked_at_first(collection: Collection) -> None:
    with collection._access.writer(0) as catalogue, catalogue.writing():
        catalogue.looks.remove(catalogue.looks.missing() or [item.id for item in catalogue.items()])
    stages: dict[str, tuple[int, int]] = {}
    found = find_duplicates([collection], progress=lambda stage, *done: stages.__setitem__(stage, done))
    assert stages["looking at pictures"] == (6, 6)
    assert len(found.groups) == 1
    assert collection.complete_looks() == {}


def test_several_folders_and_a_reference(photos: Path, tmp_path: Path) -> None:
    """A reference is kept though it is smaller, and none of its files is proposed."""
    album = tmp_path / "album"
    album.mkdir()
    shutil.copy(photos / "b.webp", album / "mine.webp")
    with Collection.open(photos) as first, Collection.open(album) as second:
        first.sync(), second.sync()
        (group,) = find_duplicates([first, second]).groups
        assert names(group, tmp_path)[0] == "photos/large.png"
        assert "album/mine.webp" in names(group, tmp_path)
        (group,) = find_duplicates([first], references=[second]).groups
        assert names(group, tmp_path)[0] == "album/mine.webp"
        assert group.keeper.reference
        assert len(group.proposed) == 4
        (group,) = find_duplicates([second], references=[first]).groups
        assert [os.path.basename(other.file.path) for other in group.proposed] == ["mine.webp"]


def test_similar_is_shown_where_asked_for(photos: Path) -> None:
    with Image.open(photos / "other.webp") as picture:
        picture.convert("RGB").rotate(4, fillcolor="white").save(photos / "tilted.png")
    assert [other.kind for group in looked_through(photos).groups for other in group.others].count("similar") == 0
    found = looked_through(photos, similar=True, within=0.2)
    similar = [other for group in found.groups for other in group.others if other.kind == "similar"]
    assert similar
    assert not any(other.proposed for other in similar)


def test_a_damaged_file_is_never_the_better_copy(tmp_path: Path) -> None:
    """Bytes in the midst of a large JPEG are zeroed, which Pillow does not notice; the smaller whole one is kept."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = a_picture("boats").resize((800, 600))
    picture.resize((400, 300)).save(folder / "whole.jpg", quality=90)
    picture.save(folder / "large.jpg", quality=95)
    data = bytearray((folder / "large.jpg").read_bytes())
    data[-3000:-1000] = bytes(2000)
    (folder / "large.jpg").write_bytes(data)
    found = looked_through(folder)
    assert found.pictures == 2
    for group in found.groups:
        assert os.path.basename(group.keeper.path) == "whole.jpg"
        assert [other.file.damaged for other in group.others] == [True]


def test_links_are_no_copies(photos: Path) -> None:
    """Neither a symbolic link nor a second name of the same file; the file itself still takes part."""
    (photos / "b.webp").unlink()
    (photos / "b.webp").hardlink_to(photos / "a.webp")
    (photos / "below/deep/c.webp").unlink()
    (photos / "below/deep/c.webp").symlink_to(photos / "a.webp")
    with Collection.open(photos) as collection:
        collection.sync()
        assert len(collection) == 6
        assert groups(collection, exact_only=True) == []
        (group,) = groups(collection)
        assert names(group, photos) == ["large.png", "a.webp"]


def test_what_changed_since_it_was_indexed_takes_no_part(collection: Collection, photos: Path) -> None:
    (photos / "a.webp").write_bytes(b"another")
    (photos / "b.webp").unlink()
    assert groups(collection, exact_only=True) == []


def test_a_file_that_changes_while_it_is_compared_is_told(collection: Collection, photos: Path) -> None:
    """Its size and time are as they were, its bytes are not: what was decoded is not what was indexed."""
    large = photos / "large.png"
    status, data = large.stat(), bytearray(large.read_bytes())
    with Image.open(photos / "other.webp") as picture:
        picture.convert("RGB").save(large, "PNG", compress_level=0)
    other = large.read_bytes()[: len(data)]
    large.write_bytes(other + bytes(len(data) - len(other)))
    os.utime(large, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = find_duplicates([collection])
    assert len(found.comparison.failed) == 1
    assert names(found.groups[0], photos) == ["a.webp", "b.webp", "below/deep/c.webp"]


def test_names_that_are_not_utf8(photos: Path) -> None:
    name = os.fsdecode(b"\xe9\n.webp")
    shutil.copy2(photos / "a.webp", photos / name)
    (group,) = looked_through(photos).groups
    assert name in names(group, photos)


def test_an_empty_collection_has_none(photos: Path) -> None:
    with Collection.open(photos) as collection:
        assert groups(collection) == []


def test_crowds_of_copies(photos: Path) -> None:
    for number in range(300):
        shutil.copy(photos / "other.webp", photos / f"copy{number:03}.webp")
    crowd = max(looked_through(photos, keep="first").groups, key=lambda group: len(group.others))
    assert len(crowd.others) == 300
    assert names(crowd, photos)[0] == "copy000.webp"


def test_crowds_of_recompressed_copies_are_one_group(tmp_path: Path) -> None:
    """More than any of them finds by its vector: what is like a copy is compared with the one that is kept."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = a_picture("fruit").resize((128, 128))
    picture.save(folder / "original.png")
    for quality in range(55, 95):
        picture.save(folder / f"{quality}.jpg", quality=quality)
    (group,) = looked_through(folder).groups
    assert os.path.basename(group.keeper.path) == "original.png"
    assert len(group.proposed) == 40


@pytest.mark.parametrize("within", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_distance_that_is_none(collection: Collection, within: float) -> None:
    with pytest.raises(ArgumentError, match="expected a distance of cosine, from 0 to 2"):
        groups(collection, within=within)


def test_a_rule_that_is_none(collection: Collection) -> None:
    with pytest.raises(ArgumentError, match="largest, oldest, first"):
        groups(collection, keep="best")


def test_of_several_sources(photos: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy2(photos / "other.webp", elsewhere / "again.webp")
    with Collection.create([photos, elsewhere], tmp_path / "index") as collection:
        collection.sync()
        both = groups(collection, exact_only=True)
    assert {names(group, tmp_path)[0] for group in both} == {"photos/a.webp", "elsewhere/again.webp"}


def test_pictures_in_archives_take_no_part(photos: Path, tmp_path: Path) -> None:
    same = (photos / "a.webp").read_bytes()
    shard = pack(tmp_path / "shard.tar", {"1.webp": same, "2.webp": same}, 0)
    with Collection.create([photos, shard], tmp_path / "index") as collection:
        assert collection.sync().failed == []
        assert f"{shard}/1.webp" in collection.paths()
        (group,) = groups(collection)
    assert names(group, photos) == ["large.png", "a.webp", "b.webp", "below/deep/c.webp"]
