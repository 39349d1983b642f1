"""The child that reads: its limits, its end, and archives that change meanwhile."""

from __future__ import annotations

import errno
import gc
import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lookalike.errors import ArchiveError, LookalikeError, ReadError
from lookalike.images import process
from lookalike.images.archives import look, read, reader
from lookalike.images.archives.contents import Contents
from lookalike.images.given import Given
from tests.images.archives.made import (
    END,
    ENDINGS,
    MEMBER,
    PICTURES,
    headers,
    make,
    make_parquet,
    make_zip,
    readers,
    refused,
    require_refused,
)

pytestmark = pytest.mark.thorough

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")
NOISE = random.Random(1).randbytes(4 << 20)
LARGE = {f"{number}.jpg": NOISE for number in range(4)}  # more than a pipe holds
IMPORT = "from lookalike.images.archives.worker import main"


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.01)
    return happens()


def change_child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The child runs `code` before it serves."""
    monkeypatch.setattr(reader, "_START", reader._START.replace(IMPORT, f"{code}\n{IMPORT}"))


def the_child() -> int:
    (child,) = readers()
    return child._process.pid


# -- its end


def test_a_child_ends_when_all_is_read_or_looked_at(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", PICTURES)
    look(str(path))
    assert readers() == []
    pictures = read(str(path))
    assert readers() == [], "none before it is needed"
    assert next(pictures) == Given("00.png", PICTURES["00.png"])
    pid = the_child()
    assert len(list(pictures)) == len(PICTURES) - 1
    assert readers() == []
    assert gone(pid)


def test_closing_or_dropping_the_iterator_ends_the_child(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", LARGE)
    pictures = read(str(path))
    next(pictures)
    pid = the_child()
    pictures.close()  # type: ignore[attr-defined]
    assert gone(pid)
    for _ in read(str(path)):
        pid = the_child()
        break
    gc.collect()
    assert gone(pid)


SCRIPT = """
import os, signal, sys, threading
from lookalike.images.archives import read
from lookalike.images.process import _living

def end():
    print(*[child._process.pid for child in _living], flush=True)
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))

if sys.argv[3] == "while it looks":
    threading.Timer(0.3, end).start()
