"""Killed at any instant, what was done can be taken back: before and after every call that changes the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.dedupe import Group, Outcome, take_back, write_plan

from .conftest import tree
from .hand import large_and_copies

# Reads "verb n when" lines; for each, a child does what the verb says and kills itself before or after the n-th of the
# calls that change something.
PROGRAM = """
import os, signal, sys
from lookalike.dedupe import Outcome, link_copies, move_others, read_plan, take_back

plan, to, undo_file = sys.argv[1:]

def child(verb, last, after):
    count = 0

    def dying(call):
        def die_or(*arguments, **named):
            nonlocal count
            if count == last and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            done = call(*arguments, **named)
            if count > last and after:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        return die_or

    read = None if verb == "undo" else read_plan(plan)
    for name in ("open", "rename", "replace", "link", "unlink", "fsync", "mkdir", "chmod", "utime"):
        setattr(os, name, dying(getattr(os, name)))
    if verb == "move":
        move_others(read, to, undo_file, Outcome())
    elif verb == "link":
        link_copies(read, undo_file, Outcome())
    else:
        take_back(undo_file, Outcome())

for line in sys.stdin:
    verb, last, when = line.split()
    pid = os.fork()
    if pid == 0:
        child(verb, int(last), when == "after")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""

MOST = 250

Run = Callable[[str, int, str], bool]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run a verb; tells whether it came to its end before it was to be killed."""
    places = [os.fspath(tmp_path / name) for name in ("plan", "to", "undo")]
    arguments = [sys.executable, "-c", PROGRAM, *places]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        into, out = process.stdin, process.stdout

        def run(verb: str, last: int, when: str) -> bool:
            into.write(f"{verb} {last} {when}\n")
            into.flush()
            code = int(out.readline())
            assert code in (0, -9)
            return code == 0

        yield run
        into.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["move", "link"])
def test_killed_while_acting(
    collection: Collection, photos: Path, tmp_path: Path, run: Run, verb: str, when: str
) -> None:
    write_plan(os.fspath(tmp_path / "plan"), [collection], with_companions(photos))
    before = tree(photos)
    assert len(tree(photos)) == 9
    stopped = 0
    while not run(verb, stopped, when):
        stopped += 1
        assert stopped < MOST
        take_back_if_there(tmp_path)
        assert tree(photos) == before, f"killed {when} call {stopped}"
        assert not (tmp_path / "to").exists() or tree(tmp_path / "to") == {}
    assert stopped > 10


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["move", "link"])
def test_killed_while_taking_back(
    collection: Collection, photos: Path, tmp_path: Path, run: Run, verb: str, when: str
) -> None:
    write_plan(os.fspath(tmp_path / "plan"), [collection], with_companions(photos))
    before = tree(photos)
    for stopped in range(MOST):
        (tmp_path / "undo").unlink(missing_ok=True)
        assert run(verb, MOST, when)
        assert tree(photos) != before
        ended = run("undo", stopped, when)
        take_back(os.fspath(tmp_path / "undo"), outcome := Outcome())
        assert outcome.left == []
        assert tree(photos) == before, f"killed {when} call {stopped}"
        if ended:
            assert stopped > 2
            return
    pytest.fail("it never came to its end")


def with_companions(photos: Path) -> Sequence[Group]:
    """The groups, with sidecars beside two of those that are to be moved."""
    for name in ("a.xmp", "a.webp.xmp", "below/deep/c.AAE"):
        (photos / name).write_text(f"of {name}")
    return large_and_copies(photos)


def take_back_if_there(tmp_path: Path) -> None:
    """Undo what the undo file tells of; where there is none, or an empty one, nothing was done yet."""
    undo = tmp_path / "undo"
    if undo.exists() and undo.stat().st_size:
        take_back(os.fspath(undo), outcome := Outcome())
        assert outcome.left == []
    undo.unlink(missing_ok=True)
    for draft in tmp_path.glob(".lookalike-*"):
        draft.unlink()
