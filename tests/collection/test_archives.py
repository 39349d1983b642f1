"""Pictures in archives: what a sync makes of an archive that is new, as it was, and another one."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from lookalike.collection import Collection
from tests.archived import pack, stamp
from tests.faults import pictures
from tests.faults.pictures import encoded, seed_of

from .archiving import KINDS, PROCESS, TEXT, counts, ids, listening, made, members, state, synced

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("tiles")]


@pytest.mark.parametrize("name", KINDS)
def test_the_first_sync_indexes_every_member(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / name, members(1, 2, 3), 0)
    assert counts(synced(archive, tmp_path)) == {"new": 3, "embedded": 3}
    assert state(tmp_path, archive) == {"1.png": 1, "2.png": 2, "3.png": 3}


@pytest.mark.parametrize("name", KINDS)
def test_an_archive_as_it_was_is_not_opened(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / name, {**members(1, 2), "bad.png": b"bad", **dict([TEXT])}, 0)
    first = counts(synced(archive, tmp_path))
    assert first == {"new": 2, "embedded": 2, **({"failed": 2} if ".parquet" in name else {"failed": 1, "skipped": 1})}
    with Collection.open(tmp_path / "index") as collection, listening() as opened:
        before = collection.info()
        again = collection.sync()
        assert str(archive) not in opened
        assert collection.info() == before
    del first["new"], first["embedded"]
    assert counts(again) == {"unchanged": 2, **first}
    with listening() as opened, made(archive, tmp_path) as collection:
        assert str(archive) in opened, "its first bytes say what it is"
        assert PROCESS not in opened, "and there is no reader of the rest"
        assert collection.sync().found == again.found
    with Collection.open(tmp_path / "index") as collection, listening() as opened:
        collection.sync(retry=True)
        assert PROCESS in opened


def test_every_member_ends_as_exactly_one_thing(tmp_path: Path) -> None:
    inside = [*members(1, 2).items(), TEXT, ("more.txt", b""), (".hidden.png", encoded(3)), ("../out.png", encoded(4))]
    inside += [("bad.png", b"bad"), ("2.png", encoded(5)), ("inner.tar", b""), ("inner.7z", b""), ("/abs.png", b"")]
    archive = pack(tmp_path / "a.tar", inside, 0)
    report = synced(archive, tmp_path)
    assert report.found == len(inside)
    assert (report.indexed, [os.path.basename(each.path) for each in report.failed]) == (2, ["bad.png"])
    assert {(os.path.relpath(each.path, archive), each.reason, each.total) for each in report.skipped} == {
        ("notes.txt", "not a picture", 2),
        (".hidden.png", "hidden", 1),
        ("../out.png", "its name leads out of the archive", 2),
        ("2.png", "comes again later in the archive", 1),
        ("inner.tar", "an archive in an archive is not read; unpack it first", 2),
    }
    assert state(tmp_path, archive) == {"1.png": 1, "2.png": 5}, "of one name the last counts"
    again = synced(archive, tmp_path)
    assert (again.found, again.unchanged, again.skipped) == (len(inside), 2, report.skipped)


@pytest.mark.parametrize("name", KINDS)
def test_an_archive_that_grows_and_shrinks(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / name, members(1, 2), 0)
    synced(archive, tmp_path)
    before = ids(tmp_path)
    pack(archive, members(1, 2, 3), 1)
    assert counts(synced(archive, tmp_path)) == {"new": 1, "unchanged": 2, "embedded": 1}
    pack(archive, members(1, 3), 2)
    assert counts(synced(archive, tmp_path)) == {"removed": 1, "unchanged": 2}
    assert state(tmp_path, archive) == {"1.png": 1, "3.png": 3}
    assert ids(tmp_path)["1.png"] == before["1.png"]
    assert counts(synced(archive, tmp_path)) == {"unchanged": 2}


def test_an_archive_without_a_picture_any_more_is_empty_and_not_lost(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", members(1, 2), 0)
    synced(archive, tmp_path)
    pack(archive, [TEXT], 1)
    with made(pack(tmp_path / "b.tar", members(3), 0), tmp_path) as collection:
        assert counts(collection.sync()) == {"removed": 2, "new": 1, "embedded": 1, "skipped": 1}


@pytest.mark.parametrize("name", KINDS)
def test_the_same_members_written_again_are_touched(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / name, members(1, 2, 3), 0)
    synced(archive, tmp_path)
    before = ids(tmp_path)
    pack(archive, members(3, 1, 2), 1)
    with listening() as opened:
        assert counts(synced(archive, tmp_path)) == {"unchanged": 3}
    assert str(archive) in opened
    assert ids(tmp_path) == before
    with Collection.open(tmp_path / "index") as collection, listening() as opened:
        assert counts(collection.sync()) == {"unchanged": 3}
    assert str(archive) not in opened


def test_members_of_the_same_size_and_time_with_other_content(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {"x.png": encoded(1), "y.png": encoded(2)}, 0)
    synced(archive, tmp_path)
    assert len(encoded(1)) == len(encoded(2)) == len(encoded(3))
    pack(archive, {"x.png": encoded(3), "y.png": encoded(2)}, 1)
    assert counts(synced(archive, tmp_path)) == {"changed": 1, "unchanged": 1, "embedded": 1}
    assert state(tmp_path, archive) == {"x.png": 3, "y.png": 2}


def test_an_archive_of_another_size_that_kept_its_time(tmp_path: Path) -> None:
    """As those have that are built to be always the same, with the time of a release."""
    archive = pack(tmp_path / "a.tar", {"x.png": encoded(1), "y.png": encoded(2)}, 0)
    synced(archive, tmp_path)
    pack(archive, {"x.png": encoded(3), "y.png": encoded(2), **members(*range(10, 40))}, 0)
    assert counts(synced(archive, tmp_path)) == {"changed": 1, "unchanged": 1, "new": 30, "embedded": 31}
    assert state(tmp_path, archive)["x.png"] == 3


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ctrl-C in the third batch that is embedded; what was embedded."""
    embedded: list[int] = []

    def stop(seeds: list[int]) -> None:
        embedded.extend(seeds)
        if len(embedded) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(pictures.model, "embedded", stop)
    return embedded


