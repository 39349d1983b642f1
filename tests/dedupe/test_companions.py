"""Sidecars, Live Photos, RAW and JPEG: what belongs to a picture is told, moved and taken back with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.dedupe import (
    Belongings,
    Group,
    Outcome,
    belongings,
    give_back,
    move_others,
    read_plan,
    take_back,
    write_plan,
)
from lookalike.dedupe.companions import Companions

from .conftest import tree
from .hand import group_of


def fill(folder: Path, *names: str, data: str | None = None) -> list[Path]:
    """Files of that content, by default of their names' own."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(data or f"of {name}")
    return [folder / name for name in names]


def beside(folder: Path, name: str) -> dict[str, str]:
    return {os.path.basename(one.path): one.what for one in Companions().of(os.fspath(folder / name))}


def test_by_folder_stem_and_suffix(tmp_path: Path) -> None:
    names = ["IMG_1.JPG", "IMG_1.jpg.xmp", "IMG_1.XMP", "img_1.xmp", "IMG_1.AAE", "IMG_1.mov", "IMG_1.Mp4", "IMG_1.CR2"]
    fill(tmp_path, *names, "IMG_E1.JPG", "IMG_1 (2).JPG", "IMG_1.txt", "IMG_1.JPG.CR2", "below/IMG_1.AAE", "IMG_1")
    assert beside(tmp_path, "IMG_1.JPG") == {
        "IMG_1.CR2": "RAW",
        "IMG_1.Mp4": "video",
        "IMG_1.mov": "video",
        "IMG_1.AAE": "AAE sidecar",
        "IMG_1.XMP": "XMP sidecar",
    }
    assert "IMG_1.jpg.xmp" not in beside(tmp_path, "IMG_1.JPG"), "the name is another one"
    assert beside(tmp_path, "IMG_E1.JPG") == {}
    assert beside(tmp_path / "not there", "IMG_1.JPG") == {}


@pytest.mark.parametrize("suffix", ["CR2", "NEF", "ARW", "DNG", "RW2", "ORF", "RAF", "CR3", "PEF", "SRW"])
def test_raw_and_jpeg_are_a_pair_either_way(tmp_path: Path, suffix: str) -> None:
    fill(tmp_path, "a.jpeg", f"a.{suffix}", f"a.{suffix.lower()}.xmp", f"a.{suffix}.xmp", "a.jpeg.xmp")
    assert beside(tmp_path, "a.jpeg") == {f"a.{suffix}": "RAW", "a.jpeg.xmp": "XMP sidecar"}
    assert beside(tmp_path, f"a.{suffix}") == {"a.jpeg": "photo", f"a.{suffix}.xmp": "XMP sidecar"}


def test_what_is_no_half_and_no_sidecar(tmp_path: Path) -> None:
    fill(tmp_path, "a.heic", "a.jpg", "b.png", "b.mov", "c.cr2", "c.mov", "d.jpg")
    (tmp_path / "d.xmp").symlink_to("a.jpg")
    (tmp_path / "d.aae").mkdir()
    (tmp_path / "d.mov").touch()
    for name in ("a.heic", "a.jpg", "b.png", "c.cr2", "c.mov", "d.jpg"):
        assert beside(tmp_path, name) == {}


def test_owners(tmp_path: Path) -> None:
    fill(tmp_path, "a.heic", "a.jpg", "a.mov", "a.xmp", "a.jpg.xmp", "b.jpg", "b.xmp")

    def owners(name: str) -> list[str]:
        return sorted(map(os.path.basename, Companions().owners(os.fspath(tmp_path / name))))

    assert owners("a.mov") == ["a.heic", "a.jpg"]
    assert owners("a.xmp") == ["a.heic", "a.jpg", "a.mov"]
    assert owners("a.jpg.xmp") == ["a.jpg"]
    assert owners("b.xmp") == ["b.jpg"]


# -- what follows for what is proposed


