"""`lookalike dedupe`, as a user types it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough


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
    done = run("dedupe", "photos", "--exact-only", "--keep", "oldest")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "2 groups:"
    assert re.fullmatch(r"4 identical files [\d.]+ kB proposed", lines[1])
    aside = [line.removeprefix("set aside identical file ") for line in lines if line.startswith("set aside")]
    assert sorted(line.rsplit(" ", 5)[0] for line in aside) == copied
    assert sum(line.startswith("keep ") for line in lines) == 2
    assert [line for line in lines if line.startswith("group")] == ["group 1", "group 2"]
    assert "4 pictures could be set aside: " in done.stderr
    after = {path: path.stat() for path in before}
    assert {p: (s.st_ino, s.st_mtime_ns) for p, s in before.items()} == {
        p: (s.st_ino, s.st_mtime_ns) for p, s in after.items()
    }


def test_one_json_object_a_group(run: Run, photos: Path, copied: list[str]) -> None:
    lines = run("dedupe", "photos", "--json", "--exact-only", "--keep", "oldest").stdout.splitlines()
    groups = [json.loads(line) for line in lines]
    assert sorted(len(group["others"]) for group in groups) == [1, 3]
    assert [group["group"] for group in groups] == [1, 2]
    for group in groups:
        sizes = [os.path.getsize(other["path"]) for other in group["others"]]
        assert group["spared"] == sum(sizes)
        assert group["keeper"]["width"] > 0
        for other, size in zip(group["others"], sizes, strict=True):
            assert (other["kind"], other["proposed"], other["size"]) == ("identical file", True, size)
            assert (other["changes"], other["region"], other["companions"], other["held"]) == ([], None, [], None)


def test_names_that_are_not_utf8(run: Run, photos: Path, copied: list[str]) -> None:
    name = os.fsdecode(b"\xe9\n.png")
    shutil.copy(photos.parent / copied[0], photos / name)
    done = run("dedupe", "photos", "--json", "--exact-only", "--keep", "oldest")
    others = [other for line in done.stdout.splitlines() for other in json.loads(line)["others"]]
    (found,) = [other for other in others if other["path"].endswith("\\xe9\\n.png")]
    assert base64.b64decode(found["path_base64"]).endswith(b"\xe9\n.png")
    assert "\\xe9\\n.png" in run("dedupe", "photos", "--exact-only").stdout


def test_none_is_exit_code_1(run: Run, photos: Path) -> None:
    done = run("dedupe", "photos", "--exact-only", "--plan", "plan", code=1)
    assert done.stdout == ""
    assert "no copies among the pictures in photos" in done.stderr
    assert "What may be set aside: nothing." in (photos.parent / "plan").read_text()


def test_long_lists_are_cut_and_say_so(run: Run, photos: Path, tmp_path: Path) -> None:
    pictures = sorted(path for kind in photos.iterdir() for path in kind.iterdir())
    for number in range(12):
        shutil.copy(pictures[0], photos / f"copy{number}{pictures[0].suffix}")
    (photos / "again").mkdir()
    for number in range(3):
        for picture in pictures[1:]:
            with picture.open("rb") as data:
                content = data.read()
            for half in ("a", "b"):  # what follows a picture's end makes others of the same pixels
                (photos / "again" / f"{number}{half}{picture.name}").write_bytes(content + b" " * (number + 1))
    done = run("dedupe", "photos", "--exact-only", "--html", "page.html")
    groups = 3 * (len(pictures) - 1) + 1
    assert groups > 50
    assert f"… and {groups - 50} groups more: --html FILE shows all" in done.stdout
    assert done.stdout.count("\ngroup ") == 50
    assert len(run("dedupe", "photos", "--exact-only", "--json").stdout.splitlines()) == groups
    assert (tmp_path / "page.html").read_text().count("<section ") == groups


# -- acting on a plan


def ask(tmp_path: Path, answer: bytes, *arguments: str) -> tuple[int, str, str]:
    """Run it with a terminal as its standard input, on which that is typed; its exit code, stdout and stderr."""
    controller, terminal = os.openpty()
    try:
        with subprocess.Popen(
            [command(), *arguments], cwd=tmp_path, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr
            said = b""
            while not said.endswith(b"[y/N] "):
                said += (read := process.stderr.read1())  # type: ignore[attr-defined]
                assert read, said
            os.write(controller, answer)
            out, rest = process.communicate(timeout=60)
            return process.returncode, out.decode(), (said + rest).decode()
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.parametrize("answer", [b"\n", b"n\n", b"no\n", b"\x04", b"yesterday\n"])
def test_asks_and_does_nothing_without_a_yes(
    run: Run, photos: Path, copied: list[str], tmp_path: Path, answer: bytes
) -> None:
    run("dedupe", "photos", "--exact-only", "--plan", "plan.txt")
    before = sorted(tmp_path.rglob("*"))
    code, out, said = ask(tmp_path, answer, "dedupe", "--apply", "plan.txt", "--move-to", "aside")
    assert (code, out) == (1, "")
    assert "to be moved to aside:" in said
    assert re.search(r" 4  identical file +[\d.]+ kB\n", said)
    assert re.search(r" 4  files in all +[\d.]+ kB\n", said)
    assert said.endswith("nothing was done\n")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("option", [("--move-to", "aside"), ("--hard-link",)])
def test_asks_and_does_it_with_a_yes(
    run: Run, photos: Path, copied: list[str], tmp_path: Path, option: tuple[str, ...]
) -> None:
    run("dedupe", "photos", "--exact-only", "--plan", "plan.txt")
    code, out, said = ask(tmp_path, b"y\n", "dedupe", "--apply", "plan.txt", *option)
    assert code == 0
    assert out.startswith("4 pictures (")
    assert "lookalike dedupe --undo plan.undo.txt" in said


def test_ctrl_c_at_the_question(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--plan", "plan.txt")
    before = sorted(tmp_path.rglob("*"))
    arguments = [command(), "dedupe", "--apply", "plan.txt", "--move-to", "aside"]
    controller, terminal = os.openpty()
    with subprocess.Popen(arguments, cwd=tmp_path, stdin=terminal, stderr=subprocess.PIPE) as process:
        assert process.stderr
        said = b""
        while not said.endswith(b"[y/N] "):
            said += process.stderr.read1()  # type: ignore[attr-defined]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert b"interrupted" in process.stderr.read()
    os.close(controller)
    os.close(terminal)
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_terminal_nothing_is_done(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--plan", "plan.txt")
    before = sorted(tmp_path.rglob("*"))
    for option in (("--move-to", "aside"), ("--hard-link",)):
        for stdin in (subprocess.DEVNULL, subprocess.PIPE):
            line = [command(), "dedupe", "--apply", "plan.txt", *option]
            done = subprocess.run(
                line, cwd=tmp_path, capture_output=True, text=True, check=False, **_standard_input(stdin)
            )
            assert done.returncode == 2
            assert "expected an answer from a terminal" in sentence(done.stderr.splitlines()[-1] + "\n")
            assert "--yes" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def _standard_input(kind: int) -> dict[str, Any]:
    """Nothing, or a yes that no person typed."""
    return {"stdin": kind} if kind == subprocess.DEVNULL else {"input": "y\n"}


def test_what_belongs_to_a_picture_goes_with_it(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    sidecars = [tmp_path / copied[0]][0].with_suffix(".xmp"), tmp_path / f"{copied[1]}.XMP"
    for sidecar in sidecars:
        sidecar.write_text("stars")
    looking = ("dedupe", "photos", "--exact-only", "--keep", "oldest")
    assert f"with {sidecars[0].name}" in run(*looking).stdout
    (companion,) = [
        companion
        for line in run(*looking, "--json").stdout.splitlines()
        for other in json.loads(line)["others"]
        for companion in other["companions"]
        if companion["path"] == os.fspath(sidecars[0])
    ]
    assert (companion["what"], companion["size"]) == ("XMP sidecar", 5)
    run(*looking, "--html", "page.html", "--plan", "plan.txt")
    assert f"with {sidecars[1].name}" in (tmp_path / "page.html").read_text()
    done = run("dedupe", "--apply", "plan.txt", "--move-to", "aside", "--yes")
    assert done.stdout.startswith("4 pictures and 2 files beside them (")
    assert re.search(r" 2  XMP sidecar beside them +10 B\n", done.stderr)
    assert not any(sidecar.exists() for sidecar in sidecars)
    done = run("dedupe", "--undo", "plan.undo.txt")
    assert done.stdout.startswith("4 pictures and 2 files beside them (")
    assert all(sidecar.exists() for sidecar in sidecars)


def test_move_and_undo(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*.*") if ".lookalike" not in path.parts}
    told = run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json").stderr
    assert "lookalike dedupe --apply plan.json --move-to DIR" in told
    done = run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    assert done.stdout.startswith("4 pictures (")
    assert "lookalike dedupe --undo plan.undo.json" in done.stderr
    assert sorted(f"photos/{path.relative_to(tmp_path / 'aside')}" for path in tmp_path.glob("aside/**/*.*")) == copied
    run("dedupe", "photos", "--exact-only", code=1)
    again = run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes", code=1)
    assert "4 left alone:" in again.stderr
    assert run("dedupe", "--undo", "plan.undo.json").stdout.startswith("4 pictures (")
    assert {path: path.read_bytes() for path in before} == before
    assert run("dedupe", "--undo", "plan.undo.json", code=1).stdout.startswith("0 pictures")
    assert run("dedupe", "photos", "--exact-only").stdout


def test_the_empty_name_is_no_folder_to_move_to(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--plan", "plan.json")
    before = sorted(tmp_path.rglob("*"))
    assert "received an empty name" in sentence(run("dedupe", "--apply", "plan.json", "--move-to", "", code=2).stderr)
    assert "received both" in run("dedupe", "--apply", "plan.json", "--move-to", "", "--hard-link", code=2).stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_facts_come_back_with_their_pictures(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("\n".join(["path,label", *(f"{copy},{copy}" for copy in copied)]))
    run("index", "photos", "--metadata", "facts.csv")
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    run("sync", "photos")
    run("dedupe", "--undo", "plan.undo.json")
    query = sorted((photos / "cats").iterdir())[0]
    assert run("search", query, "photos", "--where", f"label = '{copied[0]}'").stdout.rstrip().endswith(copied[0])


def test_facts_come_back(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    lines = [f"{copy},copy {number}" for number, copy in enumerate(copied)]
    (tmp_path / "facts.csv").write_text("\n".join(["path,label", *lines]))
    run("index", "photos", "--metadata", "facts.csv")
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    run("sync", "photos", "--keep-facts", "0")  # else they come back with their pictures
    assert "facts given back to 4 pictures" in run("dedupe", "--undo", "plan.undo.json").stderr
    assert "facts" not in run("dedupe", "--undo", "plan.undo.json", code=1).stderr
    query = sorted((photos / "cats").iterdir())[0]
    for number, copy in enumerate(copied):
        found = run("search", query, "photos", "--where", f"label = 'copy {number}'").stdout
        assert found.rstrip().endswith(copy)


def test_facts_that_cannot_come_back_now(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("\n".join(["path,label", *(f"{copy},copy" for copy in copied)]))
    run("index", "photos", "--metadata", "facts.csv")
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    run("sync", "photos", "--keep-facts", "0")  # else they come back with their pictures
    catalogue = photos / ".lookalike" / "catalogue.sqlite"
    intact = catalogue.read_bytes()
    catalogue.write_bytes(b"damaged" * 1000)
    said = run("dedupe", "--undo", "plan.undo.json", code=2).stderr
    assert "was not given back" in said
    assert "then run this once more" in said
    catalogue.write_bytes(intact)
    assert "facts given back to 4 pictures" in run("dedupe", "--undo", "plan.undo.json").stderr


def test_hard_link_and_undo(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json")
    done = run("dedupe", "--apply", "plan.json", "--hard-link", "--yes")
    assert "4 pictures" in done.stdout
    assert "4 of them had another time of change, and have that of the one kept now" in done.stderr
    assert [os.stat(tmp_path / copy).st_nlink > 1 for copy in copied] == [True] * 4
    run("dedupe", "photos", "--exact-only", code=1)  # names of one file are no copies
    run("dedupe", "--undo", "plan.undo.json")
    assert [os.stat(tmp_path / copy).st_nlink for copy in copied] == [1] * 4


def test_what_was_left_alone_is_told(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--plan", "plan.json")
    (tmp_path / copied[0]).write_bytes(b"edited")
    done = run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    assert done.stdout.startswith("3 pictures")
    assert f"{copied[0]}: its size or time has changed" in done.stderr
    assert (tmp_path / copied[0]).read_bytes() == b"edited"


def test_page(run: Run, photos: Path, copied: list[str], tmp_path: Path) -> None:
    run("dedupe", "photos", "--exact-only", "--keep", "oldest", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img ") == 2, "identical files need one picture"
    assert page.count(">Kept<") == 2
    assert page.count(">Set aside<") == 4
    assert page.count(">identical file<") == 4
    assert "4 identical files</a>" in page
    assert "Copies in photos" in page


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
        (["photos", "--yes"], "--yes does not go"),
        (["--undo", "x", "--yes"], "--yes does not go"),
        (["--undo", "x", "--json"], "--json does not go"),
        (["--undo", "x", "--reference", "photos"], "--reference does not go"),
        (["--apply", "plan", "--hard-link", "--similar"], "--similar does not go"),
        (["photos", "--include", "similar"], "similar"),
        (["photos", "photos/../photos"], "expected each folder once"),
        (["photos", "--reference", "photos"], "expected each folder once"),
        (["--apply", "plan", "--hard-link", "--within", "0.1"], "--within does not go"),
        (["--undo", "none"], "expected a dedupe undo at none"),
        (["--apply", "none", "--hard-link"], "expected a dedupe plan at none"),
        (["photos", "--within", "-1"], "expected a distance of cosine, from 0 to 2"),
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
    arguments = [command(), "dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes"]
    process = subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    aside = tmp_path / "aside"
    while not (aside.exists() and len(os.listdir(aside)) > 1):  # one may be on its way yet, and go back
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted;" in sentence(told.splitlines()[-1] + "\n")
    assert "take it back with: lookalike dedupe --undo plan.undo.json" in told
    assert 0 < len(os.listdir(aside)) < 3000
    run("dedupe", "--undo", "plan.undo.json")
    assert os.listdir(aside) == []
    assert len(list(photos.glob("copy*"))) == 3000