for picture in read(sys.argv[1]):
    end()
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("when", ["while it looks", "while it reads"])
def test_the_child_ends_with_its_parent(tmp_path: Path, name: str, when: str) -> None:
    path = tmp_path / "a.tar"
    if when == "while it looks":
        path.write_bytes(b"".join(headers(f"{number}.jpg" for number in range(100_000))) + END)
    else:
        make(path, LARGE)
    command = [sys.executable, "-c", SCRIPT, str(path), name, when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -getattr(signal, name)
    (pid,) = map(int, done.stdout.split())
    assert eventually(lambda: gone(pid))


def test_a_script_needs_no_main_guard_and_no_module_of_its_folder(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", PICTURES)
    for name in ("tarfile", "zipfile", "lookalike", "json", "types", "pyarrow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the folder of archives')")
    code = f"""
import sys
sys.path.insert(0, {str(Path(process.__file__).parent.parent.parent)!r})
from lookalike.images.archives import read
import os
os.chdir({str(tmp_path)!r})
print(sum(1 for _ in read({str(path)!r})))
"""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "script.py").write_text(code)
    command = [sys.executable, str(tmp_path / "script" / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (f"{len(PICTURES)}\n", "")


def test_the_child_imports_no_more_than_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell = """
from lookalike.errors import ArchiveError
from lookalike.images.archives import worker
def tell(archive):
    raise ArchiveError(repr(sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "pyarrow", "PIL", "site"})))
worker._Archive.look = tell"""
    change_child(monkeypatch, tell)
    for ending in ENDINGS:
        with pytest.raises(ArchiveError, match=r": \[\]$"):
            look(str(make(tmp_path / f"a.{ending}", PICTURES)))


# -- its limits


def test_a_child_that_is_killed_ends_the_reading(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", LARGE)
    pictures = read(str(path))
    next(pictures)
    os.kill(the_child(), signal.SIGKILL)
    with refused(path, r"but its reader was ended by signal 9 \(Killed\); leave it out"):
        list(pictures)
    assert readers() == []


def test_a_child_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.tar", PICTURES)
    monkeypatch.setattr(reader, "_START", "raise ImportError('nothing here')")
    with pytest.raises(LookalikeError, match=r"process to start, .*nothing here.; reinstall lookalike"):
        look(str(path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with pytest.raises(LookalikeError, match="expected an archive reader process to start, received No such file"):
        look(str(path))


def test_a_child_that_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.tar", LARGE)
    pictures = read(str(path))
    next(pictures)
    pid = the_child()
    monkeypatch.setattr(reader, "_SECONDS", 0.5)
    os.kill(pid, signal.SIGSTOP)  # as on a network drive that no longer answers
    with refused(path, "but nothing of it came in 0.5 s; copy it to a faster drive"):
        list(pictures)
    assert gone(pid)


def test_a_step_of_too_much_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty members of gzip give nothing for ever."""
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(MEMBER + END) + gzip.compress(b"") * 150_000)
    monkeypatch.setattr(reader, "_CPU_SECONDS", 0.2)
    require_refused(path, "but a step took more than 0.2 s of CPU time; leave it out")


def test_time_is_counted_for_each_step_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number}.jpg" for number in range(100_000)]
    path = tmp_path / "a.tar"
    path.write_bytes(b"".join(headers(names)) + END)
    before = os.times().children_user
    monkeypatch.setattr(reader, "_CPU_SECONDS", 0.5)
    assert look(str(path)).names == names
    assert os.times().children_user - before > 0.5


@LINUX
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_more_members_than_memory(tmp_path: Path, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:06}.jpg" for number in range(100_000)]
    path = tmp_path / f"a.{kind}"
    if kind == "tar":
        path.write_bytes(b"".join(headers(names)) + END)
    else:
        make_zip(path, dict.fromkeys(names, b""))
    monkeypatch.setitem(reader._MEMORY, kind, 20 << 20)
    require_refused(
        path, "expected an archive that can be read in 20 MiB of memory, received one that needs more; split"
    )
    monkeypatch.setitem(reader._MEMORY, kind, 1 << 30)
    assert look(str(path)).names == names
    change_child(monkeypatch, "from lookalike.images.archives import contents; contents.NAMES = 4 << 20")
    with refused(path, "expected an archive of fewer pictures, received .*, whose names take more than 4 MiB; split"):
        look(str(path))


@LINUX
def test_others_than_pictures_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"".join(headers(f"{number:06}.cls" for number in range(100_000))) + MEMBER + END)
    monkeypatch.setitem(reader._MEMORY, "tar", 20 << 20)
    contents = look(str(path))
    assert contents.names == ["a.png"]
    assert contents.passed[0].count == 100_000


# -- what changes


KINDS = ("tar", "tar.gz", "zip", "parquet")


def archive(tmp_path: Path, kind: str) -> Path:
    if kind != "parquet":
        return make(tmp_path / f"a.{kind}", LARGE)
    rows = [{"path": name, "image": data} for name, data in LARGE.items()]
    return make_parquet(tmp_path / "a.parquet", rows, row_group_size=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [os.utime, lambda path: os.truncate(path, path.stat().st_size // 2)])
def test_an_archive_that_changes_while_it_is_read(tmp_path: Path, kind: str, change: Callable[[Path], None]) -> None:
    path = archive(tmp_path, kind)
    pictures = read(str(path), contents=look(str(path)))
    assert next(pictures) == Given("0.jpg", NOISE)
    change(path)
    with refused(path, "expected the archive as it was looked at, received another; look at it again"):
        list(pictures)


def test_an_archive_that_changed_since_it_was_looked_at(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", PICTURES)
    contents = look(str(path))
    path.with_name("b.tar").write_bytes(path.read_bytes())
    path.with_name("b.tar").rename(path)
    with refused(path, "expected the archive as it was looked at"):
        next(read(str(path), contents=contents))


def test_contents_of_another_archive(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", PICTURES)
    right = look(str(path))
    for names in (["another.png", *right.names], right.names[1:], [*right.names, "more.png"]):
        with refused(path, "expected the archive as it was looked at"):
            list(read(str(path), contents=Contents(names, [], {}, right.state)))
    assert len(list(read(str(path), contents=Contents([], [])))) == len(PICTURES), "those of no archive are looked for"


# -- the system


def test_what_may_not_be_read(as_nobody: Path) -> None:
    path = make(as_nobody / "a.tar", PICTURES)
    path.chmod(0)
    with pytest.raises(ReadError, match="expected to read it, received 'Permission denied' from the system"):
        look(str(path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_drive_that_fails(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fail = """
import errno, os
def fail(descriptor, buffers):
    raise OSError(errno.EIO, "Input/output error")
os.readv = fail"""
    change_child(monkeypatch, fail)
    path = archive(tmp_path, kind)
    with pytest.raises(ReadError, match="expected to read it, received 'Input/output error' from the system") as error:
        look(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert error.value.errno == errno.EIO