@pytest.fixture
def two(photos: Path) -> tuple[Path, Path]:
    """The same JPEG in two folders; the first is kept."""
    pictures = photos / "one" / "IMG_1.jpg", photos / "two" / "IMG_1.jpg"
    for picture in pictures:
        picture.parent.mkdir()
        shutil.copy(photos / "other.webp", picture)
    return pictures


def settled(*groups: Group, exchange: bool = False) -> Belongings:
    return belongings(groups, exchange=exchange)


def proposed(found: Belongings) -> dict[str, list[str]]:
    """What is proposed, with what goes with it."""
    return {
        "/".join(other.file.path.split("/")[-2:]): [
            os.path.basename(one.path) for one in found.companions.get(other.file.path, ())
        ]
        for group in found.groups
        for other in group.proposed
    }


def test_sidecars_go_with_their_picture(two: tuple[Path, Path]) -> None:
    fill(two[1].parent, "IMG_1.AAE", "IMG_1.xmp")
    fill(two[0].parent, "IMG_1.xmp")
    found = settled(group_of(1, *two))
    assert proposed(found) == {"two/IMG_1.jpg": ["IMG_1.AAE", "IMG_1.xmp"]}
    assert [one.what for one in found.companions[os.fspath(two[0])]] == ["XMP sidecar"]


@pytest.mark.parametrize("half", ["IMG_1.MOV", "IMG_1.cr2"])
def test_a_half_goes_along_only_if_the_kept_one_has_the_same(two: tuple[Path, Path], half: str) -> None:
    fill(two[1].parent, half, data="half")
    found = settled(group_of(1, *two))
    assert proposed(found) == {}
    assert "has no copy beside the one that is kept" in found.held[os.fspath(two[1])]
    fill(two[0].parent, half, data="flah")
    assert proposed(settled(group_of(1, *two))) == {}
    fill(two[0].parent, half, data="half")
    assert proposed(settled(group_of(1, *two))) == {"two/IMG_1.jpg": [half]}


def test_of_identical_files_the_one_with_the_half_is_kept(two: tuple[Path, Path]) -> None:
    fill(two[1].parent, "IMG_1.MOV")
    found = settled(group_of(1, *two), exchange=True)
    assert proposed(found) == {"one/IMG_1.jpg": []}
    assert found.groups[0].keeper.path == os.fspath(two[1])
    assert proposed(settled(group_of(1, *two, reference=True), exchange=True)) == {}


def test_the_halves_of_one_pair_are_no_copies_of_each_other(two: tuple[Path, Path]) -> None:
    (raw,) = fill(two[0].parent, "IMG_1.CR2")
    found = settled(group_of(1, raw, (two[0], "resized or recompressed")))
    assert proposed(found) == {}
    assert "are one" in found.held[os.fspath(two[0])]
    found = settled(group_of(1, two[0], (raw, "resized or recompressed")))
    assert proposed(found) == {}


def test_pairs_of_which_both_are_indexed_go_together(two: tuple[Path, Path]) -> None:
    raws = [fill(picture.parent, "IMG_1.CR2", data="raw")[0] for picture in two]
    groups = [group_of(1, *two), group_of(2, *raws)]
    assert proposed(settled(*groups)) == {"two/IMG_1.jpg": [], "two/IMG_1.CR2": []}
    crossed = settled(groups[0], group_of(2, *reversed(raws)))
    assert proposed(crossed) == {}, "each half would stay alone"
    assert "is kept, as of group" in crossed.held[os.fspath(two[1])]


def test_what_two_pictures_share_stays_with_the_one_that_stays(two: tuple[Path, Path]) -> None:
    fill(two[1].parent, "IMG_1.MOV", "IMG_1.xmp")
    shutil.copy(two[1], two[1].parent / "IMG_1.heic")
    assert proposed(settled(group_of(1, *two))) == {"two/IMG_1.jpg": []}


# -- moved and taken back


@pytest.fixture
def undo_file(tmp_path: Path) -> str:
    return os.fspath(tmp_path / "undo")


Apply = Callable[[], Outcome]


