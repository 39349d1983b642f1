"""Pictures in archives as they are asked for: by paths, facts and conditions, whatever they are called."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.dedupe import find_duplicates, read_plan, write_plan
from lookalike.errors import BusyError, PictureError
from lookalike.facts import read_sidecar
from tests.archived import pack
from tests.faults import pictures
from tests.faults.pictures import encoded, seed_of, vector

from .archiving import counts, made, members, state, synced
from .conftest import Draw, Python

pytestmark = pytest.mark.usefixtures("tiles")


def test_a_hit_in_an_archive_is_asked_for_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shards").mkdir()
    archive = pack(tmp_path / "shards" / "0.tar", {"a/b.png": encoded(1), "c.png": encoded(2)}, 0)
    (tmp_path / "link").symlink_to("shards")
    with made(archive, tmp_path) as collection:
        collection.sync()
        (hit,) = collection.search(vector(1), k=1)
        assert hit.path == f"{archive}/a/b.png"
        assert seed_of(collection.vector(hit.path)) == 1
        monkeypatch.chdir(tmp_path / "shards")
        for path in ("0.tar/a/b.png", "./0.tar//a/./b.png", "../link/0.tar/a/b.png", tmp_path / "link/0.tar/a/b.png"):
            np.testing.assert_array_equal(collection.vector(path), vector(1))
        for path in ("0.tar/b.png", "0.tar", "0.tar/", "0.tar/a", "0.tar/../c.png"):
            with pytest.raises(PictureError, match="expected an indexed picture"):
                collection.vector(path)


ODD = [
    b"line\nbreak.png",
    b"\xff\xfe.png",
    "gnp\u202e.png".encode(),
    b"x" * 251 + b".png",
    b"%2e&amp;'\".png",
    b" .png",
]
ANY = ["a//b.png", "/absolute.png", "../up.png", "./here.png", "folder/", "a/../b", "https://example.org/x.png", ".."]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_odd_names_survive(tmp_path: Path, kind: str) -> None:
    names = [os.fsdecode(name) for name in ODD if kind == "tar" or name.isascii()]
    names += ["/".join(["y" * 255] * 3) + "/" + "z" * 251 + ".png"]
    archive = pack(tmp_path / f"a.{kind}", {name: encoded(seed) for seed, name in enumerate(names)}, 0)
    synced(archive, tmp_path)
    assert state(tmp_path, archive) == {name: seed for seed, name in enumerate(names)}
    with Collection.open(tmp_path / "index") as collection:
        described = collection.describe([(f"{archive}/{name}", {"seed": i}) for i, name in enumerate(names)])
        assert (described.pictures, described.unknown) == (len(names), [])
        for seed, name in enumerate(names):
            assert collection.facts(f"{archive}/{name}")["seed"] == seed
            assert collection.paths(f"seed = {seed}") == [f"{archive}/{name}"]
        assert collection.sync().unchanged == len(names)


CALLED = ["a/b.png", "1", "2", "here.png", "4", "5", "https:/example.org/x.png", "7"]
"""What those are called: as files below a folder, or by their rows."""


def test_rows_of_parquet_may_be_called_anything(tmp_path: Path) -> None:
    pictures.write(str(tmp_path / "photos" / "up.png"), 500)
    names = [*ANY, "x" * 4000, "ü.png", "line\nbreak", "dir"]
    (tmp_path / "photos" / "deep").mkdir()
    archive = pack(tmp_path / "photos" / "deep" / "a.parquet", [(n, encoded(i)) for i, n in enumerate(names)], 0)
    synced([tmp_path / "photos", archive], tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        paths = [f"{archive}/{name}" for name in (*CALLED, *names[len(ANY) :])]
        assert sorted(collection.paths()) == sorted([*paths, str(tmp_path / "photos" / "up.png")])
        assert collection.describe([(path, {"seed": i}) for i, path in enumerate(paths)]).pictures == len(names)
        for seed, path in enumerate(paths):
            assert seed_of(collection.vector(path)) == seed
            assert collection.paths(f"seed = {seed}") == [path]
        assert seed_of(collection.vector(f"{archive}/../../up.png")) == 500, "a path of a file is still one"
        assert collection.sync().unchanged == len(names) + 1


def test_facts_of_members(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {"2024/x.png": encoded(1), "2025/y.png": encoded(2)}, 77)
    pictures.write(str(tmp_path / "photos" / "x.png"), 3)
    synced([archive, tmp_path / "photos"], tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        member, path = f"{archive}/2024/x.png", "a.tar/2024/x.png"
        assert collection.facts(member) == {
            "path": path,
            "folder": "a.tar/2024",
            "name": "x.png",
            "ext": "png",
            "size": len(encoded(1)),
            "width": pictures.SIDE,
            "height": pictures.SIDE,
            "modified": "2023-11-14T22:14:37",
        }
        for where, expected in {
            "folder = 'a.tar/2024'": {member},
            "path contains 'a.tar/'": {member, f"{archive}/2025/y.png"},
            "name = 'x.png'": {member, str(tmp_path / "photos" / "x.png")},
            f"path = '{path}'": {member},
        }.items():
            assert set(collection.paths(where)) == expected
            assert {hit.path for hit in collection.search(vector(1), k=9, where=where)} == expected


def test_facts_from_a_file_beside_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shards").mkdir()
    archive = pack(tmp_path / "shards" / "a.tar", {"a/x.png": encoded(1), "y.png": encoded(2)}, 0)
    synced(archive, tmp_path)
    sidecar = tmp_path / "shards" / "facts.csv"
    sidecar.write_text("path,stars\na.tar/a/x.png,5\na.tar/no.png,1\n")
    with Collection.open(tmp_path / "index") as collection:
        described = collection.describe(read_sidecar(str(sidecar)))
        assert (described.pictures, len(described.unknown)) == (1, 1)
        assert collection.given(collection.paths()) == {f"{archive}/a/x.png": {"stars": 5}}


def test_members_take_no_part_in_dedupe(tmp_path: Path) -> None:
    for name in ("1.png", "copy.png"):
        pictures.write(str(tmp_path / "photos" / name), 1)
    archive = pack(tmp_path / "photos" / "a.tar", {"x.png": encoded(1), "y.png": encoded(1), **members(2)}, 0)
    other = pack(tmp_path / "b.tar", {"x.png": encoded(3), "y.png": encoded(3)}, 0)
    synced([tmp_path / "photos", archive, other], tmp_path)
    before = archive.read_bytes(), other.read_bytes()
    with Collection.open(tmp_path / "index") as collection:
        (group,) = find_duplicates([collection]).groups
        assert [os.path.basename(file.path) for file in (group.keeper, *(o.file for o in group.others))] == [
            "1.png",
            "copy.png",
        ]
        write_plan(str(tmp_path / "plan"), [collection], [group])
    assert len(read_plan(str(tmp_path / "plan")).groups) == 1
    assert (archive.read_bytes(), other.read_bytes()) == before


def test_an_unpacked_archive_of_the_same_name_takes_no_part_by_its_members(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {"x.png": encoded(1), "y.png": encoded(1)}, 0)
    other = pack(tmp_path / "b.tar", {"z.png": encoded(1)}, 0)
    synced([archive, other], tmp_path)
    status = archive.stat()
    archive.unlink()
    for name in ("x.png", "y.png"):
        pictures.write(str(archive / name), 1)
        os.utime(archive / name, ns=(status.st_mtime_ns,) * 2)
    with Collection.open(tmp_path / "index") as collection:
        assert find_duplicates([collection]).groups == []


READ_ONLY = """
import sys
from lookalike.collection import Collection
from lookalike.errors import LookalikeError
with Collection.open(sys.argv[1]) as collection:
    print(len(collection), collection.read_only is not None, len(collection.search(sys.argv[2], k=5)))
    try:
        collection.sync()
    except LookalikeError as error:
        print(type(error).__name__)
