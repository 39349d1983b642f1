"""A plan is read as it was written, and as a person edits it; nothing else is taken for one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.dedupe import Plan, read_plan, write_plan
from lookalike.dedupe.plan import BEGINNING
from lookalike.dedupe.undo import write_moves
from lookalike.errors import NotAnIndexError, WriteError

from .hand import copies, file_at, group_of, large_and_copies


@pytest.fixture
def plan(collection: Collection, photos: Path, tmp_path: Path) -> Path:
    """Keeps large.png of four, one of which has a sidecar."""
    (photos / "b.xmp").write_text("stars")
    path = tmp_path / "plan.txt"
    write_plan(os.fspath(path), [collection], large_and_copies(photos))
    return path


def files_of(plan: Plan) -> list[tuple[str, list[list[str]]]]:
    """Of each group what is kept, and what goes together."""
    return [
        (group.keeper.path, [[file.path for file in other.files] for other in group.others]) for group in plan.groups
    ]


ALL = [("large.png", [["a.webp"], ["b.webp", "b.xmp"], ["below/deep/c.webp"]])]


def test_is_read_as_it_was_written(plan: Path, photos: Path) -> None:
    read = read_plan(os.fspath(plan))
    assert (read.folder, read.sources, read.references) == (os.fspath(photos), [os.fspath(photos)], [])
    assert read.collections == [os.fspath(photos / ".lookalike")]
    assert files_of(read) == ALL
    file, (companion,) = read.groups[0].others[1]
    assert (file.size, file.mtime_ns) == ((photos / "b.webp").stat().st_size, (photos / "b.webp").stat().st_mtime_ns)
    assert file.sha256 == file_at(photos / "b.webp").sha256.hex()
    assert file.kind == "resized or recompressed"
    assert (companion.kind, companion.sha256) == ("XMP sidecar", file_at(photos / "b.xmp").sha256.hex())


def test_is_a_text_for_a_person(plan: Path) -> None:
    text = plan.read_text("utf-8")
    assert "What may be set aside: resized or recompressed (3), what belongs to these (1)." in text
    assert "Delete a line" in text
    assert f"lookalike dedupe --apply {plan} --move-to DIR" in text
    lines = [" ".join(line.split("|")[0].split()) for line in text.splitlines() if re.match("keep|set|with", line)]
    assert lines[0].startswith('keep 1 "large.png" ')
    assert lines[2].startswith('set aside 1 resized or recompressed "b.webp" ')
    assert lines[3] == 'with it 1 XMP sidecar "b.xmp" 0.0 kB'


def test_begins_as_no_undo_file_does(plan: Path, tmp_path: Path) -> None:
    write_moves(os.fspath(tmp_path / "undo.json"), read_plan(os.fspath(plan)), "/aside", [])
    assert plan.read_bytes().startswith(BEGINNING)
    assert not (tmp_path / "undo.json").read_bytes().startswith(BEGINNING)


def test_only_what_is_proposed_is_in_it(collection: Collection, photos: Path, tmp_path: Path) -> None:
    shown = group_of(7, photos / "other.webp", (photos / "below/another.webp", "edited"))
    group = group_of(3, photos / "a.webp", photos / "b.webp", (photos / "large.png", "altered"))
    write_plan(os.fspath(tmp_path / "plan"), [collection], [shown, group])
    read = read_plan(os.fspath(tmp_path / "plan"))
    assert [group.number for group in read.groups] == [3]
    assert files_of(read) == [("a.webp", [["b.webp"]])]
    assert "other.webp" not in (tmp_path / "plan").read_text()


# -- as a person edits it


def windows(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


def notepad(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("utf-16")


def commented(text: str) -> bytes:
    return f"\n# mine\n\n{text}\n  # more\n\t\n\n".replace("set aside  ", "  set\taside ").encode()


def without_comments(text: str) -> bytes:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#") or "version" in line).encode()


@pytest.mark.parametrize("edit", [windows, notepad, commented, without_comments])
def test_edited_with_any_editor(plan: Path, edit: Callable[[str], bytes]) -> None:
    plan.write_bytes(edit(plan.read_text("utf-8")))
    assert files_of(read_plan(os.fspath(plan))) == ALL


@pytest.mark.parametrize(
    ("pattern", "to", "left", "alone"),
    [
        (r'.*"a\.webp".*\n', "", [["b.webp", "b.xmp"], ["below/deep/c.webp"]], []),
        (r'(?=set aside.*"a\.webp")', "# ", [["b.webp", "b.xmp"], ["below/deep/c.webp"]], []),
        (r'.*"b\.webp".*\n', "", [["a.webp"], ["below/deep/c.webp"]], ["b.xmp"]),
        (r'.*"b\.xmp".*\n', "", [["a.webp"], ["b.webp"], ["below/deep/c.webp"]], []),
        (r"set aside.*\n", "", None, ["b.xmp"]),
        (r"(keep|set aside|with it).*\n", "", None, []),
    ],
)
def test_a_line_that_is_gone_is_a_file_that_stays(
    plan: Path, pattern: str, to: str, left: list[list[str]] | None, alone: list[str]
) -> None:
    plan.write_text(re.sub(pattern, to, plan.read_text("utf-8")), "utf-8")
    read = read_plan(os.fspath(plan))
    assert files_of(read) == ([] if left is None else [("large.png", left)])
    assert [file.path for file in read.alone] == alone


def test_another_may_be_kept(plan: Path) -> None:
    text = re.sub(r'keep     (.*"large)', r"set aside\1", plan.read_text("utf-8"))
    plan.write_text(re.sub(r'set aside(.*"a\.webp)', r"keep \1", text), "utf-8")
    expected = [("a.webp", [["large.png"], ["b.webp", "b.xmp"], ["below/deep/c.webp"]])]
    assert files_of(read_plan(os.fspath(plan))) == expected


@pytest.mark.parametrize(
    ("pattern", "to", "why"),
    [
        (r'"a\.webp"', '"../a.webp"', "no path within a folder"),
        (r'"a\.webp"', '"/etc/passwd"', "no path within a folder"),
        (r'"a\.webp"', r'"a\\u0000"', "no file can be called"),
        (r'"a\.webp"', r'"a\\q.webp"', "a backslash is written twice"),
        (r'"a\.webp"', '""', "no path within a folder"),
        (r'"a\.webp"', "a.webp", 'none of "keep"'),
        (r'"a\.webp"', '"b.webp"', r'"b\.webp", which is in line 24 already'),
        (r'"a\.webp"', '"below/../b.webp"', "no path within a folder"),
        (r'"a\.webp"', '"./b.webp"', "which is in line 24 already"),
        (r'set aside(.*"a\.webp")', r"delete\1", 'none of "keep"'),
        (r'set aside(.*"a\.webp".*)....\n', r"set aside\1\n", "no SHA-256"),
        (r'set aside(.*"a\.webp".*)\|.*\n', r"set aside\1\n", 'none of "keep"'),
        (r'set aside     1(.*"a\.webp")', r"set aside     2\1", 'a file of group 2, of which no line says "keep"'),
        (r'(set aside.*"a\.webp".*)\n', r"\1 and more\n", 'none of "keep"'),
        (r'(?=set aside.*"a\.webp".*)', "set them all aside, please: ", 'none of "keep"'),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(plan: Path, pattern: str, to: str, why: str) -> None:
    text = plan.read_text("utf-8")
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if '"a.webp"' in line]
    changed = re.sub(pattern, to, text)
    assert changed != text
    plan.write_text(changed, "utf-8")
    if "already" in why:  # it is met again two lines below
        number += 1
        why = re.sub(r"line \d+", f"line {number - 1}", why)
    with pytest.raises(
        NotAnIndexError, match=rf"expected a dedupe plan .* in line {number}: .*{why}.*; mend that line"
    ):
        read_plan(os.fspath(plan))


def test_a_group_of_which_none_is_kept_is_refused(plan: Path) -> None:
    plan.write_text(re.sub(r"keep .*\n", "", plan.read_text("utf-8")), "utf-8")
    with pytest.raises(NotAnIndexError, match='a file of group 1, of which no line says "keep" which file stays'):
        read_plan(os.fspath(plan))


def test_what_is_not_utf8_is_refused(plan: Path) -> None:
    plan.write_bytes(plan.read_bytes().replace(b'"a.webp"', b'"\xe9.webp"'))
    with pytest.raises(NotAnIndexError, match=r"in line \d+: what is not UTF-8; let your editor save"):
        read_plan(os.fspath(plan))


# -- names, places, files


NAMES = [
    os.fsdecode(b"not utf-8 \xe9\xff\n.webp"),
    'quote " and \\ backslash.webp',
    "\x01\x1b[31m\t\r\n\x85.webp",
    "\u202egpj\u200b\ufeff.webp",
    "Zoë, 日本 🏔‍❄️ | # set aside.webp",
    "  two  spaces  ",
    "\\xe9.webp",
]


def test_any_name_survives(photos: Path, tmp_path: Path) -> None:
    for name in NAMES:
        shutil.copy2(photos / "other.webp", photos / name)
    with Collection.open(photos) as collection:
        groups = [group_of(1, photos / "other.webp", *(photos / name for name in NAMES))]
        write_plan(os.fspath(tmp_path / "plan"), [collection], groups)
    text = (tmp_path / "plan").read_text("utf-8")
    assert '"Zoë, 日本 🏔‍❄️ | # set aside.webp"' in text
    assert r'"not utf-8 \xe9\xff\n.webp"' in text
    assert len([line for line in text.splitlines() if line.startswith("set aside")]) == len(NAMES)
    ((_, others),) = files_of(read_plan(os.fspath(tmp_path / "plan")))
    assert [path for (path,) in others] == NAMES


def test_of_several_collections_lies_in_the_folder_around_them(photos: Path, tmp_path: Path) -> None:
    elsewhere, master = tmp_path / "elsewhere", tmp_path / "master"
    for folder in (elsewhere, master):
        folder.mkdir()
        shutil.copy2(photos / "other.webp", folder / "again.webp")
    with Collection.open(photos) as one, Collection.open(elsewhere) as two, Collection.open(master) as reference:
        groups = [group_of(1, master / "again.webp", photos / "other.webp", elsewhere / "again.webp", reference=True)]
        write_plan(os.fspath(tmp_path / "plan"), [one, two], groups, references=[reference])
    read = read_plan(os.fspath(tmp_path / "plan"))
    assert read.folder == os.fspath(tmp_path)
    assert read.sources == [os.fspath(folder) for folder in (photos, elsewhere, master)]
    assert read.references == [os.fspath(master)]
    assert read.collections == [os.fspath(folder / ".lookalike") for folder in (photos, elsewhere, master)]
    assert files_of(read) == [("master/again.webp", [["photos/other.webp"], ["elsewhere/again.webp"]])]


def test_nothing_of_a_reference_is_set_aside_whatever_the_plan_says(photos: Path, tmp_path: Path) -> None:
    master = tmp_path / "master"
    master.mkdir()
    shutil.copy2(photos / "other.webp", master / "again.webp")
    plan = tmp_path / "plan"
    with Collection.open(photos) as one, Collection.open(master) as reference:
        groups = [group_of(1, master / "again.webp", photos / "other.webp", reference=True)]
        write_plan(os.fspath(plan), [one], groups, references=[reference])
    text = plan.read_text("utf-8").replace("set aside  ", "KEEP")
    plan.write_text(re.sub("^keep ", "set aside ", text, flags=re.M).replace("KEEP", "keep "), "utf-8")
    with pytest.raises(NotAnIndexError, match=r"in line \d+: a file of the reference .*/master"):
        read_plan(os.fspath(plan))


def test_the_old_plan_or_the_new_one(plan: Path, collection: Collection, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(plan)
    write_plan(os.fspath(link), [collection], [])
    assert link.is_symlink()
    assert "What may be set aside: nothing." in plan.read_text("utf-8")
    assert read_plan(os.fspath(plan)).groups == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "photos", "plan.txt"]


def test_no_folder_for_it(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="name another"):
        write_plan(os.fspath(tmp_path / "not" / "there"), [collection], [])


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '"x"', '{"lookalike": "dedupe undo", "version": 1}', "[" * 100_000, "\x89PNG\r\n", "# plan"],
)
def test_what_is_no_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan").write_text(text, "latin-1")
    with pytest.raises(NotAnIndexError, match="expected a dedupe plan"):
        read_plan(os.fspath(tmp_path / "plan"))


def test_a_torn_plan_is_refused_or_is_one_of_fewer_lines(collection: Collection, photos: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    write_plan(os.fspath(plan), [collection], copies(photos))
    data = plan.read_bytes()
    for length in range(len(data)):
        plan.write_bytes(data[:length])
        try:
            read = read_plan(os.fspath(plan))
        except NotAnIndexError:
            continue
        assert data[length : length + 1] == b"\n" or data[:length].endswith(b"\n") or b"keep" not in data[:length]
        assert len(read.groups) <= 1


def test_a_newer_plan_and_none(plan: Path, tmp_path: Path) -> None:
    plan.write_text(plan.read_text("utf-8").replace("version 2", "version 3"), "utf-8")
    with pytest.raises(NotAnIndexError, match=r"version 2 in .*, received one of version 3"):
        read_plan(os.fspath(plan))
    with pytest.raises(NotAnIndexError, match="No such file"):
        read_plan(os.fspath(tmp_path / "none"))
