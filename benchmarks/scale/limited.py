"""A bound on the memory of a process, what it has of files included: a cgroup of its own.

systemd wants to be the only one that makes cgroups where it runs, so it is asked first. Then one is made by hand,
below that of this process, or, of version 2, where a cgroup with processes has none below it, below the nearest above
it that hands memory down (cgroups(7)).
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

JOIN = 'echo $$ > "$0" && exec "$@"'
SELF = Path("/proc/self")


class CannotLimitError(Exception):
    """No memory can be bounded here; the sentence says what was tried."""


@dataclass(frozen=True)
class Limit:
    """What holds the memory, and what to put before a command that is to be held."""

    by: str
    prefix: Sequence[str]


@contextmanager
def limited(most: int) -> Iterator[Limit]:
    """A bound of so many bytes; every process that was started with it has ended when this ends.

    Raises:
        CannotLimitError: nothing here can hold a process below it.
    """
    reasons = []
    with ExitStack() as stack:
        for way in (_by_systemd, _by_cgroup):
            try:
                limit = stack.enter_context(way(most))
                _try(limit, most)
                break
            except (OSError, subprocess.SubprocessError, CannotLimitError) as error:
                reasons.append(str(error))
        else:
            raise CannotLimitError(f"the memory of a process cannot be limited here: {'; '.join(reasons)}")
        yield limit


def most_used() -> int | None:
    """Bytes that the cgroup of this process held at most; None where the system does not tell."""
    return _told("memory.peak", "memory.max_usage_in_bytes")


@contextmanager
def _by_systemd(most: int) -> Iterator[Limit]:
    whose = [] if os.geteuid() == 0 else ["--user"]
    bounds = [f"--property=MemoryMax={most}", "--property=MemorySwapMax=0"]
    yield Limit("systemd", ["systemd-run", *whose, "--scope", "--quiet", *bounds, "--"])


@contextmanager
def _by_cgroup(most: int) -> Iterator[Limit]:
    version, folder = _new()
    try:
        names = {1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), 2: ("memory.max", "memory.swap.max")}
        bound, swap = (folder / name for name in names[version])
        bound.write_text(str(most))
        if swap.exists():  # not where the kernel does not account for it
            swap.write_text(str(most if version == 1 else 0))
        yield Limit(f"cgroup v{version}", ["sh", "-c", JOIN, str(folder / "cgroup.procs")])
    finally:
        folder.rmdir()


def _new() -> tuple[int, Path]:
    """An empty cgroup that may bound memory, and its version."""
    refused = "no cgroup of this process has a say over memory"
    for version, own, root in _memory_cgroups():
        above = [own] if version == 1 else [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
        for folder in above:
            if version == 1 or "memory" in (folder / "cgroup.subtree_control").read_text().split():
                new = folder / f"lookalike-{secrets.token_hex(4)}"
                try:
                    new.mkdir()
                    return version, new
                except OSError as error:
                    refused = str(error)
    raise CannotLimitError(refused)


def _memory_cgroups() -> Iterator[tuple[int, Path, Path]]:
    """Version, folder, and topmost folder of each hierarchy that this process is in and that may bound memory."""
    if not (SELF / "cgroup").exists():
        return
    own = {names: path for _, names, path in (line.split(":", 2) for line in _lines(SELF / "cgroup"))}
    for line in _lines(SELF / "mountinfo"):
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, options = after.split()[0], after.split()[-1].split(",")
        if kind == "cgroup" and "memory" in options:
            names = next(names for names in own if "memory" in names.split(","))
            yield 1, _below(point, own[names], root), Path(point)
        elif kind == "cgroup2" and "memory" in _words(Path(point, "cgroup.controllers")):
            yield 2, _below(point, own[""], root), Path(point)


def _below(point: str, path: str, root: str) -> Path:
    """Where the cgroup `path` is found, of a hierarchy whose `root` is seen at `point`."""
    return Path(os.path.normpath(os.path.join(point, os.path.relpath(path, root))))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _told(*names: str) -> int | None:
    """What the first of these files in the cgroup of this process says; None for a word, such as max."""
    files = (folder / name for _, folder, _ in _memory_cgroups() for name in names)
    text = next((file.read_text().strip() for file in files if file.exists()), "")
    return int(text) if text.isdecimal() else None


def _try(limit: Limit, most: int) -> None:
    """Whether a process can be started with it, and then is below it: systemd passes over what it has no say over."""
    command = [*limit.prefix, sys.executable, __file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise CannotLimitError(f"{command[0]} said {said!r}")
    if not done.stdout.strip().isdecimal() or int(done.stdout) > most:
        raise CannotLimitError(f"{limit.by} sets no limit")


if __name__ == "__main__":
    print(_told("memory.max", "memory.limit_in_bytes"))