"""


def test_a_read_only_collection_of_an_archive(
    tmp_path: Path, draw: Draw, python: Python, unprivileged: tuple[str, ...]
) -> None:
    drawn = [draw(tmp_path / f"{i}.png", seed=i) for i in range(3)]
    archive = pack(tmp_path / "a.tar", {path.name: path.read_bytes() for path in drawn}, 0)
    with Collection.create(archive, tmp_path / "index") as collection:
        collection.sync()
    for path in (tmp_path / "index", tmp_path / "index" / "segments"):
        path.chmod(0o500)
    pack(archive, {path.name: path.read_bytes() for path in drawn[:2]}, 1)
    done = python(READ_ONLY, tmp_path / "index", drawn[0], prefix=unprivileged)
    assert done.stdout.split() == ["3", "True", "3", "WriteError"], done.stderr


def test_others_search_while_an_archive_is_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a.tar", members(*range(30)), 0)
    seen: list[int] = []
    with made(archive, tmp_path) as collection, Collection.open(tmp_path / "index") as other:

        def look(seeds: list[int]) -> None:
            seen.append(len(other.search(vector(0), k=100)))
            with pytest.raises(BusyError):
                other.sync()

        monkeypatch.setattr(pictures.model, "embedded", look)
        assert counts(collection.sync(batch=10)) == {"new": 30, "embedded": 30}
    assert seen == [0, 10, 20]