@pytest.mark.parametrize("name", KINDS)
def test_an_interrupted_archive_goes_on(tmp_path: Path, name: str, stopping: list[int]) -> None:
    archive = pack(tmp_path / name, {**members(*range(1, 11)), "bad.png": b"bad"}, 0)
    with made(archive, tmp_path) as collection:
        with pytest.raises(KeyboardInterrupt):
            collection.sync(batch=2)
        assert len(collection) == 4
        report = collection.sync(batch=2)
        assert counts(report) == {"unchanged": 4, "new": 6, "embedded": 6, "failed": 1}
    assert len(stopping) == 12, "a batch was embedded again, and nothing else"
    assert state(tmp_path, archive) == {f"{seed}.png": seed for seed in range(1, 11)}


def test_an_archive_that_kept_its_time_after_an_interruption(tmp_path: Path, stopping: list[int]) -> None:
    archive = pack(tmp_path / "a.tar", members(*range(1, 11)), 0)
    with made(archive, tmp_path) as collection:
        with pytest.raises(KeyboardInterrupt):
            collection.sync(batch=2)
        assert len(collection) == 4
    pack(archive, {f"{i}.png": encoded(100 + i) for i in range(1, 40)}, 0)
    synced(archive, tmp_path)
    assert state(tmp_path, archive) == {f"{i}.png": 100 + i for i in range(1, 40)}


