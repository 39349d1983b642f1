"""Parquet: which columns are pictures and names, what is damaged, and what only a hostile file holds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from lookalike.errors import ArchiveError, MissingExtraError
from lookalike.images.archives import Passed, archive_kind, look, read, reader
from lookalike.images.given import Failed, Given
from tests.conftest import LONG
from tests.images.archives.made import PICTURES, got, make_parquet, refused, require_refused

pytest.importorskip("pyarrow")
import pyarrow as pa
from pyarrow import parquet

DATA = list(PICTURES.values())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.parquet"


def structs(names: list[Any], data: list[Any] = DATA) -> list[dict[str, Any]]:
    """Rows as Hugging Face's datasets write them."""
    return [{"image": {"bytes": each, "path": name}, "label": 1} for name, each in zip(names, data, strict=False)]


# -- pictures and names


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "brotli", "lz4", "none"])
@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_structs_of_bytes_and_path(path: Path, compression: str, rows: int) -> None:
    make_parquet(path, structs(list(PICTURES)), compression=compression, row_group_size=rows)
    assert archive_kind(str(path)) == "parquet"
    contents = look(str(path))
    assert contents.names == list(PICTURES)
    assert contents.passed == []
    assert got(path) == got(path, contents=contents) == PICTURES
    wanted = {list(PICTURES)[at] for at in (1, 5, 6)}
    assert got(path, wanted) == {name: data for name, data in PICTURES.items() if name in wanted}


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("names", ["path", "filename", "file_name", "name", "key", "__key__", None])
def test_bytes_and_a_column_of_names(path: Path, kind: Any, names: str | None) -> None:
    columns = {"label": range(len(DATA)), "jpg": pa.array(DATA, kind)}
    if names:
        columns[names] = list(PICTURES)
    parquet.write_table(pa.table(columns), path, use_dictionary=bool(names), data_page_version="2.0")
    expected = list(PICTURES) if names else [str(row) for row in range(len(DATA))]
    assert got(path) == dict(zip(expected, DATA, strict=True))


def test_every_row_counts_whatever_it_is_called(path: Path) -> None:
    """A name that no file can have, none, or one that came before: then the row is called by its number."""
    names = [
        "a.jpg",
        "a.jpg",
        None,
        "",
        "/home/b.jpg",
        "../c.jpg",
        ".hidden",
        "x" * 4097,
        "nul\0",
        "a.txt",
    ]
    make_parquet(path, structs(names))
    expected = ["a.jpg", "1", "2", "3", "4", "5", ".hidden", "7", "8", "a.txt"]
    assert look(str(path)).names == expected
    assert look(str(path)).passed == []
    assert got(path) == dict(zip(expected, DATA, strict=False))


def test_a_row_whose_number_is_the_name_of_another_is_passed_over(path: Path) -> None:
    make_parquet(path, structs(["3", "b", "b", "b", "2"]))
    contents = look(str(path))
    assert contents.names == ["3", "b", "2", "4"]
    assert contents.passed == [Passed("3", "other rows before it have its name and its number", 1)]
    assert list(got(path).values()) == [DATA[0], DATA[1], DATA[2], DATA[4]]


def test_names_that_are_not_utf8(path: Path) -> None:
    parquet.write_table(pa.table({"image": DATA[:2], "path": pa.array([b"\xff.jpg", "é.jpg".encode()])}), path)
    assert look(str(path), column="image").names == ["\udcff.jpg", "é.jpg"]


def test_rows_without_a_picture_fail(path: Path) -> None:
    rows = [{"image": None}, *structs(["b", "c", "d"], [None, b"", DATA[0]])]
    make_parquet(path, rows)
    null = "null, without a picture"
    assert list(read(str(path))) == [Failed("0", null), Failed("b", null), Given("c", b""), Given("d", DATA[0])]


def test_which_column(path: Path) -> None:
    rows = [{"mask": {"bytes": b"m"}, "image": {"bytes": b"i", "path": "a"}, "blob": b"b"}]
    make_parquet(path, rows)
    assert got(path) == {"a": b"i"}
    assert got(path, column="mask") == {"0": b"m"}
    assert got(path, column="blob") == {"0": b"b"}
    require_refused(
        path, "expected a column 'other' of pictures as bytes, or as structs of bytes and path", column="other"
    )
    make_parquet(path, [{"one": b"1", "other": b"2"}])
    require_refused(path, "expected one column of pictures .* received the columns one, other; say which it is")
    make_parquet(path, [{"text": "1", "list": [b"2"], "deep": {"bytes": {"bytes": b"3"}}, "number": {"bytes": 4}}])
    require_refused(path, "expected one column of pictures .* received the columns text, list, deep, number; say which")
    make_parquet(path, [{"one\ntwo": 1}])
    require_refused(path, r"received the columns one\\ntwo;")
    make_parquet(path, [{"a.b": b"1", "a": {"b": b"2", "bytes": b"3"}}])
    assert got(path, column="a.b") == {"0": b"1"}
    assert got(path, column="a") == {"0": b"3"}
    parquet.write_table(pa.table([[b"1"], [b"2"]], ["image", "image"]), path)
    require_refused(path, "expected columns of different names, received image, image; rename them")


