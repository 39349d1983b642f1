"""What every kind of archive has in common: it holds what the folder held that it was made of."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import ArgumentError
from lookalike.fitting import Input
from lookalike.images.archives import Passed, archive_kind, look, read
from lookalike.images.find import Found, find
from lookalike.images.given import Given
from lookalike.images.pool import DecoderPool, Loaded
from tests.images.archives.made import (
    ENDINGS,
    NOT_UTF8,
    OTHERS,
    PICTURES,
    REASONS,
    got,
    make,
    make_parquet,
    require_refused,
)


@pytest.mark.parametrize("ending", ENDINGS)
def test_pictures_are_those_of_the_folder_it_was_made_of(tmp_path: Path, ending: str) -> None:
    files = PICTURES | ({} if ending == "zip" else NOT_UTF8)
    folder = tmp_path / "folder"
    for name, data in (files | OTHERS).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    found = [os.path.relpath(each.path, folder) for each in find(folder) if isinstance(each, Found)]
    assert set(found) == set(files)
    path = make(tmp_path / f"a.{ending}", files | OTHERS)

    contents = look(str(path))
    assert contents.names == list(files), "in the order of the archive"
    assert {each.reason: each.count for each in contents.passed} == REASONS
    assert contents.passed[0] == Passed("notes.txt", "not a picture", 3)
    assert got(path) == files
    assert got(path, contents=contents) == files


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_what_is_wanted_is_read(tmp_path: Path, ending: str) -> None:
    path = make(tmp_path / f"a.{ending}", PICTURES | OTHERS)
    names = list(PICTURES)
    for wanted in (set(), {names[0]}, {names[-1]}, {*names[2:5]}, {*names, "another"}):
        some = {name: data for name, data in PICTURES.items() if name in wanted}
        assert got(path, wanted) == got(path, wanted, contents=look(str(path))) == some


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_without_pictures(tmp_path: Path, ending: str) -> None:
    path = make(tmp_path / f"a.{ending}", {"notes.txt": b"no"})
    assert look(str(path)).names == []
    assert list(read(str(path))) == []


def test_pictures_are_decoded_as_the_files(tmp_path: Path) -> None:
    sound = {name: data for name, data in PICTURES.items() if data}
    path = make(tmp_path / "a.tar.gz", sound)
    files = []
    for number, data in enumerate(sound.values()):
        files.append(str(tmp_path / str(number)))
        Path(files[-1]).write_bytes(data)
    with DecoderPool(2) as pool:
        ours = list(pool.load((each for each in read(str(path)) if isinstance(each, Given)), Input(8, "pad")))
        theirs = list(pool.load(files, Input(8, "pad")))
    assert [each.path for each in ours] == list(sound)
    for one, other in zip(ours, theirs, strict=True):
        assert isinstance(one, Loaded)
        assert isinstance(other, Loaded)
        assert one.sha256 == other.sha256
        assert np.array_equal(one.pixels, other.pixels)


def test_a_webdataset(tmp_path: Path) -> None:
    shard = {
        f"{number:06}.{kind}": data
        for number, kind, data in itertools.chain.from_iterable(
            ((number, "jpg", b"jpeg"), (number, "cls", b"3"), (number, "json", b"{}")) for number in range(50)
        )
    }
    path = make(tmp_path / "shard-000000.tar", shard)
    contents = look(str(path))
    assert contents.names == [f"{number:06}.jpg" for number in range(50)]
    assert contents.passed == [Passed("000000.cls", "not a picture", 100)]


def test_large_pictures_come_in_whole(tmp_path: Path) -> None:
    """Larger than a chunk, than a pipe, and of every length around them."""
    noise = np.random.default_rng(0).bytes((3 << 20) + 5)
    files = {f"{size}.jpg": noise[:size] for size in (511, 512, 513, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, len(noise))}
    for ending in ENDINGS:
        assert got(make(tmp_path / f"a.{ending}", files)) == files


# -- names


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/a.jpg", "its name leads out of the archive"),
        ("../a.jpg", "its name leads out of the archive"),
        ("a/../b.jpg", "its name leads out of the archive"),
        ("./..", "its name leads out of the archive"),
        ("//a.jpg", "its name leads out of the archive"),
        ("__MACOSX/a.jpg", "not a picture but its attributes, kept by macOS"),
        ("a/.git/b.jpg", "hidden"),
        ("a" * 4093 + ".jpg", "its name is none that a file can have: of 1 to 4,096 bytes, without NUL"),
        ("é" * 2047 + ".jpg", "its name is none that a file can have: of 1 to 4,096 bytes, without NUL"),
    ],
)
@pytest.mark.parametrize("ending", ["tar", "zip"])
def test_names_that_are_passed_over(tmp_path: Path, ending: str, name: str, reason: str) -> None:
    path = make(tmp_path / f"a.{ending}", {name: b"1", "good.jpg": b"2"})
    assert look(str(path)).passed == [Passed(name[:4096], reason, 1)]
    assert got(path) == {"good.jpg": b"2"}


@pytest.mark.parametrize("ending", ["tar", "zip"])
def test_names_of_every_length_that_there_may_be(tmp_path: Path, ending: str) -> None:
    names = [
        f"{'d' * folder}/{'x' * length}.jpg" for folder in (1, 99, 155, 156, 255) for length in (1, 94, 95, 96, 250)
    ]
    names.append("y" * 4092 + ".jpg")
    names.append("é" * 2046 + ".jpg")
    files = {name: name.encode() for name in names}
    assert got(make(tmp_path / f"a.{ending}", files)) == files


@pytest.mark.parametrize("ending", ["tar", "zip"])
def test_what_names_the_same_file_is_one_name(tmp_path: Path, ending: str) -> None:
    path = make(tmp_path / f"a.{ending}", {"./a.jpg": b"1", "b/./c//d.jpg": b"2", "././e.jpg": b"3"})
    assert got(path) == {"a.jpg": b"1", "b/c/d.jpg": b"2", "e.jpg": b"3"}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_a_name_that_comes_again_the_last_one_counts(tmp_path: Path, ending: str) -> None:
    order = [("a.jpg", b"1"), ("b.jpg", b"2"), ("a.jpg", b"3"), ("c.jpg", b"4"), ("./a.jpg", b"5"), ("c.jpg", b"6")]
    path = make(tmp_path / f"a.{ending}", order)
    contents = look(str(path))
    assert contents.names == ["b.jpg", "a.jpg", "c.jpg"]
    assert contents.passed == [Passed("a.jpg", "comes again later in the archive", 3)]
    expected = [Given("b.jpg", b"2"), Given("a.jpg", b"5"), Given("c.jpg", b"6")]
    assert list(read(str(path))) == list(read(str(path), contents=contents)) == expected
    assert got(path, {"a.jpg"}) == {"a.jpg": b"5"}


# -- arguments


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURES["01.png"])
    require_refused(
        tmp_path / "a.jpg", "expected a tar .plain, or packed by gzip, bzip2 or xz., a zip or a Parquet file"
    )
    require_refused(tmp_path / "gone.tar", "received no such file; check the path")
    require_refused(tmp_path, "received a folder; name a regular file")
    os.mkfifo(tmp_path / "pipe.tar")
    require_refused(tmp_path / "pipe.tar", "received a pipe or a device")


def test_a_column_is_of_parquet_only(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", PICTURES)
    with pytest.raises(ArgumentError, match="expected no column of a zip, received 'image'; leave it out"):
        look(str(path), column="image")


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "a.tar", PICTURES)
    monkeypatch.chdir(tmp_path)
    assert look("a.tar").names == list(PICTURES)


def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", PICTURES)
    odd = tmp_path / "\udcff\n.tar"
    path.rename(odd)
    assert archive_kind(str(odd)) == "tar"
    assert got(odd) == PICTURES


# -- nothing is written


SCRIPT = """
import sys
from lookalike.images.archives import look, read
for path in sys.argv[1:]:
    contents = look(path)
    print(len(contents.names), sum(1 for _ in read(path)))
"""


def test_nothing_is_written_anywhere(tmp_path: Path) -> None:
    paths = [make(tmp_path / f"a.{ending}", PICTURES | OTHERS) for ending in ENDINGS]
    paths.append(make_parquet(tmp_path / "a.parquet", [{"image": data} for data in PICTURES.values()]))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir(mode=0o500)
    environment = os.environ | {name: str(nowhere) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    command = [sys.executable, "-W", "error", "-B", "-c", SCRIPT, *map(str, paths)]
    done = subprocess.run(command, cwd=nowhere, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == (f"{len(PICTURES)} {len(PICTURES)}\n" * len(paths), "")
    assert list(nowhere.iterdir()) == []
    nowhere.rmdir()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
