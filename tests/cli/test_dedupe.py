"""`lookalike dedupe`, as a user types it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import Run, command
from .test_search import sentence


@pytest.fixture
def copied(photos: Path) -> list[str]:
    """Two pictures with copies: one, and three."""
    first, second = sorted((photos / "fruit").iterdir())[:2]
    copies = [photos / "again" / first.name, *(photos / f"copy{number} of {second.name}" for number in range(3))]
    (photos / "again").mkdir()
    for original, copy in zip((first, second, second, second), copies, strict=True):
        shutil.copy(original, copy)
    return sorted(os.fspath(copy.relative_to(photos.parent)) for copy in copies)


def test_shows_groups_and_changes_nothing(run: Run, photos: Path, copied: list[str]) -> None:
    before = {path: path.stat() for path in photos.rglob("*.*") if ".lookalike" not in path.parts}
    done = run("dedupe", "photos", "--keep", "oldest")
    lines = done.stdout.splitlines()
    same = [line.split("  ")[2].strip() for line in lines if line.startswith("  same bytes")]
    assert sorted(same) == copied
    assert sum(not line.startswith(" ") for line in lines) == 2
    assert "2 groups: 4 pictures beside the ones to keep" in done.stderr
    assert "4 of them are the one to keep, byte for byte" in done.stderr
    after = {path: path.stat() for path in before}
    assert {p: (s.st_ino, s.st_mtime_ns) for p, s in before.items()} == {
        p: (s.st_ino, s.st_mtime_ns) for p, s in after.items()
    }


def test_one_json_object_a_group(run: Run, photos: Path, copied: list[str]) -> None:
    groups = [json.loads(line) for line in run("dedupe", "photos", "--json", "--keep", "oldest").stdout.splitlines()]
    assert sorted(len(group["others"]) for group in groups) == [1, 3]
    for group in groups:
        sizes = [os.path.getsize(other["path"]) for other in group["others"]]
        assert group["exact"] is True
        assert group["spared"] == sum(sizes)
        assert group["keeper"]["width"] > 0
        assert [(other["distance"], other["exact"], other["size"]) for other in group["others"]] == [
            (0.0, True, size) for size in sizes
        ]


def test_names_that_are_not_utf8(run: Run, photos: Path, copied: list[str]) -> None:
    name = os.fsdecode(b"\xe9\n.png")
    shutil.copy(photos.parent / copied[0], photos / name)
    groups = [json.loads(line) for line in run("dedupe", "photos", "--json", "--keep", "oldest").stdout.splitlines()]
    (found,) = [other for group in groups for other in group["others"] if other["path"].endswith(name)]
    assert base64.b64decode(found["path_base64"]).endswith(b"\xe9\n.png")
    assert "\\xe9\\n.png" in run("dedupe", "photos").stdout


def test_none_is_exit_code_1(run: Run, photos: Path) -> None:
    done = run("dedupe", "photos", "--within", "0.0001", "--plan", "plan", code=1)
    assert done.stdout == ""
    assert "no duplicates (within 0.0001) among the pictures in photos" in done.stderr
    assert len((photos.parent / "plan").read_text().splitlines()) == 1


def test_move_and_undo(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*.*") if ".lookalike" not in path.parts}
    told = run("dedupe", "photos", "--keep", "oldest", "--plan", "plan.json").stderr
    assert "lookalike dedupe --apply plan.json --move-to DIR" in told
    done = run("dedupe", "--apply", "plan.json", "--move-to", "aside")
    assert done.stdout.startswith("4 pictures (")
    assert "lookalike dedupe --undo plan.undo.json" in done.stderr
    assert sorted(f"photos/{path.relative_to(tmp_path / 'aside')}" for path in tmp_path.glob("aside/**/*.*")) == copied
    run("dedupe", "photos", "--exact-only", code=1)
    again = run("dedupe", "--apply", "plan.json", "--move-to", "aside", code=1)
    assert "4 left alone:" in again.stderr
    assert run("dedupe", "--undo", "plan.undo.json").stdout.startswith("4 pictures (")
    assert {path: path.read_bytes() for path in before} == before
    assert run("dedupe", "--undo", "plan.undo.json", code=1).stdout.startswith("0 pictures")
    assert run("dedupe", "photos", "--exact-only").stdout


def test_the_empty_name_is_no_folder_to_move_to(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--plan", "plan.json")
    before = sorted(tmp_path.rglob("*"))
    assert "received an empty name" in sentence(run("dedupe", "--apply", "plan.json", "--move-to", "", code=2).stderr)
    assert "received both" in run("dedupe", "--apply", "plan.json", "--move-to", "", "--hard-link", code=2).stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_facts_come_back(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    lines = [f"{copy},copy {number}" for number, copy in enumerate(copied)]
    (tmp_path / "facts.csv").write_text("\n".join(["path,label", *lines]))
    run("index", "photos", "--metadata", "facts.csv")
    run("dedupe", "photos", "--keep", "oldest", "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside")
    run("sync", "photos")
    assert "facts given back to 4 pictures" in run("dedupe", "--undo", "plan.undo.json").stderr
    assert "facts" not in run("dedupe", "--undo", "plan.undo.json", code=1).stderr
    query = sorted((photos / "cats").iterdir())[0]
    for number, copy in enumerate(copied):
        found = run("search", query, "photos", "--where", f"label = 'copy {number}'").stdout
        assert found.rstrip().endswith(copy)


def test_facts_that_cannot_come_back_now(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("\n".join(["path,label", *(f"{copy},copy" for copy in copied)]))
    run("index", "photos", "--metadata", "facts.csv")
    run("dedupe", "photos", "--keep", "oldest", "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside")
    run("sync", "photos")
    catalogue = photos / ".lookalike" / "catalogue.sqlite"
    intact = catalogue.read_bytes()
    catalogue.write_bytes(b"damaged" * 1000)
    said = run("dedupe", "--undo", "plan.undo.json", code=2).stderr
    assert "was not given back" in said
    assert "then run this once more" in said
    catalogue.write_bytes(intact)
    assert "facts given back to 4 pictures" in run("dedupe", "--undo", "plan.undo.json").stderr


def test_hard_link_and_undo(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--keep", "oldest", "--plan", "plan.json")
    done = run("dedupe", "--apply", "plan.json", "--hard-link")
    assert "4 pictures" in done.stdout
    assert "4 of them had another time of change, and have that of the one kept now" in done.stderr
    assert [os.stat(tmp_path / copy).st_nlink > 1 for copy in copied] == [True] * 4
    run("dedupe", "photos", "--exact-only", code=1)  # names of one file are no copies
    run("dedupe", "--undo", "plan.undo.json")
    assert [os.stat(tmp_path / copy).st_nlink for copy in copied] == [1] * 4


def test_what_was_left_alone_is_told(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--keep", "oldest", "--plan", "plan.json")
    (tmp_path / copied[0]).write_bytes(b"edited")
    done = run("dedupe", "--apply", "plan.json", "--move-to", "aside")
    assert done.stdout.startswith("3 pictures")
    assert f"{copied[0]}: its size or time has changed" in done.stderr
    assert (tmp_path / copied[0]).read_bytes() == b"edited"


def test_page(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--keep", "oldest", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img ") == 6
    assert page.count(">Kept<") == 2
    assert page.count(">same bytes<") == 4
    assert "Duplicates in photos" in page


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "expected either WHERE"),
        (["photos", "--undo", "x"], "expected either WHERE"),
        (["--apply", "plan", "--undo", "x"], "expected either WHERE"),
        (["--apply", "plan"], "received none"),
        (["--apply", "plan", "--move-to", "x", "--hard-link"], "received both"),
        (["photos", "--move-to", "x"], "--move-to does not go"),
        (["photos", "--hard-link"], "--hard-link does not go"),
        (["--undo", "x", "--json"], "--json does not go"),
        (["--apply", "plan", "--hard-link", "--within", "0.1"], "--within does not go"),
        (["--undo", "none"], "expected a dedupe undo at none"),
        (["--apply", "none", "--hard-link"], "expected a dedupe plan at none"),
        (["photos", "--within", "-1"], "expected a distance of 0 or more"),
        (["photos", "--keep", "best"], "best"),
        (["nowhere"], "nowhere"),
        (["photos", "--html", "no/page.html"], "expected to write the page"),
        (["photos", "--plan", "no/plan.json"], "expected to write the plan"),
        (["photos", "--no-check"], "nothing is indexed"),
    ],
)
def test_misuse_is_one_sentence(run: Run, photos: Path, arguments: list[str], what: str) -> None:
    assert what in sentence(run("dedupe", *arguments, code=2).stderr)


def test_interrupted_while_moving(run: Run, photos: Path, tmp_path: Path) -> None:
    """Ctrl-C: what was done is said, and can be taken back."""
    picture = sorted((photos / "fruit").iterdir())[0]
    for number in range(3000):
        shutil.copy(picture, photos / f"copy{number:04}{picture.suffix}")
    run("dedupe", "photos", "--plan", "plan.json", "--exact-only")
    arguments = [command(), "dedupe", "--apply", "plan.json", "--move-to", "aside"]
    process = subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not ((tmp_path / "aside").exists() and os.listdir(tmp_path / "aside")):
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted;" in sentence(told)
    assert "take it back with: lookalike dedupe --undo plan.undo.json" in told
    assert 0 < len(os.listdir(tmp_path / "aside")) < 3000
    run("dedupe", "--undo", "plan.undo.json")
    assert os.listdir(tmp_path / "aside") == []
    assert len(list(photos.glob("copy*"))) == 3000