def test_no_rows(path: Path) -> None:
    parquet.write_table(pa.table({"image": pa.array([], pa.binary())}), path)
    assert look(str(path)).names == []
    assert list(read(str(path))) == []


@pytest.mark.thorough
def test_pictures_larger_than_are_decoded_fail(path: Path) -> None:
    parquet.write_table(pa.table({"image": [bytes((256 << 20) + 1), b"1"]}), path, compression="none", row_group_size=1)
    large, small = read(str(path))
    assert large == Failed("0", "larger than 256 MiB; make a smaller copy of it")
    assert small == Given("1", b"1")


def test_the_extra_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_parquet(path, structs(["a"]))
    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    assert archive_kind(str(path)) == "parquet"
    with pytest.raises(MissingExtraError, match=r"pip install 'lookalike\[parquet\]'"):
        look(str(path))


# -- damage


def test_truncated_it_is_refused(path: Path) -> None:
    make_parquet(path, structs(list(PICTURES)))
    data = path.read_bytes()
    for size in (4, 12, len(data) // 2, len(data) - 8, len(data) - 1):
        path.write_bytes(data[:size])
        require_refused(path, "expected a whole parquet archive, received .*; fetch it again")


def test_a_damaged_page_costs_its_row_group(path: Path) -> None:
    noise = [random.Random(row).randbytes(900) for row in range(9)]
    make_parquet(
        path, structs(list("abcdefghi"), noise), row_group_size=3, compression="none", write_page_checksum=True
    )
    data = path.read_bytes()
    at = data.index(noise[4])
    path.write_bytes(data[:at] + b"X" + data[at + 1 :])
    results = list(read(str(path)))
    assert [type(each) for each in results] == [Given] * 3 + [Failed] * 3 + [Given] * 3
    assert {each.reason for each in results if isinstance(each, Failed)} == {
        "in damaged rows (could not verify page integrity, CRC checksum verification failed for page_ordinal 0)"
    }
    assert [each.data for each in results if isinstance(each, Given)] == noise[:3] + noise[6:]


def test_a_flipped_bit_never_ends_more_than_the_child(path: Path) -> None:
    make_parquet(path, structs(["a", "b"], DATA[:2]), store_schema=False, compression="none")
    data = path.read_bytes()
    refusals = 0
    dice = random.Random(2)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for _ in range(300 if LONG else 20):
        place = dice.randrange(footer, len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :])
        try:
            assert len(list(read(str(path)))) <= 2
        except ArchiveError:
            refusals += 1
    assert refusals


# -- hostile ones


def test_an_encrypted_footer_is_refused(path: Path) -> None:
    make_parquet(path, structs(["a"]))
    path.write_bytes(b"PARE" + path.read_bytes()[4:-4] + b"PARE")
    assert archive_kind(str(path)) == "parquet"
    require_refused(path, "expected a whole parquet archive, received .*encrypt")


def test_pages_that_unpack_to_too_much_are_refused(path: Path) -> None:
    table = pa.table({"image": [bytes(80 << 20)] * 2, "small": [b"1", b"2"]})
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    require_refused(path, "expected pictures, which hardly pack, received .* bytes that unpack to", column="image")
    assert got(path, column="small") == {"0": b"1", "1": b"2"}


def test_one_picture_for_all_rows_is_not_read_for_ever(path: Path) -> None:
    """A dictionary gives a value to as many rows as there are."""
    picture = random.Random(3).randbytes(1 << 20)
    rows = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array([picture]))
    parquet.write_table(pa.table({"image": rows}), path, store_schema=False)
    assert path.stat().st_size < 2 << 20
    count = 0
    with refused(path, "expected pictures, which hardly pack, received .* bytes that unpack to"):
        for count, each in enumerate(read(str(path)), 1):
            assert each == Given(str(count - 1), picture)
    assert 100 < count < 200


def test_a_page_that_promises_gigabytes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(pa.table({"image": [b"x" * 1000]}), path, compression="gzip", use_dictionary=False)
    data = path.read_bytes()
    # After the type of the page comes its size when unpacked: i32 as a zigzag varint (Thrift's compact protocol).
    assert data[4:7] == b"\x15\0\x15"
    assert data[7] & 128
    assert not data[8] & 128
    assert data[9] == 0x15  # and its size in the file, of which three bytes go to the longer header
    path.write_bytes(data[:7] + b"\xfe\xff\xff\xff\x0f\x15" + bytes([data[10] - 2 * 3]) + data[11:])
    (row,) = read(str(path))
    assert isinstance(row, Failed)
    monkeypatch.setitem(reader._MEMORY, "parquet", 1 << 30)
    reason = "in damaged rows (they need more memory than a reader of archives may have)"
    assert list(read(str(path))) == [Failed("0", reason)]