def test_renamed_members_keep_their_ids_and_facts(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {f"photos/{name}": data for name, data in members(1, 2, 3).items()}, 0)
    synced(archive, tmp_path)
    before = ids(tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        collection.describe({f"{archive}/photos/2.png": {"stars": 5}})
    pack(archive, members(1, 2, 3), 1)
    assert counts(synced(archive, tmp_path)) == {"moved": 3}
    assert ids(tmp_path) == before
    with Collection.open(tmp_path / "index") as collection:
        assert collection.facts(f"{archive}/2.png")["stars"] == 5
        assert "stars" not in collection.facts(f"{archive}/1.png")


def test_members_that_change_places(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {"x.png": encoded(1), "y.png": encoded(2), "z.png": encoded(3)}, 0)
    synced(archive, tmp_path)
    pack(archive, {"x.png": encoded(2), "y.png": encoded(1), "w.png": encoded(3)}, 1)
    assert counts(synced(archive, tmp_path)) == {"moved": 3}
    assert state(tmp_path, archive) == {"x.png": 2, "y.png": 1, "w.png": 3}


def test_many_copies_of_one_picture_that_are_renamed(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {f"old/{i}.png": encoded(1) for i in range(300)}, 0)
    assert counts(synced(archive, tmp_path)) == {"new": 300, "embedded": 1}
    before = ids(tmp_path)
    pack(archive, {f"new/{i}.png": encoded(1) for i in range(300)}, 1)
    assert counts(synced(archive, tmp_path)) == {"moved": 300}
    assert ids(tmp_path) == before, "each is again the one of its name"


def test_copies_in_archives_and_folders_are_embedded_once(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for seed in (1, 2):
        pictures.write(str(folder / f"{seed}.png"), seed)
    tar, other = pack(tmp_path / "a.tar", members(2, 3), 0), pack(tmp_path / "b.zip", members(1, 3, 4), 0)
    assert counts(synced([folder, tar, other], tmp_path)) == {"new": 7, "embedded": 4}
    pictures.write(str(folder / "copy.png"), 4)
    assert counts(synced([folder], tmp_path)) == {"new": 1, "unchanged": 7}


def test_two_archives_with_members_of_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one, two = (
        pack(tmp_path / "a.tar", {"x.png": encoded(1)}, 0),
        pack(tmp_path / "b" / "a.tar", {"x.png": encoded(2)}, 0),
    )
    assert counts(synced([one, two], tmp_path)) == {"new": 2, "embedded": 2}
    assert state(tmp_path, tmp_path) == {"a.tar/x.png": 1, "b/a.tar/x.png": 2}


def test_pictures_that_move_between_folders_and_archives_keep_ids_and_facts(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for seed in (1, 2, 3):
        pictures.write(str(folder / f"{seed}.png"), seed)
    first, second = pack(tmp_path / "a.tar", members(11, 12), 0), pack(tmp_path / "b.tar", members(21, 22), 0)
    sources = [folder, second, first]
    synced(sources, tmp_path)
    before = ids(tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        collection.describe({path: {"name_was": os.path.basename(path)} for path in collection.paths()})

    def moved(expected: dict[str, int], **where: int) -> None:
        assert counts(synced(sources, tmp_path)) == expected
        assert state(tmp_path, tmp_path) == {f"{k.replace('__', '/')}": v for k, v in where.items()}
        with Collection.open(tmp_path / "index") as collection:
            for path in collection.paths():
                assert collection.facts(path)["name_was"] == os.path.basename(path)
        assert ids(tmp_path) == before

    def place(*seeds: int, at: str) -> dict[str, int]:
        return {f"{at}/{seed}.png": seed for seed in seeds}

    (folder / "1.png").unlink()
    pack(first, members(1, 11), 1)  # 12 goes to an archive that is looked at before it
    pack(second, members(12, 21, 22), 1)
    moved(
        {"moved": 2, "unchanged": 5},
        **place(2, 3, at="photos"),
        **place(1, 11, at="a.tar"),
        **place(12, 21, 22, at="b.tar"),
    )
    pack(second, members(12, 22), 2)  # and 21 to a folder
    pictures.write(str(folder / "21.png"), 21)
    moved(
        {"moved": 1, "unchanged": 6},
        **place(2, 3, 21, at="photos"),
        **place(1, 11, at="a.tar"),
        **place(12, 22, at="b.tar"),
    )


def test_an_archive_given_twice_by_other_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a.tar", members(1, 2), 0)
    (tmp_path / "link.tar").symlink_to(archive)
    monkeypatch.chdir(tmp_path)
    assert counts(synced([archive, tmp_path / "link.tar", Path("a.tar")], tmp_path)) == {"new": 2, "embedded": 2}
    with Collection.open("index") as collection:
        assert collection.info().roots == [str(archive)]
        assert seed_of(collection.vector("link.tar/1.png")) == 1


def test_an_archive_in_a_source_is_not_counted_beside_its_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    pictures.write(str(folder / "1.png"), 1)
    archive = pack(folder / "a.tar", members(2, 3), 0)
    report = synced(folder, tmp_path)
    assert counts(report) == {"new": 1, "embedded": 1, "skipped": 1}
    (skipped,) = report.skipped
    assert skipped.path == str(archive)
    assert skipped.reason == "an archive; name it to have its pictures read: lookalike index FILE --to PATH"
    assert counts(synced(archive, tmp_path)) == {"new": 2, "unchanged": 1, "embedded": 2}
    assert counts(synced(folder, tmp_path)) == {"unchanged": 3}


def test_failed_members_are_tried_again_when_asked(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {**members(1), "bad.png": b"bad", "text.png": b"a text\n"}, 0)
    report = synced(archive, tmp_path)
    assert [(os.path.relpath(each.path, archive), each.reason) for each in report.failed] == [
        ("bad.png", "not a picture: its content is text"),
        ("text.png", "not a picture: its content is text"),
    ]
    assert report.newly_failed == 2
    with Collection.open(tmp_path / "index") as collection:
        assert collection.failed() == report.failed
        again = collection.sync(retry=True)
        assert (again.failed, again.newly_failed, again.unchanged) == (report.failed, 0, 1)
        assert len(collection.failed()) == 2
    pack(archive, {**members(1), "bad.png": encoded(2)}, 1)
    assert counts(synced(archive, tmp_path)) == {"unchanged": 1, "new": 1, "embedded": 1}


def test_a_picture_that_fails_and_is_back_has_its_facts(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", members(1, 2), 0)
    synced(archive, tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        collection.describe({f"{archive}/1.png": {"stars": 5}})
    pack(archive, {"1.png": b"bad", "2.png": encoded(2)}, 1)
    report = synced(archive, tmp_path)
    assert counts(report) == {"unchanged": 1, "failed": 1}
    pack(archive, members(1, 2), 2)
    assert counts(synced(archive, tmp_path)) == {"unchanged": 1, "new": 1, "embedded": 1}
    with Collection.open(tmp_path / "index") as collection:
        assert collection.facts(f"{archive}/1.png")["stars"] == 5


def test_another_column_is_read_anew(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    columns = {"one": [encoded(1), encoded(2)], "two": [encoded(3), encoded(2)], "name": ["x.png", "y.png"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    stamp(tmp_path / "a.parquet", 0)
    for column, expected, seeds in (
        ("one", {"new": 2, "embedded": 2}, (1, 2)),
        ("two", {"changed": 1, "unchanged": 1, "embedded": 1}, (3, 2)),
        ("two", {"unchanged": 2}, (3, 2)),
    ):
        source = tmp_path / "a.parquet"
        with Collection.create(source, tmp_path / "index", model=pictures.MODEL, key=column) as collection:
            assert counts(collection.sync()) == expected
        assert state(tmp_path, source) == dict(zip(("x.png", "y.png"), seeds, strict=True))


def test_rows_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.parquet", [("", encoded(1)), ("x.png", encoded(2)), ("", encoded(3))], 0)
    synced(archive, tmp_path)
    assert state(tmp_path, archive) == {"0": 1, "x.png": 2, "2": 3}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(1, 10))])
def test_a_life_of_archives(tmp_path: Path, seed: int) -> None:
    """Whatever becomes of archives and a folder, the collection is what they hold, and embeds only what it had not."""
    dice = random.Random(seed)
    sources = [tmp_path / name for name in ("photos", "a.tar", "b.zip", "c.tar.gz")]
    held = [{f"{i}{j}.png": 10 * i + j for j in range(4)} for i in range(len(sources))]
    known: set[int] = set()
    for turn in range(8):
        before = [dict(content) for content in held]
        for _ in range(dice.randrange(8) if turn else 0):
            _happen(held, dice, turn)
        for source, content, old in zip(sources, held, before, strict=True):
            if content != old or not turn:
                _write(source, content, turn, dice)
        expected = {
            f"{source.name}/{name}": seed
            for source, content in zip(sources, held, strict=True)
            for name, seed in content.items()
        }
        pictures.expect(expected.values())
        report = synced(sources, tmp_path)
        assert state(tmp_path, tmp_path) == expected
        assert report.embedded == len(set(expected.values()) - known)
        assert (report.indexed, report.kept) == (len(expected), 0)
        known = set(expected.values())


def _happen(held: list[dict[str, int]], dice: random.Random, turn: int) -> None:
    """Something becomes of a picture."""
    content, other = dice.sample(held, 2)
    name, fresh = dice.choice(sorted(content)), f"{turn}-{dice.randrange(1000)}.png"
    match dice.choice(["add", "drop", "change", "rename", "copy", "move", "swap"]):
        case "add":
            content[fresh] = dice.randrange(200, 300)
        case "change":
            content[name] = dice.randrange(200, 300)
        case "rename":
            content[fresh] = content.pop(name)
        case "copy":
            other[fresh] = content[name]
        case "swap":
            second = dice.choice(sorted(other))
            content[name], other[second] = other[second], content[name]
        case what if len(content) > 1:
            seed = content.pop(name)
            if what == "move":
                other[dice.choice([name, fresh])] = seed


def _write(source: Path, content: dict[str, int], turn: int, dice: random.Random) -> None:
    if source.suffix:
        pack(source, [(name, encoded(content[name])) for name in dice.sample(sorted(content), len(content))], turn)
        return
    for old in source.glob("*.png"):
        old.unlink()
    for name, seed in content.items():
        pictures.write(str(source / name), seed)
