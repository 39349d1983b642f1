"""`lookalike dedupe` on pictures of every kind, from the first look to what was taken back."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from lookalike import demo

from .conftest import Run

pytestmark = pytest.mark.thorough

KINDS = {
    "identical.png": ("identical file", []),
    "same.webp": ("same pixels", []),
    "small.jpg": ("resized or recompressed", []),
    "mirrored.jpg": ("altered", ["mirrored"]),
    "darker.jpg": ("altered", ["recoloured"]),
    "text.jpg": ("edited", []),
}
COPIES = {"identical.png", "same.webp", "small.jpg"}
ALTERED = {"mirrored.jpg", "darker.jpg"}


def a_picture(kind: str) -> Image.Image:
    """A cut-out photograph of the demo, on white."""
    with Image.open(min(path for path in Path(demo.folder(), kind).iterdir() if path.suffix == ".jpg")) as picture:
        return picture.convert("RGB")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """One picture in a folder, a copy of each kind in another, and some others beside them."""
    folder = tmp_path / "Pictures"
    (folder / "copies").mkdir(parents=True)
    picture, copies = a_picture("oranges"), folder / "copies"
    width, height = picture.size
    picture.save(folder / "original.png")
    shutil.copy(folder / "original.png", copies / "identical.png")
    picture.save(copies / "same.webp", lossless=True)
    picture.resize((width * 2 // 3, height * 2 // 3)).save(copies / "small.jpg", quality=70)
    ImageOps.mirror(picture).save(copies / "mirrored.jpg", quality=90)
    ImageEnhance.Brightness(picture).enhance(0.8).save(copies / "darker.jpg", quality=90)
    ImageDraw.Draw(picture).text((width * 0.3, height * 0.45), "not for sale", fill="blue")
    picture.save(copies / "text.jpg", quality=90)
    for kind in ("boats", "trees", "horses"):
        a_picture(kind).save(folder / f"{kind}.png")
    return folder


def looked(run: Run, *arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("dedupe", *arguments, "--json").stdout.splitlines()]


def named(others: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {os.path.basename(other["path"]): other for other in others}


def test_json_names_kind_changes_region_and_what_is_proposed(run: Run, pictures: Path) -> None:
    (group,) = looked(run, pictures)
    others = named(group["others"])
    assert {name: (other["kind"], other["changes"]) for name, other in others.items()} == KINDS
    assert {name for name, other in others.items() if other["proposed"]} == COPIES
    assert group["group"] == 1
    assert group["keeper"]["path"].endswith("Pictures/original.png")
    assert group["spared"] == sum(other["size"] for other in others.values() if other["proposed"])
    assert [name for name, other in others.items() if other["region"]] == ["text.jpg"]
    assert set(others["text.jpg"]["region"]) == {"left", "top", "right", "bottom"}


def test_whatever_model_proposes_the_whole_pictures_decide(run: Run, pictures: Path) -> None:
    (group,) = looked(run, pictures, "--model", "phash")
    assert {name: (other["kind"], other["changes"]) for name, other in named(group["others"]).items()} == KINDS
    assert "expected the model phash" in run("dedupe", pictures, "--model", "dhash", code=2).stderr


def test_include_edited_proposes_what_was_altered_and_never_what_was_edited(run: Run, pictures: Path) -> None:
    (group,) = looked(run, pictures, "--include", "edited", "--similar")
    others = named(group["others"])
    assert {name for name, other in others.items() if other["proposed"]} == COPIES | ALTERED
    assert not others["text.jpg"]["proposed"]


def test_similar_ones_are_shown_and_never_proposed(run: Run, pictures: Path, tmp_path: Path) -> None:
    asked = (pictures, "--within", "0.9", "--similar", "--include", "edited")
    similar = [other for group in looked(run, *asked) for other in group["others"] if other["kind"] == "similar"]
    assert similar
    assert all(not other["proposed"] and 0 < other["distance"] <= 0.9 for other in similar)
    run("dedupe", *asked, "--html", "page.html", "--plan", "plan.txt")
    assert ">similar<" in (tmp_path / "page.html").read_text()
    assert "boats.png" not in (tmp_path / "plan.txt").read_text()


def test_the_list_the_page_and_the_plan_tell_the_same(run: Run, pictures: Path, tmp_path: Path) -> None:
    done = run("dedupe", pictures, "--html", "page.html", "--plan", "plan.txt")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "1 group:"
    said = [re.sub(r" [\d.]+ k?B ", " … ", line) for line in lines[1:6]]
    assert said == [
        "1 edited here … shown only",
        "2 mirrored, rotated, cropped or recoloured … shown only",
        "1 resized or recompressed … proposed",
        "1 same pixels … proposed",
        "1 identical file … proposed",
    ]
    listed = {re.sub(r"^(set aside|stays) | \S*/.*", "", line) for line in lines if line.startswith(("set", "stays"))}
    assert listed == {
        "identical file",
        "same pixels",
        "resized or recompressed",
        "edited here",
        "mirrored",
        "recoloured",
    }
    page, plan = (tmp_path / "page.html").read_text(), (tmp_path / "plan.txt").read_text()
    for kind in listed:
        assert f'<span class="kind">{kind}</span>' in page
    assert page.count('class="region"') == 1
    assert (page.count(">Set aside<"), page.count(">Stays<")) == (3, 3)
    assert 'id="group-1"' in page
    named_in_plan = set(re.findall(r'^set aside +1 .*"copies/(.*?)"', plan, re.M))
    assert named_in_plan == COPIES


def test_only_what_is_proposed_is_moved_and_all_of_it_comes_back(run: Run, pictures: Path, tmp_path: Path) -> None:
    (pictures / "copies" / "small.xmp").write_text("stars")
    before = {path: path.read_bytes() for path in pictures.rglob("*.*") if ".lookalike" not in path.parts}
    run("dedupe", pictures, "--plan", "plan.txt", "--include", "edited")
    done = run("dedupe", "--apply", "plan.txt", "--move-to", "aside", "--yes")
    told = [" ".join(line.split()[:-2]) for line in done.stderr.splitlines() if line.startswith("   ")]
    assert sorted(told) == sorted(
        [
            "1 identical file",
            "1 same pixels",
            "1 resized or recompressed",
            "1 mirrored",
            "1 recoloured",
            "1 XMP sidecar beside them",
            "6 files in all",
        ]
    )
    assert {path.name for path in (tmp_path / "aside").rglob("*.*")} == COPIES | ALTERED | {"small.xmp"}
    assert run("dedupe", "--undo", "plan.undo.txt").stdout.startswith("5 pictures and 1 file beside them (")
    assert {path: path.read_bytes() for path in before} == before


def test_several_folders_and_a_reference(run: Run, photos: Path, tmp_path: Path) -> None:
    picture = sorted((photos / "fruit").iterdir())[0]
    for name in ("master", "phone"):
        (tmp_path / name).mkdir()
        shutil.copy(picture, tmp_path / name / f"of {name}{picture.suffix}")
    os.utime(tmp_path / "master" / f"of master{picture.suffix}")  # the newest is kept all the same
    several = ("photos", "phone", "--reference", "master", "--exact-only", "--keep", "oldest")
    (group,) = looked(run, *several)
    assert group["keeper"]["path"].endswith(f"master/of master{picture.suffix}")
    assert group["keeper"]["reference"] is True
    assert set(named(group["others"])) == {picture.name, f"of phone{picture.suffix}"}
    run("dedupe", *several, "--plan", "plan")
    assert run("dedupe", "--apply", "plan", "--move-to", "aside", "--yes").stdout.startswith("2 pictures (")
    assert len(list((tmp_path / "aside").rglob("*.*"))) == 2
    run("dedupe", "--undo", "plan.undo")
    assert picture.exists()


def test_what_is_done_to_two_pictures_of_one_is_told_of_each_pair_once(run: Run, pictures: Path) -> None:
    """A file that is shown beside one picture and is a copy of another is proposed there alone."""
    shutil.copy(pictures / "copies" / "text.jpg", pictures / "copies" / "text again.jpg")
    found = looked(run, pictures)
    proposed = [name for group in found for name, other in named(group["others"]).items() if other["proposed"]]
    assert sorted(proposed) in (sorted([*COPIES, "text again.jpg"]), sorted([*COPIES, "text.jpg"]))
    for group in found:
        for name, other in named(group["others"]).items():
            assert other["proposed"] == (other["kind"] not in ("altered", "edited")), name
