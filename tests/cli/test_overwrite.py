"""No page and no plan is written over what is no page or plan of lookalike's, and that is said before any work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough

MINE = b'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Mine</title>\n'


def refused(run: Run, photos: Path, *arguments: str | Path) -> str:
    """What a command says that is refused before it has looked at a folder."""
    done = run(*arguments, code=2)
    assert done.stdout == ""
    assert not (photos / ".lookalike").exists()
    return sentence(done.stderr)


@pytest.fixture
def with_copy(photos: Path, picture: Path) -> Path:
    (photos / "copy.png").write_bytes(picture.read_bytes())
    return photos


def test_a_picture_is_not_written_over(run: Run, photos: Path, picture: Path) -> None:
    before = picture.read_bytes()
    for arguments in (
        ("search", picture, photos, "--html", picture),
        ("dedupe", photos, "--html", picture),
        ("dedupe", photos, "--plan", picture),
        ("demo", "--html", picture),
    ):
        assert "; name another" in refused(run, photos, *arguments)
        assert picture.read_bytes() == before


def test_an_undo_file_is_not_written_over(run: Run, with_copy: Path, tmp_path: Path) -> None:
    run("dedupe", with_copy, "--plan", "plan.json")
    run("dedupe", "--apply", "plan.json", "--move-to", "aside", "--yes")
    before = (tmp_path / "plan.undo.json").read_bytes()
    for option, what in (("--plan", "plans"), ("--html", "pages")):
        done = run("dedupe", with_copy, option, "plan.undo.json", code=2)
        assert f"received a file that does not begin as lookalike's {what} do" in sentence(done.stderr)
        assert (tmp_path / "plan.undo.json").read_bytes() == before
    assert run("dedupe", "--undo", "plan.undo.json").stdout.startswith("1 picture (")


def test_a_page_of_anybody_else_is_not_written_over(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "site.html").write_bytes(MINE)
    for verb in (("search", picture, photos), ("dedupe", photos), ("demo",)):
        assert "lookalike's pages" in refused(run, photos, *verb, "--html", "site.html")
        assert (tmp_path / "site.html").read_bytes() == MINE


def test_a_page_and_a_plan_are_not_written_over_each_other(run: Run, with_copy: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("same")
    for page, plan in (("same", "same"), ("link", "same"), ("./same", tmp_path / "same")):
        assert "two files" in refused(run, with_copy, "dedupe", with_copy, "--html", page, "--plan", plan)
    run("dedupe", with_copy, "--html", "page.html", "--plan", "plan.json")
    assert "lookalike's pages" in run("dedupe", with_copy, "--html", "plan.json", code=2).stderr
    assert "lookalike's plans" in run("dedupe", with_copy, "--plan", "page.html", code=2).stderr


def test_a_page_and_a_plan_are_written_anew(run: Run, with_copy: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").touch()  # as mktemp leaves it
    for _ in range(2):
        run("search", picture, with_copy, "--html", "page.html")
        run("dedupe", with_copy, "--html", "groups.html", "--plan", "plan.json")
    run("dedupe", with_copy, "--html", "page.html")
    run("search", picture, with_copy, "--html", "/dev/stdout")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "an empty name"),
        ("folder", "Is a directory"),
        ("new/", "the folder new/"),
        ("dangling", "missing is no folder"),
        ("loop", "symbolic links"),
        ("x" * 300, "File name too long"),
        ("file/page.html", "Not a directory"),
    ],
)
def test_names_that_cannot_be_written(
    run: Run, photos: Path, picture: Path, tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("missing/page.html")
    (tmp_path / "loop").symlink_to("loop")
    for arguments in (
        ("search", picture, photos, "--html", name),
        ("dedupe", photos, "--html", name),
        ("dedupe", photos, "--plan", name),
    ):
        said = refused(run, photos, *arguments)
        assert "expected to write the p" in said
        assert why in said


def test_what_may_not_be_written_or_read(photos: Path, tmp_path: Path, without_powers: list[str]) -> None:
    """A file is replaced by a new one: it is its folder that must be writable."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "plan.json").touch()
    (tmp_path / "closed").chmod(0o555)
    (tmp_path / "unreadable").write_bytes(b"mine")
    (tmp_path / "unreadable").chmod(0)
    for name, what in (("closed/plan.json", "may be written"), ("unreadable", "Permission denied")):
        line = [*without_powers, command(), "dedupe", str(photos), "--plan", str(tmp_path / name)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert what in sentence(done.stderr)
    assert not (photos / ".lookalike").exists()
    (tmp_path / "unreadable").chmod(0o600)
    assert (tmp_path / "unreadable").read_bytes() == b"mine"
