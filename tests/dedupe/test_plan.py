"""A plan is read as it was written, may be cut down, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lookalike.collection import Collection
from lookalike.dedupe import find_groups, read_plan, write_plan
from lookalike.dedupe.plan import BEGINNING
from lookalike.dedupe.undo import write_moves
from lookalike.errors import NotAnIndexError, WriteError


@pytest.fixture
def plan(collection: Collection, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    write_plan(os.fspath(path), collection, find_groups(collection, 0.1))
    return path


def lines_of(plan: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in plan.read_text("ascii").splitlines()]


def test_is_read_as_it_was_written(plan: Path, photos: Path) -> None:
    read = read_plan(os.fspath(plan))
    assert read.folder == os.fspath(photos)
    ((keeper, others),) = read.groups
    assert keeper.path == "large.png"
    assert [other.path for other in others] == ["a.webp", "b.webp", "below/deep/c.webp"]
    assert others[0].size == (photos / "a.webp").stat().st_size
    assert others[0].mtime_ns == (photos / "a.webp").stat().st_mtime_ns


def test_begins_as_no_undo_file_does(plan: Path, tmp_path: Path) -> None:
    write_moves(os.fspath(tmp_path / "undo.json"), read_plan(os.fspath(plan)), "/aside", [])
    assert plan.read_bytes().startswith(BEGINNING)
    assert not (tmp_path / "undo.json").read_bytes().startswith(BEGINNING)


def test_a_line_may_be_deleted(plan: Path) -> None:
    plan.write_text(plan.read_text().splitlines()[0] + "\n\n")
    assert read_plan(os.fspath(plan)).groups == []


def test_names_that_are_not_utf8(photos: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xe9\n.webp")
    shutil.copy2(photos / "other.webp", photos / name)
    with Collection.open(photos) as collection:
        collection.sync()
        groups = find_groups(collection, exact_only=True)
        write_plan(os.fspath(tmp_path / "plan"), collection, groups)
    read = read_plan(os.fspath(tmp_path / "plan"))
    assert name in [other.path for _, others in read.groups for other in others] + [k.path for k, _ in read.groups]


def test_of_several_sources_lies_in_the_folder_around_them(photos: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy2(photos / "other.webp", elsewhere / "again.webp")
    with Collection.create([photos, elsewhere / "again.webp"], tmp_path / "index") as collection:
        collection.sync()
        write_plan(os.fspath(tmp_path / "plan"), collection, find_groups(collection, exact_only=True))
    read = read_plan(os.fspath(tmp_path / "plan"))
    assert read.folder == os.fspath(tmp_path)
    assert {keeper.path for keeper, _ in read.groups} == {"photos/a.webp", "elsewhere/again.webp"}


def test_of_an_earlier_version_names_no_sources(plan: Path, photos: Path) -> None:
    head, *groups = plan.read_text().splitlines()
    known = json.loads(head)
    assert known.pop("sources") == [os.fspath(photos)]
    plan.write_text("\n".join([json.dumps(known), *groups]))
    assert read_plan(os.fspath(plan)).sources == [os.fspath(photos)]


def test_the_old_plan_or_the_new_one(plan: Path, collection: Collection, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(plan)
    write_plan(os.fspath(link), collection, [])
    assert link.is_symlink()
    assert len(lines_of(plan)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "photos", "plan.json"]


def test_no_folder_for_it(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="name another"):
        write_plan(os.fspath(tmp_path / "not" / "there"), collection, [])


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (["keeper", "path"], "../out.png"),
        (["keeper", "path"], "/etc/passwd"),
        (["keeper", "path"], "a\0b"),
        (["keeper", "path"], ""),
        (["keeper", "path"], 7),
        (["keeper", "size"], "7"),
        (["keeper", "size"], True),
        (["keeper", "mtime_ns"], 1.5),
        (["keeper", "sha256"], "00"),
        (["keeper", "sha256"], "z" * 64),
        (["keeper"], None),
        (["others"], 3),
        (["others"], [{}]),
        (["keeper", "path"], "below/../a.webp"),
        (["keeper", "path"], "./a.webp"),
    ],
)
def test_a_changed_plan_is_refused(plan: Path, where: list[str], value: object) -> None:
    head, group = lines_of(plan)
    at = group
    for name in where[:-1]:
        at = at[name]
    at[where[-1]] = value
    plan.write_text(f"{json.dumps(head)}\n\n{json.dumps(group)}\n")
    with pytest.raises(NotAnIndexError, match=r"expected a dedupe plan .* in line 3: .*; mend that line"):
        read_plan(os.fspath(plan))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '"x"', '{"lookalike": "dedupe undo", "version": 1}', "[" * 100_000, "\x89PNG\r\n"],
)
def test_what_is_no_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan").write_text(text, "latin-1")
    with pytest.raises(NotAnIndexError, match="expected a dedupe plan"):
        read_plan(os.fspath(tmp_path / "plan"))


def test_a_file_in_two_groups_and_a_line_that_is_none(plan: Path) -> None:
    text = plan.read_text()
    plan.write_text(text + text.splitlines()[1])
    with pytest.raises(NotAnIndexError, match=r"in line 3: 'large.png', which is in line 2 already"):
        read_plan(os.fspath(plan))
    plan.write_text(text + "{'x': 1}\n")
    with pytest.raises(NotAnIndexError, match="in line 3: what is no JSON object"):
        read_plan(os.fspath(plan))


def test_a_torn_plan_is_refused(plan: Path) -> None:
    data = plan.read_bytes()
    for length in range(1, len(data) - 1, 97):
        plan.write_bytes(data[:length])
        if data[:length].count(b"\n") == 1 and data[:length].endswith(b"\n"):
            continue
        with pytest.raises(NotAnIndexError):
            read_plan(os.fspath(plan))


def test_a_newer_plan_and_none(plan: Path, tmp_path: Path) -> None:
    plan.write_text(plan.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(NotAnIndexError, match="has version 2"):
        read_plan(os.fspath(plan))
    with pytest.raises(NotAnIndexError, match="No such file"):
        read_plan(os.fspath(tmp_path / "none"))
