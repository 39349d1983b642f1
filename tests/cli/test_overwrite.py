"""No page and no plan is written over a file that is not lookalike's."""

from __future__ import annotations

from pathlib import Path

from .conftest import Run


def test_a_picture_is_not_written_over(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    before = picture.read_bytes()
    for command in (
        ("search", picture, photos, "--html", picture),
        ("dedupe", photos, "--html", picture),
        ("dedupe", photos, "--plan", picture),
        ("demo", "--html", picture),
    ):
        assert "none of lookalike's; name another" in run(*command, code=2).stderr
        assert picture.read_bytes() == before
    assert not (photos / ".lookalike").exists()


def test_a_page_and_a_plan_are_written_anew(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (photos / "copy.png").write_bytes(picture.read_bytes())
    for _ in range(2):
        run("search", picture, photos, "--html", tmp_path / "page.html")
        run("dedupe", photos, "--html", tmp_path / "groups.html", "--plan", tmp_path / "plan.json")
    run("search", picture, photos, "--html", "/dev/stdout")
