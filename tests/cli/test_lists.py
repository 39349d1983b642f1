from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike
from lookalike.cli.lists import LONGEST, names
from lookalike.errors import ArgumentError, NoPicturesError, ReadError

from ..memory import GROWN


def listed(content: bytes, *, null: bool = False) -> list[tuple[int, str]]:
    return list(names(io.BytesIO(content), null))


def test_names_end_with_their_lines() -> None:
    assert listed(b"a.jpg\nb c.jpg\n") == listed(b"a.jpg\nb c.jpg") == [(1, "a.jpg"), (2, "b c.jpg")]
    assert listed(b"\n\na\n\n\nb\n\n") == [(3, "a"), (6, "b")]
    assert listed(b" a \n\t\n-\n") == [(1, " a "), (2, "\t"), (3, "-")]


def test_names_end_in_nul() -> None:
    assert listed(b"a\nb\0c\r\0", null=True) == listed(b"a\nb\0c\r", null=True) == [(1, "a\nb"), (2, "c\r")]
    assert listed(b"\0\0a\0\0b\0\0", null=True) == [(3, "a"), (5, "b")]


def test_names_are_bytes() -> None:
    content = bytes(byte for byte in range(1, 256) if byte != 10)
    assert [os.fsencode(name) for _, name in listed(content)] == [content]
    assert [os.fsencode(name) for _, name in listed(content + b"\n", null=True)] == [content + b"\n"]


def test_a_line_may_end_as_windows_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.jpg\r").touch()
    content = b"a.jpg\r\nhttp://h/a\r\n\r\nodd.jpg\r\nb.jpg\r\r\n"
    assert listed(content) == [(1, "a.jpg"), (2, "http://h/a"), (4, "odd.jpg\r"), (5, "b.jpg\r")]


@pytest.mark.parametrize("size", [1, LONGEST - 1, LONGEST, 65_535, 65_536, 65_537, 200_000])
def test_names_may_lie_across_what_is_read_at_once(size: int) -> None:
    line = b"x" * min(size, LONGEST)
    content = line + b"\n" + b"y\n" * size + b"last"
    assert listed(content) == [(1, line.decode()), *((n, "y") for n in range(2, size + 2)), (size + 2, "last")]


@pytest.mark.parametrize("null", [False, True])
def test_a_name_that_is_too_long_is_told_with_its_number(null: bool) -> None:
    end = b"\0" if null else b"\n"
    assert len(listed(b"x" * LONGEST + end, null=null)) == 1
    for content in (b"x" * (LONGEST + 1), b"x" * (LONGEST + 1) + end + b"b", b"x" * 1_000_000):
        with pytest.raises(ArgumentError, match="at most 4,096 bytes, received more as number 3 of the list"):
            listed(b"a" + end + end + content, null=null)


def test_a_list_without_end_is_not_read_whole() -> None:
    class Endless(io.RawIOBase):
        def read(self, count: int = -1) -> bytes:
            return b"x" * count

    with pytest.raises(ArgumentError, match="number 1 of the list"):
        list(names(Endless(), False))  # type: ignore[arg-type]


def test_nul_in_a_line_asks_for_another_option() -> None:
    with pytest.raises(ArgumentError, match="received line 2; give -0"):
        listed(b"a\nb\0c\n")
    with pytest.raises(ArgumentError, match="received line 1; give -0"):
        listed(b"photos/a.jpg\0" * 100_000)


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\r\n\n"])
def test_an_empty_list_is_an_error(content: bytes) -> None:
    with pytest.raises(NoPicturesError, match="received an empty one"):
        listed(content)


def test_no_stdin_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="received nothing; as in: find "):
        list(names(None, False))


def test_a_terminal_is_an_error() -> None:
    ours, theirs = pty.openpty()
    with open(theirs, "rb") as terminal, pytest.raises(ArgumentError, match="received a terminal; as in: find "):
        list(names(terminal, False))
    os.close(ours)


def test_a_pipe_that_does_not_wait_is_an_error() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb") as stream, open(writing, "wb"), pytest.raises(ReadError, match="temporarily unavailable"):
        list(names(stream, False))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that is there and cannot be read: /proc/self/mem")
def test_what_cannot_be_read_is_an_error() -> None:
    with open("/proc/self/mem", "rb") as stream, pytest.raises(ReadError, match="received an error: Input/output"):
        list(names(stream, False))


def started(code: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(Path(lookalike.__path__[0]).parent)}
    arguments = [sys.executable, "-W", "error", "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)


def test_a_million_lines_are_read_in_little_memory() -> None:
    code = f"""
import sys
from lookalike.cli.lists import names
{GROWN}
def work():
    global count
    count = sum(1 for _ in names(sys.stdin.buffer, False))
print(grown(work), count)
"""
    with started(code) as process:
        out, error = process.communicate(b"".join(b"photos/2024/%07d.jpg\n" % i for i in range(1_000_000)))
    grown, count = map(int, out.split())
    assert (count, error) == (1_000_000, b"")
    assert grown < 8


def test_ctrl_c_ends_it_while_it_waits() -> None:
    code = """
import sys
from lookalike.cli.lists import names
print("begun", flush=True)
list(names(sys.stdin.buffer, False))
"""
    with started(code) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"a.jpg\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT
        assert process.stderr
        assert process.stderr.read().splitlines()[-1] == b"KeyboardInterrupt"
