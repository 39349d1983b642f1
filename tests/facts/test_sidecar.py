"""Files of facts: what each kind gives, and which line is to blame."""

from __future__ import annotations

import datetime
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from lookalike.errors import ArgumentError, MissingExtraError
from lookalike.facts import read_names, read_sidecar


def read(tmp_path: Path, name: str, content: str | bytes) -> dict[str, dict[str, object]]:
    """The facts by the path, relative to the folder."""
    file = tmp_path / name
    file.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
    return {os.path.relpath(path, tmp_path): dict(facts) for path, facts in read_sidecar(str(file))}


# -- CSV


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_csv(tmp_path: Path, mark: str, end: str, start: str) -> None:
    lines = [
        ["path", "stars", "label", "raw"],
        ["a.jpg", "5", '"two\nlines, ""so"""', "TRUE"],
        ["b/c.jpg", "", "", "false"],
    ]
    found = read(tmp_path, "facts.csv", start + "".join(mark.join(cells) + end for cells in lines))
    assert found == {
        "a.jpg": {"stars": 5, "label": 'two\nlines, "so"', "raw": True},
        "b/c.jpg": {"stars": None, "label": None, "raw": False},
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", "-3e2", ""], [1, 2.5, -300.0, None]),
        (["1", "2", "x"], ["1", "2", "x"]),
        (["007", "8"], ["007", "8"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["1e20", "2"], [1e20, 2]),
        (["-9223372036854775808", "12345678901234567890.5"], [-(2**63), 12345678901234567890.5]),
        (["1e999"], ["1e999"]),
        (["9" * 60], ["9" * 60]),
        (["nan", "1"], ["nan", "1"]),
        (["true", "", "False"], [True, None, False]),
        (["true", "1"], ["true", "1"]),
        (["2024-05-17"], ["2024-05-17"]),
        (["", ""], [None, None]),
    ],
)
def test_a_column_of_csv_has_one_kind(tmp_path: Path, cells: list[str], expected: list[object]) -> None:
    lines = "".join(f"{i}.jpg,{cell}\n" for i, cell in enumerate(cells))
    found = read(tmp_path, "facts.CSV", f"path,x\n{lines}")
    assert [facts["x"] for facts in found.values()] == expected


def test_a_path_may_be_a_number_absolute_or_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "\udcff.jpg").touch()
    found = read(tmp_path, "f.csv", f"path,x\n7,1\n{tmp_path}/a/../b.jpg,2\n\udcff.jpg,3\n../up.jpg,4\n")
    assert found == {"7": {"x": 1}, "b.jpg": {"x": 2}, "\udcff.jpg": {"x": 3}, "../up.jpg": {"x": 4}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected the names of the columns.*received nothing"),
        ("file,stars\na,1\n", "line 1: .*'path', received file, stars"),
        ("path,x,x\na,1,2\n", "line 1: .*each once"),
        ("path,x\na,1\nb\n", "line 3: expected 2 cells, received 1"),
        ("path,x\n\n\na,1,2\n", "line 4: expected 2 cells, received 3"),
        ('path,x\na,"two\nlines"\nb,"1"2\n', "line 4: expected CSV"),
        ('path,x\na,"1\n', "line 2: expected CSV"),
        ("path,x\n,1\n", "line 2: expected the path of a picture"),
        ("path,x\na,1\n./a,2\n", "line 3: expected each picture once, received ./a again"),
        ("path,x\na,\udcff\n", "line 2: expected text in UTF-8, received the byte 0xff.*in Excel: CSV UTF-8"),
        ("path,gr\udcf6\udcdfe\na,1\n", "line 1: expected text in UTF-8, received the byte 0xf6"),
        ("path,x\na,1\n\udcfc.jpg,2\n", "line 3: expected text in UTF-8, received the byte 0xfc"),
        ('path,"a""b"\na,1\n', "line 2: expected the name of a fact"),
        ("path,\na,1\n", "line 2: expected the name of a fact"),
        (f"path,x\na,{'y' * 5000}\n", "line 2: expected a text of at most 4,096 characters.*5,000"),
        (f"path,x\na,{'y' * 200_000}\n", "line 2: expected CSV"),
        ("path,x\na,b\0c\n", "line 2: expected"),
    ],
)
def test_bad_csv(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=f"f.csv, {message}"):
        read(tmp_path, "f.csv", content)