@pytest.fixture
def apply(two: tuple[Path, Path], photos: Path, tmp_path: Path, undo_file: str) -> Apply:
    """Sets IMG_1.jpg of the folder `two` aside, with a video and a sidecar."""
    for picture in two:
        fill(picture.parent, "IMG_1.MOV", data="video")
    fill(two[1].parent, "IMG_1.jpg.xmp")
    with Collection.open(photos) as collection:
        write_plan(os.fspath(tmp_path / "plan"), [collection], [group_of(1, *two)])

    def apply() -> Outcome:
        move_others(
            read_plan(os.fspath(tmp_path / "plan")), os.fspath(tmp_path / "to"), undo_file, outcome := Outcome()
        )
        return outcome

    return apply


def undone(undo_file: str) -> Outcome:
    take_back(undo_file, outcome := Outcome())
    return outcome


def left(outcome: Outcome) -> dict[str, str]:
    return {os.path.basename(path): reason for path, reason in outcome.left}


MOVED = {"two/IMG_1.jpg", "two/IMG_1.MOV", "two/IMG_1.jpg.xmp"}


def test_moved_and_taken_back_together(apply: Apply, photos: Path, tmp_path: Path, undo_file: str) -> None:
    before = tree(photos)
    outcome = apply()
    assert (outcome.done, outcome.beside, outcome.left) == (1, 2, [])
    assert set(tree(tmp_path / "to")) == MOVED
    assert outcome.bytes == sum(len(before[name][0]) for name in MOVED)
    back = undone(undo_file)
    assert (back.done, back.beside, back.left) == (1, 2, [])
    assert tree(photos) == before
    assert undone(undo_file) == Outcome()


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MOV", "IMG_1.jpg.xmp"])
def test_none_is_moved_where_one_name_is_taken(apply: Apply, photos: Path, tmp_path: Path, name: str) -> None:
    fill(tmp_path / "to/two", name)
    before = tree(photos)
    outcome = apply()
    assert outcome.done == outcome.beside == 0
    assert f"{name} is there already" in left(outcome)["IMG_1.jpg"]
    assert tree(photos) == before


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MOV", "IMG_1.jpg.xmp"])
@pytest.mark.parametrize("gone", [True, False])
def test_none_is_moved_where_one_has_changed(
    apply: Apply, two: tuple[Path, Path], photos: Path, name: str, gone: bool
) -> None:
    changed = two[1].parent / name
    changed.unlink() if gone else changed.write_text("another")
    before = tree(photos)
    outcome = apply()
    assert outcome.done == outcome.beside == 0
    assert "cannot be looked at" if gone else "has changed" in left(outcome)["IMG_1.jpg"]
    assert ("which belongs to it" in left(outcome)["IMG_1.jpg"]) == (name != "IMG_1.jpg")
    assert tree(photos) == before


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MOV"])
def test_none_is_moved_where_the_kept_one_or_its_half_has_changed(
    apply: Apply, two: tuple[Path, Path], photos: Path, name: str
) -> None:
    (two[0].parent / name).unlink()
    before = tree(photos)
    outcome = apply()
    assert outcome.done == 0
    assert f"one/{name}, which was to be kept: it cannot be looked at" in left(outcome)["IMG_1.jpg"]
    assert tree(photos) == before


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MOV", "IMG_1.jpg.xmp"])
def test_none_comes_back_where_one_name_is_taken(
    apply: Apply, two: tuple[Path, Path], photos: Path, tmp_path: Path, undo_file: str, name: str
) -> None:
    before = tree(photos)
    apply()
    fill(two[1].parent, name, data="another")
    back = undone(undo_file)
    assert back.done == back.beside == 0
    assert "another file has its name now" in left(back)["IMG_1.jpg"]
    assert set(tree(tmp_path / "to")) == MOVED
    (two[1].parent / name).unlink()
    undone(undo_file)
    assert tree(photos) == before


