"""Groups among real pictures, and which of them is kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.dedupe import Group, find_groups
from lookalike.errors import ArgumentError
from tests.archived import pack


def names(group: Group, photos: Path) -> list[str]:
    return [os.path.relpath(file.path, photos) for file in (group.keeper, *(other.file for other in group.others))]


def test_copies_and_a_larger_one_are_one_group(collection: Collection, photos: Path) -> None:
    (group,) = find_groups(collection, 0.1)
    assert names(group, photos) == ["large.png", "a.webp", "b.webp", "below/deep/c.webp"]
    assert [other.exact for other in group.others] == [False] * 3
    assert 0 < group.others[0].distance <= 0.1
    assert len({other.distance for other in group.others}) == 1
    assert not group.exact
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
    (group,) = find_groups(collection, 0.1, keep=keep)  # type: ignore[arg-type]  # one of them
    assert names(group, photos) == expected


def test_oldest_is_by_time(collection: Collection, photos: Path) -> None:
    os.utime(photos / "b.webp", ns=(10**17, 10**17))
    collection.sync()
    (group,) = find_groups(collection, keep="oldest", exact_only=True)
    assert names(group, photos) == ["b.webp", "a.webp", "below/deep/c.webp"]


def test_exact_only(collection: Collection, photos: Path) -> None:
    (group,) = find_groups(collection, exact_only=True)
    assert names(group, photos) == ["a.webp", "b.webp", "below/deep/c.webp"]
    assert group.exact
    assert [other.distance for other in group.others] == [0.0, 0.0]


def test_within_nothing_the_same_vector_counts(collection: Collection, photos: Path) -> None:
    (group,) = find_groups(collection, 0.0)
    assert names(group, photos) == ["a.webp", "b.webp", "below/deep/c.webp"]


def test_links_are_no_copies(photos: Path) -> None:
    """Neither a symbolic link nor a second name of the same file; the file itself still takes part."""
    (photos / "b.webp").unlink()
    (photos / "b.webp").hardlink_to(photos / "a.webp")
    (photos / "below/deep/c.webp").unlink()
    (photos / "below/deep/c.webp").symlink_to(photos / "a.webp")
    with Collection.open(photos) as collection:
        collection.sync()
        assert len(collection) == 6
        assert find_groups(collection, exact_only=True) == []
        (group,) = find_groups(collection, 0.1)
        assert names(group, photos) == ["large.png", "a.webp"]


def test_what_changed_since_it_was_indexed_takes_no_part(collection: Collection, photos: Path) -> None:
    (photos / "a.webp").write_bytes(b"another")
    (photos / "b.webp").unlink()
    assert find_groups(collection, exact_only=True) == []


def test_names_that_are_not_utf8(photos: Path) -> None:
    name = os.fsdecode(b"\xe9\n.webp")
    shutil.copy2(photos / "a.webp", photos / name)
    with Collection.open(photos) as collection:
        collection.sync()
        (group,) = find_groups(collection, exact_only=True)
    assert name in names(group, photos)


def test_an_empty_collection_has_none(photos: Path) -> None:
    with Collection.open(photos) as collection:
        assert find_groups(collection) == []


def test_crowds_of_copies_come_before_small_groups(photos: Path) -> None:
    for number in range(300):
        shutil.copy(photos / "other.webp", photos / f"copy{number:03}.webp")
    with Collection.open(photos) as collection:
        collection.sync()
        crowd, _ = find_groups(collection, keep="first")
        assert len(crowd.others) == 300
        assert names(crowd, photos)[0] == "copy000.webp"


@pytest.mark.parametrize("within", [-0.1, float("nan"), float("inf")])
def test_a_distance_that_is_none(collection: Collection, within: float) -> None:
    with pytest.raises(ArgumentError, match="expected a distance of 0 or more"):
        find_groups(collection, within)


def test_a_rule_that_is_none(collection: Collection) -> None:
    with pytest.raises(ArgumentError, match="largest, oldest, first"):
        find_groups(collection, keep="best")  # type: ignore[arg-type]


def test_of_several_sources(photos: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy2(photos / "other.webp", elsewhere / "again.webp")
    with Collection.create([photos, elsewhere], tmp_path / "index") as collection:
        collection.sync()
        both = find_groups(collection, exact_only=True)
    assert {names(group, tmp_path)[0] for group in both} == {"photos/a.webp", "elsewhere/again.webp"}


def test_pictures_in_archives_take_no_part(photos: Path, tmp_path: Path) -> None:
    same = (photos / "a.webp").read_bytes()
    shard = pack(tmp_path / "shard.tar", {"1.webp": same, "2.webp": same}, 0)
    with Collection.create([photos, shard], tmp_path / "index") as collection:
        assert collection.sync().failed == []
        assert f"{shard}/1.webp" in collection.paths()
        (group,) = find_groups(collection, 0.1)
    assert names(group, photos) == ["large.png", "a.webp", "b.webp", "below/deep/c.webp"]
