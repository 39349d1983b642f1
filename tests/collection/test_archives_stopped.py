"""A process that takes in an archive, killed or interrupted in the middle; and how much memory it takes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from lookalike.collection import Collection
from tests.archived import pack, stamp
from tests.faults.pictures import encoded
from tests.memory import GROWN

from .archiving import counts, members, state, synced

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.usefixtures("tiles"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what children and memory a process has"),
]

ROOT = Path(__file__).parents[2]
BATCH, COUNT = 20, 600

# tells its children, then a line for each batch that is embedded
INDEX = """
import sys
from lookalike.collection import Collection
from tests.faults import pictures
from tests.hostile_pictures import children
pictures.prepare(children=True)
pictures.expect(range(int(sys.argv[4])))
def embedded(seeds):
    print(*seeds, "children", *children(), flush=True)
    sys.stdin.readline()
pictures.model.embedded = embedded
try:
    with Collection.create(sys.argv[1], sys.argv[2], model=pictures.MODEL) as collection:
        collection.sync(batch=int(sys.argv[3]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def is_alive(process: str) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.tar.gz"])
def test_it_goes_on_from_the_last_batch(tmp_path: Path, name: str, how: int) -> None:
    archive = pack(tmp_path / name, {f"{seed}.png": encoded(seed) + bytes(4096) for seed in range(COUNT)}, 0)
    command = [sys.executable, "-c", INDEX, str(archive), str(tmp_path / "index"), str(BATCH), str(COUNT)]
    seen: list[int] = []
    children: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(5):
            seeds, _, running = process.stdout.readline().partition("children")
            seen += map(int, seeds.split())
            children = running.split()
            os.write(process.stdin.fileno(), b"\n")
        process.send_signal(how)
        for line in process.stdout:
            seen += map(int, line.partition("children")[0].split())
            with suppress(BrokenPipeError):  # it may have ended since
                os.write(process.stdin.fileno(), b"\n")
        assert process.wait(timeout=60) == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert len(children) >= 2, "a reader and a decoder"
    deadline = monotonic() + 60
    while any(map(is_alive, children)) and monotonic() < deadline:
        sleep(0.05)
    assert not any(map(is_alive, children)), "they end with their parent"
    with Collection.open(tmp_path / "index") as collection:
        committed = len(collection)
    assert 4 * BATCH <= committed < COUNT
    assert len(seen) - committed <= BATCH, "a batch at most was embedded for nothing"
    assert counts(synced(archive, tmp_path)) == {
        "unchanged": committed,
        "new": COUNT - committed,
        "embedded": COUNT - committed,
    }
    assert state(tmp_path, archive) == {f"{seed}.png": seed for seed in range(COUNT)}


LARGE = 250 << 20
MEMBERS = 8

MEASURE = f"""
import sys
{GROWN}
from lookalike.collection import Collection
from tests.faults import pictures
pictures.prepare(children=True)
with Collection.create(sys.argv[1], sys.argv[2], model=pictures.MODEL) as collection:
    report = None
    def work():
        global report
        report = collection.sync()
    print(grown(work), report.new, report.unchanged, len(report.failed))
"""


@pytest.mark.thorough
def test_memory_is_bounded_by_the_largest_members(tmp_path: Path) -> None:
    """Two gigabytes in members of the largest size, of holes: two of them are in memory at a time."""
    archive = tmp_path / "a.tar"
    with archive.open("wb") as file:
        for number in range(MEMBERS):
            info = tarfile.TarInfo(f"large{number}.png")
            info.size = LARGE
            file.write(info.tobuf())
            file.seek(LARGE, os.SEEK_CUR)
        small = pack(tmp_path / "small.tar", members(1), 0)
        file.write(small.read_bytes())
    for time, expected in enumerate(("1 0 8", "0 1 8")):
        stamp(archive, time)
        command = [sys.executable, "-c", MEASURE, str(archive), str(tmp_path / "index")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        grown, _, rest = done.stdout.partition(" ")
        assert rest.strip() == expected
        assert int(grown) < 2 * (LARGE >> 20) + 100