def test_a_companion_that_is_gone_keeps_nothing_from_coming_back(
    apply: Apply, two: tuple[Path, Path], photos: Path, tmp_path: Path, undo_file: str
) -> None:
    before = tree(photos)
    apply()
    (tmp_path / "to/two/IMG_1.jpg.xmp").unlink()
    back = undone(undo_file)
    assert (back.done, back.beside) == (1, 1)
    assert "neither there nor at" in left(back)["IMG_1.jpg.xmp"]
    assert tree(photos) == {name: file for name, file in before.items() if name != "two/IMG_1.jpg.xmp"}


def test_what_is_shared_stays_where_a_line_was_deleted(two: tuple[Path, Path], photos: Path, tmp_path: Path) -> None:
    heics = [picture.with_suffix(".heic") for picture in two]
    for heic in heics:
        shutil.copy(photos / "below/another.webp", heic)
    fill(two[1].parent, "IMG_1.xmp")
    plan = tmp_path / "plan"
    with Collection.open(photos) as collection:
        write_plan(os.fspath(plan), [collection], [group_of(1, *two), group_of(2, *heics)])
    text = plan.read_text("utf-8")
    assert text.count("IMG_1.xmp") == 1
    plan.write_text("".join(line for line in text.splitlines(keepends=True) if "two/IMG_1.heic" not in line), "utf-8")
    move_others(
        read_plan(os.fspath(plan)), os.fspath(tmp_path / "to"), os.fspath(tmp_path / "undo"), outcome := Outcome()
    )
    assert (outcome.done, outcome.beside) == (1, 0)
    assert "it belongs to" in left(outcome)["IMG_1.xmp"]
    assert set(tree(tmp_path / "to")) == {"two/IMG_1.jpg"}


def test_a_companion_whose_picture_was_deleted_from_the_plan_stays(apply: Apply, tmp_path: Path, photos: Path) -> None:
    plan = tmp_path / "plan"
    lines = plan.read_text("utf-8").splitlines(keepends=True)
    plan.write_text("".join(line for line in lines if '"two/IMG_1.jpg"' not in line), "utf-8")
    before = tree(photos)
    outcome = apply()
    assert outcome.done == 0
    assert "stays with it" in left(outcome)["IMG_1.jpg.xmp"]
    assert tree(photos) == before


@pytest.mark.parametrize("days", [90, 0])
def test_facts_of_two_collections_come_back(photos: Path, tmp_path: Path, undo_file: str, days: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(photos, elsewhere)
    plan = os.fspath(tmp_path / "plan")

    def facts() -> dict[str, object]:
        return {path: dict(each.facts(path)) for each in (one, two) for path in each.paths()}

    with Collection.open(photos) as one, Collection.open(elsewhere) as two:
        for each in (one, two):
            each.sync()
            each.describe({path: {"label": path} for path in each.paths()})
            each.keep_facts(days)
        before = facts()
        groups = [
            group_of(1, photos / "a.webp", photos / "b.webp", elsewhere / "a.webp"),
            group_of(2, photos / "other.webp", elsewhere / "other.webp"),
        ]
        write_plan(plan, [one, two], groups)
        move_others(read_plan(plan), os.fspath(tmp_path / "to"), undo_file, outcome := Outcome())
        assert (outcome.done, outcome.left) == (3, [])
        assert [each.sync().removed for each in (one, two)] == [1, 2]
        undone(undo_file)
        assert give_back(undo_file) == 3
        for each in (one, two):
            each.sync()
        assert facts() == before


def test_what_is_shown_in_one_group_and_a_copy_in_another_is_proposed_there_alone(photos: Path) -> None:
    fill(photos, "b.xmp")
    groups = [
        group_of(1, photos / "other.webp", (photos / "b.webp", "edited")),
        group_of(2, photos / "a.webp", photos / "b.webp"),
    ]
    found = settled(*groups)
    assert [[other.proposed for other in group.others] for group in found.groups] == [[False], [True]]
    assert [one.what for one in found.companions[os.fspath(photos / "b.webp")]] == ["XMP sidecar"]
