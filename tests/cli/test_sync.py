"""`lookalike sync` and `index`: what they say, once and for as long as they run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, command

pytestmark = pytest.mark.thorough

HOLD = """
import sys
from lookalike.collection.lock import writer_lock
with writer_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


GONE = "nothing is indexed here, and no source is left: those that were given are gone; give others"


@contextmanager
def held(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another writer, until its stdin ends."""
    arguments = [sys.executable, "-c", HOLD, str(directory)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


@contextmanager
def watching(where: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [command(), "sync", str(where), "--watch", "--json", *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def next_report(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    report: dict[str, Any] = json.loads(process.stdout.readline())
    return report


def count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*") if ".lookalike" not in path.parts)


def test_sync_indexes_and_then_finds_nothing_new(run: Run, photos: Path) -> None:
    number = count(photos)
    assert run("sync", "photos").stderr.startswith(f"{number} pictures indexed: {number} new, in ")
    done = run("sync", "photos")
    assert done.stderr.startswith(f"{number} pictures indexed: nothing new, in ")
    assert done.stdout == ""


def test_sync_tells_each_kind_of_change(run: Run, photos: Path, picture: Path) -> None:
    run("sync", "photos")
    number = count(photos)
    clock, cat = sorted((photos / "clocks").iterdir())[:2]
    clock.rename(photos / "moved.jpg")
    cat.unlink()
    picture.write_bytes(picture.read_bytes() + b"\n")
    (photos / "new.png").write_text("no picture")
    done = run("sync", "photos", "--json")
    assert "1 changed, 1 moved, 1 removed" in done.stderr
    report = json.loads(done.stdout)
    assert (report["changed"], report["moved"], report["removed"], report["new"]) == (1, 1, 1, 0)
    assert (report["unchanged"], report["indexed"]) == (number - 3, number - 1)
    assert report["found"] == count(photos)
    assert [Path(failure["path"]).name for failure in report["failures"]] == ["new.png"]
    assert report["collection"] == str(photos / ".lookalike")
    assert set(report["seconds"]) == {"find", "decode", "embed", "commit", "seal", "elapsed"}


def test_index_gives_the_same_report(run: Run, photos: Path) -> None:
    report = json.loads(run("index", photos / "fruit", photos / "cats", "--to", "both", "--json").stdout)
    again = json.loads(run("sync", "both", "--json").stdout)
    assert report.keys() == again.keys()
    assert report["new"] == again["unchanged"] == count(photos / "fruit") + count(photos / "cats")


def test_stats_tell_each_stage(run: Run, photos: Path) -> None:
    for verb in ("index", "sync"):
        lines = run(verb, "photos", "--stats").stderr.splitlines()[1:]
        assert "cores busy" in lines[0]
        assert [line.split()[0] for line in lines[1:]] == ["find", "decode", "embed", "commit", "seal", "other"]
        shares = [float(line.split("%")[0].split()[-1]) for line in lines[1:]]
        assert sum(shares) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("where", ["nowhere", "photos/cat.jpg", "empty"])
@pytest.mark.parametrize("options", [[], ["--watch"]])
def test_what_cannot_be_synced_is_one_sentence(run: Run, photos: Path, where: str, options: list[str]) -> None:
    shutil.copy(sorted((photos / "cats").iterdir())[0], photos / "cat.jpg")
    (photos.parent / "empty").mkdir()
    done = run("sync", where, *options, code=2)
    assert done.stderr.startswith("lookalike: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("option", [["--wait", "-1"], ["--wait", "nan"], ["--poll", "0"]])
def test_seconds_that_are_none_are_refused(run: Run, photos: Path, option: list[str]) -> None:
    assert "seconds" in run("sync", "photos", *option, code=2).stderr
    assert not (photos / ".lookalike").exists()


def test_a_read_only_collection_is_an_error(photos: Path, run: Run, without_powers: list[str]) -> None:
    run("index", "photos")
    own = photos / ".lookalike"
    own.chmod(0o500)
    (own / "lock").unlink()
    done = subprocess.run([*without_powers, command(), "sync", str(photos)], capture_output=True, text=True)
    own.chmod(0o700)
    assert done.returncode == 2
    assert "lookalike: expected to write in" in done.stderr


@pytest.mark.parametrize("verb", ["index", "sync"])
def test_another_writer_is_an_error_or_waited_for(run: Run, photos: Path, verb: str) -> None:
    run("index", "photos")
    with held(photos / ".lookalike") as other:
        assert f"process {other.pid}" in run(verb, "photos", code=2).stderr
        assert "after 0.2 s" in run(verb, "photos", "--wait", "0.2", code=2).stderr
        arguments = [command(), verb, str(photos), "--wait", "inf"]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr
            assert f"(process {other.pid})" in waiting.stderr.readline()
            other.communicate()
            assert waiting.wait(timeout=60) == 0
            assert "nothing new" in waiting.stderr.read()


@pytest.mark.parametrize(("options", "code"), [(["--wait", "inf"], 0), (["--watch"], 130)])
def test_another_that_makes_the_index_is_waited_for(photos: Path, options: list[str], code: int) -> None:
    (photos / ".lookalike").mkdir()
    with held(photos / ".lookalike") as other:
        arguments = [command(), "sync", str(photos), *options]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr
            assert f"(process {other.pid})" in waiting.stderr.readline()
            other.communicate()
            assert f"{count(photos)} pictures indexed" in waiting.stderr.readline()
            if code:
                waiting.send_signal(signal.SIGINT)
            assert waiting.wait(timeout=60) == code


def test_watch_says_that_the_folder_with_the_index_is_away_and_back(photos: Path) -> None:
    with watching(photos) as process:
        next_report(process)
        photos.rename(photos.with_name("away"))
        assert [lost["path"] for lost in next_report(process)["lost"]] == [str(photos / ".lookalike")]
        photos.with_name("away").rename(photos)
        assert next_report(process)["lost"] == []
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr
        lines = process.stderr.read().splitlines()
    assert lines[2].startswith(f"not looked at, its pictures are kept as they were: {photos / '.lookalike'}: the coll")
    assert lines[3] == f"looked at again: {photos / '.lookalike'}"


def test_watch_follows_until_ctrl_c(photos: Path, picture: Path) -> None:
    number = count(photos)
    with watching(photos) as process:
        assert next_report(process)["new"] == number
        shutil.copy(picture, photos / "copy.jpg")
        report = next_report(process)
        assert (report["new"], report["embedded"], report["indexed"]) == (1, 0, number + 1)
        (photos / "copy.jpg").unlink()
        assert next_report(process)["removed"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr
        lines = process.stderr.read().splitlines()
    assert [line[10:] for line in lines[2:4]] == [
        f"1 new; {number + 1} pictures indexed, in {report['seconds']['elapsed']:.1f} s",
        lines[3][10:],
    ]
    assert lines[1] == f"following {photos}; Ctrl-C ends it"
    assert f"{number} pictures are kept" in lines[-1]
    assert len(lines) == 5


def test_watch_names_only_the_failures_of_its_round(photos: Path) -> None:
    with watching(photos, "--poll", "0.2") as process:
        next_report(process)
        for name in ("one.png", "two.png"):
            (photos / name).write_text("a text")
            next_report(process)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert process.stderr
        lines = process.stderr.read().splitlines()
    assert [os.path.basename(line.split(":")[0]) for line in lines if "a text" in line or "is text" in line] == [
        "one.png",
        "two.png",
    ]


def test_an_index_whose_only_source_is_gone_says_so(run: Run, picture: Path, tmp_path: Path) -> None:
    shutil.copy(picture, tmp_path / "one.png")
    run("index", "one.png", "--to", "idx")
    (tmp_path / "one.png").unlink()
    for _ in range(2):
        told = run("sync", "idx", code=2).stderr
        assert f"lookalike: {GONE}: lookalike index SRC... --to PATH\n" in told
