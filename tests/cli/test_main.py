"""What holds for every verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import lookalike

from .conftest import Run, command, told


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"lookalike {lookalike.__version__}\n"


def test_help_names_every_verb(run: Run) -> None:
    text = run("--help").stdout
    assert all(verb in text for verb in ("demo", "search", "index", "info", "tune"))


def test_unknown_verb_is_one_sentence(run: Run) -> None:
    stderr = run("serach", code=2).stderr
    assert stderr.startswith("lookalike: ")
    assert stderr.count("\n") == 1


def test_missing_argument_is_one_sentence(run: Run) -> None:
    stderr = run("search", "cat.jpg", code=2).stderr
    assert "WHERE" in stderr
    assert stderr.count("\n") == 1


def test_debug_shows_where_an_error_came_from(run: Run) -> None:
    for arguments in (["--debug", "info", "nowhere"], ["info", "nowhere", "--debug"]):
        stderr = run(*arguments, code=2).stderr
        assert stderr.startswith("Traceback")
        assert stderr.splitlines()[-1].startswith("lookalike: expected a folder")
    assert "Traceback" not in run("info", "nowhere", code=2).stderr


def test_no_verb_shows_the_help_alone(run: Run) -> None:
    done = run(code=2)
    assert "lookalike demo" in done.stdout + done.stderr
    assert "lookalike: " not in done.stderr


def test_a_terminal_cannot_be_written_to_by_a_name(run: Run) -> None:
    assert "\x1b" not in run("info", "\x1b[31mred", code=2).stderr


def test_a_level_of_simd_that_is_not_there_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_SIMD", "mmx")
    stderr = run("info", ".", code=2).stderr
    assert "scalar" in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["search", "a.jpg", "photos", "--zzz"], "No such option: --zzz; see: lookalike search --help"),
        (["--zzz"], "No such option: --zzz; see: lookalike --help"),
        (["search", "-cat.jpg", "photos"], "a file's name that begins with a dash is written as ./-NAME"),
        (["serach"], "Did you mean 'search'? see: lookalike --help"),
    ],
)
def test_a_usage_error_names_the_help_of_its_verb(run: Run, arguments: list[str], advice: str) -> None:
    stderr = run(*arguments, code=2).stderr
    assert stderr.endswith(f"{advice}\n")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("where", ["lookalike.cli.app", "lookalike.collection.collection.Collection.info"])
def test_ctrl_c_anywhere_is_one_line(photos: Path, where: str) -> None:
    """In the imports, outside typer, and within a verb, where typer would swallow it."""
    program = """
import sys
from importlib import import_module
from lookalike.cli.main import main
def interrupt(*_):
    raise KeyboardInterrupt
where, sys.argv = sys.argv[1], sys.argv[1:]
if where == "lookalike.cli.app":
    class Finder:
        def find_spec(self, name, *_):
            if name == where:
                interrupt()
    sys.meta_path.insert(0, Finder())
else:
    import_module("lookalike.collection").Collection.info = interrupt
main()
"""
    lookalike.open(photos).close()
    arguments = [sys.executable, "-c", program, where, "info", str(photos)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "lookalike: interrupted\n")


def test_ctrl_c_while_the_process_ends_shows_no_traceback() -> None:
    script = """
import atexit, os, signal, sys, time
from lookalike.cli.main import main
atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(10)))
sys.argv = ["lookalike", "--version"]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")
    assert done.stdout.startswith("lookalike ")


def test_info_in_json_has_dates_in_iso_8601(run: Run, photos: Path) -> None:
    run("index", "photos")
    about = json.loads(run("info", "photos", "--json").stdout)
    created, updated = (datetime.fromisoformat(about[name]) for name in ("created", "updated"))
    assert created <= updated
    assert created.utcoffset() == timedelta(0)
    assert "T" in about["created"]


def test_python_m_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "lookalike", "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"lookalike {lookalike.__version__}\n"


def test_index_to_a_path_of_several_sources(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("index", photos / "fruit", photos / "clocks", "--to", "both")
    about = json.loads(run("info", "both", "--json").stdout)
    assert about["indexed"] == sum(1 for kind in ("fruit", "clocks") for _ in (photos / kind).iterdir())
    assert not (photos / "fruit" / ".lookalike").exists()
    assert len(run("search", picture, "both", "-k", "2").stdout.splitlines()) == 2


def test_info_of_what_is_not_indexed(run: Run, photos: Path) -> None:
    done = run("info", "photos", code=2)
    assert "lookalike index" in done.stderr
    assert not (photos / ".lookalike").exists()


def closed_pipe(*arguments: str | Path, stream: str = "stdout") -> tuple[int, str]:
    """The exit code of a command whose stream nobody reads, and what is on the other stream."""
    reader, writer = os.pipe()
    os.close(reader)
    line = [command(), *(os.fspath(argument) for argument in arguments)]
    with os.fdopen(writer, "wb") as nobody:
        if stream == "stdout":
            done = subprocess.run(line, stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False)
            return done.returncode, done.stderr.decode()
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=nobody, timeout=60, check=False)
        return done.returncode, done.stdout.decode()


def test_nobody_reads_what_is_printed(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("index", photos)
    for arguments in (
        ["--help"],
        ["--version"],
        ["search", "--help"],
        [],
        ["info", photos],
        ["info", photos, "--json"],
        ["search", picture, photos, "--json"],
        ["dedupe", photos, "--within", "0.5", "--similar"],
    ):
        code, stderr = closed_pipe(*arguments)
        assert (code, told(stderr)) == (141, ""), arguments


def test_files_are_written_though_nobody_reads_the_list(run: Run, photos: Path, tmp_path: Path) -> None:
    run("index", photos)
    plan, page = tmp_path / "plan.txt", tmp_path / "page.html"
    code, _ = closed_pipe("dedupe", photos, "--within", "0.5", "--similar", "--plan", plan, "--html", page)
    assert code == 141
    assert plan.read_text().startswith("# lookalike dedupe plan")
    assert page.stat().st_size > 1000


def test_nobody_reads_what_is_noted(photos: Path, tmp_path: Path) -> None:
    for arguments in (["index", photos], ["sync", photos], ["info", "nowhere"], ["--zzz"]):
        assert closed_pipe(*arguments, stream="stderr") == (141, ""), arguments


@pytest.mark.parametrize(
    ("arguments", "full"),
    [
        ("info photos", "1"),
        ("info photos", "1 2"),
        ("info nowhere", "2"),
        ("--debug info nowhere", "2"),
        ("verify photos", "2"),
        ("sync photos", "2"),
        ("--zzz", "2"),
    ],
)
def test_a_stream_that_cannot_be_written_is_an_error(run: Run, photos: Path, arguments: str, full: str) -> None:
    """Also stderr, where no more can be said than by the exit code."""
    run("index", "photos")
    line = " ".join([command(), arguments, *(f"{number}>/dev/full" for number in full.split())])
    done = subprocess.run(["bash", "-c", line], cwd=photos.parent, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 0 if "2" in full else 1)


def test_a_reader_that_has_enough(run: Run, photos: Path) -> None:
    run("index", photos)
    for verb in ("--help", f"info {photos}"):
        script = f"{command()} {verb} | head -n 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        assert done.stdout.splitlines()[-1] in ("0", "141")
