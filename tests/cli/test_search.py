"""`lookalike search`, as a user types it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Run, command, told


def sentence(stderr: str) -> str:
    """The one line that an error is."""
    assert "Traceback" not in stderr
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("lookalike: ")
    return lines[0]


def test_first_search_indexes_and_second_answers(run: Run, photos: Path, picture: Path) -> None:
    first = run("search", picture, "photos", "-k", "3")
    assert "pictures indexed" in first.stderr
    second = run("search", picture, "photos", "-k", "3")
    assert told(second.stderr) == ""
    assert second.stdout == first.stdout
    rows = [line.split("  ", 2) for line in second.stdout.splitlines()]
    distances = [float(distance) for distance, _, _ in rows]
    scores = [float(score) for _, score, _ in rows]
    assert len(rows) == 3
    assert distances == sorted(distances)
    assert scores == sorted(scores, reverse=True)
    assert all((photos.parent / path).is_file() for _, _, path in rows)
    assert str(picture.relative_to(photos.parent)) not in [path for _, _, path in rows]


def test_finds_its_own_kind(run: Run, photos: Path) -> None:
    clock = sorted((photos / "clocks").iterdir())[0]
    rows = run("search", clock, "photos", "-k", "3").stdout.splitlines()
    assert sum("/clocks/" in row for row in rows) >= 2


def test_second_search_imports_neither_model_nor_decoder(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    program = (
        "import sys; from lookalike.cli.main import run; code = run(sys.argv[1:]);"
        "loaded = {'onnxruntime', 'PIL', 'jinja2', 'rich'} & set(sys.modules);"
        "sys.exit(f'imported {loaded}' if loaded else code)"
    )
    arguments = [sys.executable, "-c", program, "search", str(picture), str(photos)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, told(done.stderr)) == (0, "")
    assert done.stdout


def test_later_searches_notice_changes(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    shutil.copy(picture, photos / "copy.png")
    next((photos / "cats").iterdir()).unlink()
    again = run("search", picture, "photos", "-k", "1")
    assert "1 new" in again.stderr
    assert "1 removed" in again.stderr
    assert again.stdout.split()[-1].endswith("copy.png")
    assert told(run("search", picture, "photos").stderr) == ""


def test_a_picture_from_elsewhere(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    smaller = tmp_path / "smaller.jpg"
    with Image.open(picture) as image:
        rgb = Image.new("RGB", image.size, "white")
        rgb.paste(image.convert("RGBA"), mask=image.convert("RGBA"))
        rgb.resize((150, 150)).save(smaller)
    nearest = run("search", smaller, "photos", "-k", "1").stdout
    assert nearest.split("  ")[-1].strip() == str(picture.relative_to(tmp_path))


def test_json_is_one_object_a_line(run: Run, photos: Path, picture: Path) -> None:
    hits = [json.loads(line) for line in run("search", picture, "photos", "-k", "4", "--json").stdout.splitlines()]
    assert [hit["rank"] for hit in hits] == [1, 2, 3, 4]
    assert all(os.path.isfile(hit["path"]) for hit in hits)
    assert {"distance", "id", "recall"} <= set(hits[0])
    assert all(hit["score"] >= 0.1 and hit["match"] is True for hit in hits[:1])


def test_names_that_are_not_utf8_come_back_as_bytes(run: Run, photos: Path, picture: Path) -> None:
    name = os.fsencode(photos) + b"/\xff\nname.png"
    shutil.copy(os.fsencode(picture), name)
    line = run("search", picture, "photos", "-k", "1", "--json").stdout
    hit = json.loads(line)
    assert base64.b64decode(hit["path_base64"]) == name
    assert hit["path"] == f"{photos}/\\xff\\nname.png"
    text = run("search", picture, "photos", "-k", "1").stdout
    assert text.count("\n") == 1
    assert r"\xff\nname.png" in text


def test_html_page(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("search", picture, "photos", "-k", "3", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/") == 4
    assert "http:" not in page


def test_html_page_that_cannot_be_written_is_refused_first(run: Run, photos: Path, picture: Path) -> None:
    assert "nowhere" in sentence(run("search", picture, "photos", "--html", "nowhere/p.html", code=2).stderr)
    assert not (photos / ".lookalike").exists()


def test_none_within_the_distance_is_exit_1(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    done = run("search", picture, "photos", "--max-distance", "1e-6", code=1)
    assert done.stdout == ""
    assert told(done.stderr).startswith("nothing found within a distance of 1e-06")


def test_k_beyond_the_folder_gives_all_others(run: Run, photos: Path, picture: Path) -> None:
    count = sum(1 for path in photos.rglob("*") if path.is_file())
    assert len(run("search", picture, "photos", "-k", "1000").stdout.splitlines()) == count - 1


@pytest.mark.parametrize("k", ["0", "-3"])
def test_k_below_1(run: Run, photos: Path, picture: Path, k: str) -> None:
    assert "at least 1" in sentence(run("search", picture, "photos", "-k", k, code=2).stderr)
    assert not (photos / ".lookalike").exists(), "refused before anything was indexed"


@pytest.mark.parametrize(
    "options",
    [
        ["--recall", "0"],
        ["--recall", "nan"],
        ["--exact", "--recall", "0.9"],
        ["--max-distance", "nan"],
        ["--max-distance", "2.5"],
    ],
)
def test_how_far_is_refused_before_any_work(run: Run, photos: Path, picture: Path, options: list[str]) -> None:
    assert "expected" in sentence(run("search", picture, photos, *options, code=2).stderr)
    assert not (photos / ".lookalike").exists()


def test_k_that_is_no_number(run: Run, photos: Path, picture: Path) -> None:
    sentence(run("search", picture, "photos", "-k", "many", code=2).stderr)


def test_a_query_beyond_the_limit_is_refused_unread(run: Run, photos: Path, tmp_path: Path) -> None:
    run("index", photos)
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(1 << 40)  # sparse; its hash would take an hour
    assert "at most 512 MiB are read" in sentence(run("search", "huge.jpg", photos, code=2).stderr)


def test_missing_query(run: Run, photos: Path) -> None:
    assert "not there" in sentence(run("search", "nosuch.jpg", "photos", code=2).stderr)


def test_query_that_is_text(run: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("these are notes, not a picture\n" * 10)
    assert "notes.jpg" in sentence(run("search", "notes.jpg", "photos", code=2).stderr)
    assert not (photos / ".lookalike").exists(), "refused before anything was indexed"


def test_missing_folder(run: Run, picture: Path) -> None:
    assert "nowhere" in sentence(run("search", picture, "nowhere", code=2).stderr)


def test_folder_that_is_a_file(run: Run, picture: Path) -> None:
    sentence(run("search", picture, picture, code=2).stderr)


def test_empty_folder(run: Run, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "expected pictures in" in sentence(run("search", picture, "empty", code=2).stderr)
    assert not any((tmp_path / "empty").iterdir()), "nothing is left in a folder without pictures"


def test_unreadable_pictures_are_listed_and_never_fatal(run: Run, photos: Path, picture: Path) -> None:
    (photos / "notes.jpg").write_text("text")
    (photos / "half.png").write_bytes(picture.read_bytes()[:200])
    (photos / "drawing.svg").write_text("<svg/>")
    done = run("search", picture, "photos", "-k", "1")
    assert "2 could not be read" in done.stderr
    assert "notes.jpg: " in done.stderr
    assert "half.png: " in done.stderr
    assert "1 skipped" in done.stderr
    assert told(run("search", picture, "photos", "-k", "1").stderr) == "", "said once"
    assert "notes.jpg: " in run("info", "photos").stdout


def test_a_folder_in_which_nothing_can_be_read_says_why(run: Run, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.jpg").write_text("text")
    for _ in range(2):
        *reasons, last = run("search", picture, "texts", code=2).stderr.splitlines()
        assert "notes.jpg: not a picture: its content is text" in reasons[-1]
        assert last.startswith("lookalike: of 1 picture in ")


def test_no_permission_says_where_to_index_instead(
    run: Run, photos: Path, picture: Path, without_powers: list[str]
) -> None:
    photos.chmod(0o555)
    try:
        done = subprocess.run(
            [*without_powers, command(), "search", str(picture), str(photos)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        photos.chmod(0o755)
    assert done.returncode == 2
    assert "lookalike index" in sentence(done.stderr)
    assert "--to" in done.stderr


def test_damaged_and_foreign_indexes_are_refused(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    catalogue = photos / ".lookalike" / "catalogue.sqlite"
    segment = next((photos / ".lookalike" / "segments").iterdir())
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-100])
    assert segment.name in sentence(run("search", picture, "photos", code=2).stderr)
    segment.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert segment.name in sentence(run("search", picture, "photos", code=2).stderr)
    segment.write_bytes(whole)
    run("search", picture, "photos")
    for leftover in photos.glob(".lookalike/catalogue.sqlite-*"):
        leftover.unlink()
    catalogue.write_bytes(b"not a database at all" * 100)
    assert "catalogue.sqlite" in sentence(run("search", picture, "photos", code=2).stderr)


def test_a_closed_pipe_is_141_also_beyond_the_buffer(run: Run, photos: Path, picture: Path) -> None:
    for i in range(60):
        shutil.copy(picture, photos / f"{i}{'n' * 200}.png")
    run("index", "photos")
    for verb in (f"search '{picture}' '{photos}' -k 1000", f"search '{picture}' '{photos}' --json", f"info '{photos}'"):
        quoted = f"{{ sleep 0.1; '{command()}' {verb}; echo $? >&2; }} | :"
        done = subprocess.run(["bash", "-c", quoted], capture_output=True, text=True, timeout=60)
        assert done.stderr == "141\n"


def test_a_disk_that_is_full_leaves_what_is_there_to_search(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    for i in range(30):
        Image.effect_noise((64, 64), 10 + i).save(photos / f"new{i}.png")

    def on_a_full_disk(*arguments: str) -> subprocess.CompletedProcess[str]:
        limited = ["bash", "-c", 'ulimit -f 64; exec "$@"', "bash", command(), *arguments]  # KiB a file
        return subprocess.run(limited, capture_output=True, text=True, timeout=60)

    searched = on_a_full_disk("search", str(picture), str(photos), "-k", "3")
    assert searched.returncode == 0, searched.stderr
    assert searched.stderr.startswith("not brought up to date: expected to write")
    assert len(searched.stdout.splitlines()) == 3
    indexed = on_a_full_disk("index", str(photos))
    assert indexed.returncode == 2
    sentence(indexed.stderr)
    assert "30 new" in run("index", "photos").stderr


def test_closed_streams_are_no_error(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    quoted = f"'{command()}' search '{picture}' '{photos}' >&- && '{command()}' search '{picture}' '{photos}' 2>&-"
    done = subprocess.run(["bash", "-c", quoted], capture_output=True, text=True, timeout=60)
    assert (done.returncode, told(done.stderr)) == (0, "")
    assert len(done.stdout.splitlines()) == 10
    missing = f"'{command()}' search nosuch '{photos}' 2>&-"
    assert subprocess.run(["bash", "-c", missing], timeout=60).returncode == 2


def test_ctrl_c_in_mid_index_keeps_what_was_done(run: Run, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for i in range(400):
        Image.effect_noise((160, 120), 10 + i % 90).save(many / f"{i}.png")
    started = subprocess.Popen([command(), "index", "many"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    _wait_for_a_batch(many / ".lookalike" / "catalogue.sqlite", started)
    started.send_signal(2)
    _, stderr = started.communicate(timeout=60)
    assert started.returncode == 130, stderr
    assert "interrupted" in sentence(stderr)
    kept = json.loads(run("info", "many", "--json").stdout)["indexed"]
    assert 0 < kept < 400
    again = run("index", "many")
    assert f"{400 - kept} new" in again.stderr
    assert json.loads(run("info", "many", "--json").stdout)["indexed"] == 400


def _wait_for_a_batch(catalogue: Path, process: subprocess.Popen[str]) -> None:
    import sqlite3

    for _ in range(3000):
        assert process.poll() is None, "it ended before it was interrupted"
        if catalogue.exists():
            try:
                with sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True) as database:
                    if database.execute("SELECT count(*) FROM items").fetchone()[0]:
                        return
            except sqlite3.OperationalError:
                pass  # not made yet
        time.sleep(0.01)
    raise AssertionError("no batch was committed")


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_pictures_whose_only_folder_is_away_are_found_all_the_same(
    run: Run, photos: Path, picture: Path, left: str
) -> None:
    query = photos.parent / "query.jpg"
    shutil.copy(picture, query)
    run("index", "photos", "--to", "index")
    photos.rename(photos.with_name("away"))
    if left != "nothing":
        photos.mkdir()
    done = run("search", "query.jpg", "index", "-k", "3")
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.startswith("not brought up to date: ")
    assert str(photos) in done.stderr
    assert "lookalike: " in run("sync", "index", code=2).stderr


def test_in_a_working_folder_that_is_gone(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f"cd gone && rmdir ../gone && {command()} search {picture} {photos} -k 1 && {command()} dedupe {photos}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert f"  {photos}/" in done.stdout
    assert "nothing is proposed" in done.stderr  # two clocks that show another hour are shown
    assert done.returncode == 0