@pytest.mark.parametrize(
    ("name", "content"),
    [("f.csv", "path,x\n"), ("f.json", "[]"), ("f.json", ""), ("f.ndjson", "\n"), ("f.ndjson", "")],
)
def test_no_rows(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(ArgumentError, match=f"expected facts of pictures in .*{name}, received no row"):
        read(tmp_path, name, content)


# -- encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    csv = read(tmp_path, "f.csv", f"{mark}path\tgröße\r\nä.jpg\t5\r\n".encode(encoding))
    assert csv == {"ä.jpg": {"größe": 5}}
    for text in ('{"path": "ä.jpg", "größe": 5}', '[\n{"path": "ä.jpg", "größe": 5}]'):
        assert read(tmp_path, "f.json", (mark + text).encode(encoding)) == csv


@pytest.mark.parametrize("name", ["f.csv", "f.json"])
def test_encodings_that_no_mark_tells(tmp_path: Path, name: str) -> None:
    text = "path,x\na,1\n" if name == "f.csv" else '{"path": "a"}'
    with pytest.raises(ArgumentError, match=rf"{name}: expected text, received NUL bytes, as of UTF-16; save it as"):
        read(tmp_path, name, text.encode("utf-16-le"))
    with pytest.raises(ArgumentError, match=rf"{name}: expected text in UTF-16, as it begins, received"):
        read(tmp_path, name, text.encode("utf-16") + b"x")


# -- JSON

RECORDS = [
    {"path": "a.jpg", "stars": 5, "labels": ["cat", "", "dog"], "raw": True, "note": None, "empty": []},
    {"path": "b.jpg", "ratio": 0.5, "label": "größe\n"},
]
EXPECTED = {
    "a.jpg": {"stars": 5, "labels": ["cat", "dog"], "raw": True, "note": None, "empty": None},
    "b.jpg": {"ratio": 0.5, "label": "größe\n"},
}


@pytest.mark.parametrize("name", ["f.json", "f.ndjson", "f.jsonl"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n "])
def test_json(tmp_path: Path, name: str, start: str) -> None:
    assert read(tmp_path, name, start + json.dumps(RECORDS)) == EXPECTED
    assert read(tmp_path, name, start + "\n\n".join(map(json.dumps, RECORDS))) == EXPECTED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"path": "a"}\n{"path": \n', "line 2: expected JSON"),
        ('{"path": "a"}\n3\n', "line 2: expected an object, received 3"),
        ('[{"path": "a"}, 3]', "object 2: expected an object, received 3"),
        ('{"path": "a", "x": NaN}', "line 1: expected JSON, received NaN"),
        ('{"path": "a", "x": 1e999}', "line 1: expected a text, a number of 64 bits"),
        ('{"path": "a", "x": 9223372036854775808}', "line 1: expected a text, a number of 64 bits"),
        (f'{{"path": "a", "x": {"9" * 5000}}}', "line 1: expected JSON"),
        ('{"path": "a", "x": {"y": 1}}', "line 1: expected a text, a number of 64 bits"),
        ('{"path": "a", "x": [1]}', "line 1: expected a text, a number of 64 bits"),
        ('{"path": "a", "x": "\\ud800"}', "line 1: expected a text in UTF-8"),
        ('{"path": "a", "x": "\\u0000"}', "line 1: expected a text of at most"),
        ('{"path": "a", "x\\ny": 1}', "line 1: expected the name of a fact"),
        ('{"path": 3}', "line 1: expected the path of a picture"),
        ('{"path": "a\\u0000"}', "line 1: expected the path of a picture"),
        ('{"path": "a\\ud800"}', "line 1: expected the path of a picture"),
        ('{"x": 3}', "line 1: expected the path of a picture"),
        (b'{"path": "\xff"}', "line 1: expected text in UTF-8, received the byte 0xff"),
        (b'[{"path": "a"},\n{"path": "\xfc"}]', "f.json, line 2: expected text in UTF-8, received the byte 0xfc"),
        ('{"path": "a", "x": 1}\n{"path": "b", "x": 1, "x": 2}', "line 2: expected each name once, received 'x' again"),
        ('[{"path": "a"}, {"path": "b", "path": "c"}]', "object 2: expected each name once, received 'path' again"),
        ("[" * 100_000, "expected JSON"),
        ('{"path": "a", ' + ", ".join(f'"x{i}": "{"y" * 4000}"' for i in range(20)) + "}", "at most 64 KiB of facts"),
    ],
)
def test_bad_json(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read(tmp_path, "f.json", content)


# -- Parquet


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    moment = datetime.datetime(2024, 5, 17, 9, 30)
    columns = {
        "path": ["a.jpg", "b.jpg"],
        "stars": pyarrow.array([5, None], pyarrow.int8()),
        "ratio": [0.5, float("nan")],
        "raw": [True, None],
        "labels": [["cat", "dog"], []],
        "day": [moment.date(), None],
        "taken": pyarrow.array([moment, None], pyarrow.timestamp("ns")),
        "price": [Decimal("1.50"), None],
        "kind": pyarrow.array(["x", "y"]).dictionary_encode(),
        "__index_level_0__": [0, 1],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "f.parquet")
    (_, first), (_, second) = read_sidecar(str(tmp_path / "f.parquet"))
    assert first == {
        "stars": 5, "ratio": 0.5, "raw": True, "labels": ["cat", "dog"], "day": "2024-05-17",
        "taken": "2024-05-17T09:30:00", "price": 1.5, "kind": "x",
    }  # fmt: skip
    assert {name for name, value in second.items() if value is not None} == {"kind"}


def test_bad_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    with pytest.raises(ArgumentError, match=r"f\.parquet, received"):
        read_sidecar(str(tmp_path / "f.parquet"))
    with pytest.raises(ArgumentError, match=r"f\.parquet: expected Parquet"):
        read(tmp_path, "f.parquet", "no parquet")
    parquet.write_table(pyarrow.table({"file": ["a"]}), tmp_path / "f.parquet")
    with pytest.raises(ArgumentError, match="one of them 'path', received file"):
        read_sidecar(str(tmp_path / "f.parquet"))
    parquet.write_table(pyarrow.table({"path": ["a", "b"], "x": [b"1", b"2"]}), tmp_path / "f.parquet")
    with pytest.raises(ArgumentError, match="row 1: expected a text, a number"):
        read_sidecar(str(tmp_path / "f.parquet"))
    whole = (tmp_path / "f.parquet").read_bytes()
    (tmp_path / "f.parquet").write_bytes(whole[:20] + b"\xff" * 20 + whole[40:])
    with pytest.raises(ArgumentError, match=r"f\.parquet"):
        read_sidecar(str(tmp_path / "f.parquet"))


def test_parquet_without_its_extra_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lookalike\[parquet\]'"):
        read(tmp_path, "f.parquet", "")


# -- any


def test_files_that_are_none(tmp_path: Path) -> None:
    for name in ("f.csv", "f.json"):
        with pytest.raises(ArgumentError, match=f"{name}, received"):
            read_sidecar(str(tmp_path / name))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ArgumentError, match=r"folder\.csv, received Is a directory"):
        read_sidecar(str(tmp_path / "folder.csv"))
    with pytest.raises(ArgumentError, match=r"one of the endings \.csv \.tsv .*received .*f\.xlsx"):
        read(tmp_path, "f.xlsx", "")


def test_names_are_no_paths(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("path,x\n../a//b,1\n../a/b,2\ncat,3\n")
    names = [name for name, _ in read_names(str(tmp_path / "f.csv"))]
    assert names == ["../a//b", "../a/b", "cat"]
    (tmp_path / "f.csv").write_text("path,x\ncat,1\n./cat,2\ncat,3\n")
    with pytest.raises(ArgumentError, match="line 4: expected each picture once, received cat again"):
        read_names(str(tmp_path / "f.csv"))


def test_parquet_with_names_that_are_no_utf8(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"path": [b"a", b"\xff\xe9"], "x": [1, 2]}), tmp_path / "f.parquet")
    assert read_names(str(tmp_path / "f.parquet")) == [("a", {"x": 1}), ("\udcff\udce9", {"x": 2})]
    assert read_sidecar(str(tmp_path / "f.parquet"))[1].path == f"{tmp_path}/\udcff\udce9"
