"""Writing: what is written is read again, whole or not at all, and never over what is there."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.errors import ArgumentError, LookalikeError, ReadError, VectorError, WriteError
from lookalike.vectors import open_vectors, write_vectors

from .made import COUNT, DIM, NAMES, STRANGE, VECTORS, WORDS, require_read

ENDINGS = ["h5", "npy", "vec", "bin"]

every = pytest.mark.parametrize("ending", ENDINGS)


def needs(ending: str) -> None:
    if ending == "npy":
        pytest.importorskip("pyarrow", reason="names beside .npy need pyarrow: pip install 'lookalike[parquet]'")


def pieces(names: list[str] | None, vectors: Any, step: int = 47) -> Iterator[tuple[list[str] | None, Any]]:
    for start in range(0, len(vectors), step):
        yield None if names is None else names[start : start + step], vectors[start : start + step]


@every
@pytest.mark.parametrize("step", [1, 47, 1000])
def test_a_round_trip(tmp_path: Path, ending: str, step: int) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    written = write_vectors(path, pieces(NAMES, VECTORS, step))
    assert (written.count, written.dim, written.paths[0]) == (COUNT, DIM, str(path))
    assert sorted(os.listdir(tmp_path)) == sorted(map(os.path.basename, written.paths))
    require_read(path, VECTORS, NAMES)
    again = tmp_path / f"again.{ending}"
    write_vectors(again, open_vectors(path).chunks(rows=31))
    assert again.read_bytes() == path.read_bytes() or ending == "h5"  # where pieces come in another order
    require_read(again, VECTORS, NAMES)


@every
def test_many_dimensions_and_values(tmp_path: Path, ending: str) -> None:
    """Every float32 comes back as it is, also the smallest and the largest."""
    needs(ending)
    bits = np.random.default_rng(5).integers(0, 1 << 32, (40, 3000), np.uint32).view(np.float32)
    vectors = np.where(np.isfinite(bits), bits, np.float32(-0.0))
    path = tmp_path / f"v.{ending}"
    write_vectors(path, pieces(NAMES[:40], vectors, 7))
    require_read(path, vectors, NAMES[:40])


@every
def test_strange_names(tmp_path: Path, ending: str) -> None:
    needs(ending)
    names = [name for name in STRANGE if ending in ("h5", "npy") or not set(name) & set(" \n")]
    path = tmp_path / f"v.{ending}"
    write_vectors(path, pieces(names, VECTORS[: len(names)], 2))
    require_read(path, VECTORS[: len(names)], names)


@pytest.mark.parametrize("ending", ["h5", "npy"])
@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "u1", "i1", ">i4", "<u8"])
def test_the_dtype_is_kept(tmp_path: Path, ending: str, dtype: str) -> None:
    needs(ending)
    vectors = (VECTORS * 40).clip(0, 100).astype(dtype)
    path = tmp_path / f"v.{ending}"
    write_vectors(path, pieces(NAMES, vectors))
    require_read(path, vectors, NAMES)


@every
def test_as_many_as_dimensions(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    write_vectors(path, [(NAMES[:DIM], VECTORS[:DIM])])
    require_read(path, VECTORS[:DIM], NAMES[:DIM])


@every
def test_lists_and_empty_chunks(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    write_vectors(path, [([], np.empty((0, 2))), (("a",), [[1.0, 2.0]]), ([], np.empty((0, 2))), (["b"], [[3.0, 4.0]])])
    wide = np.float64 if ending in ("h5", "npy") else np.float32
    require_read(path, np.array([[1, 2], [3, 4]], wide), ["a", "b"])


# -- what others read


def test_hdf5_is_the_original_layout(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.h5", pieces(NAMES, VECTORS))
    with h5py.File(tmp_path / "v.h5") as file:
        assert set(file) == {"feats", "filenames"}
        assert np.array_equal(file["feats"][:], VECTORS.T)
        assert file["filenames"].asstr()[:].tolist() == NAMES


def test_npy_is_numpys(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    write_vectors(tmp_path / "v.npy", pieces(NAMES, VECTORS))
    assert np.array_equal(np.load(tmp_path / "v.npy"), VECTORS)
    table = parquet.read_table(tmp_path / "v.parquet")
    assert table.column("path").to_pylist() == NAMES
    assert str(table.schema.field("path").type) == "string"
    write_vectors(tmp_path / "w.npy", [(["a", "\udcff"], VECTORS[:2])])
    assert parquet.read_table(tmp_path / "w.parquet").column("path").to_pylist() == [b"a", b"\xff"]


def test_npy_without_names(tmp_path: Path) -> None:
    written = write_vectors(tmp_path / "v.npy", pieces(None, VECTORS))
    assert written.paths == (str(tmp_path / "v.npy"),)
    require_read(tmp_path / "v.npy", VECTORS)
    np.save(tmp_path / "w.npy", VECTORS)
    assert (tmp_path / "v.npy").stat().st_size == (tmp_path / "w.npy").stat().st_size


def test_word2vec_is_as_the_original_program_reads_it(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.vec", pieces(WORDS, VECTORS))
    first, *lines = (tmp_path / "v.vec").read_text().splitlines()
    assert list(map(int, first.split())) == [COUNT, DIM]
    words, *numbers = zip(*(line.split(" ") for line in lines), strict=True)
    assert list(words) == WORDS
    assert np.array_equal(np.array(numbers, np.float32).T, VECTORS)

    write_vectors(tmp_path / "v.bin", pieces(WORDS, VECTORS))
    data = (tmp_path / "v.bin").read_bytes()
    header, rest = data.split(b"\n", 1)
    assert list(map(int, header.split())) == [COUNT, DIM]
    for word, vector in zip(WORDS, VECTORS, strict=True):
        text, rest = rest.split(b" ", 1)
        assert text.decode() == word
        assert struct.unpack(f"<{DIM}f", rest[: 4 * DIM]) == tuple(vector.tolist())
        assert rest[4 * DIM : 4 * DIM + 1] == b"\n"
        rest = rest[4 * DIM + 1 :]
    assert rest == b""


# -- facts beside .npy

FACTS: list[dict[str, Any]] = [
    {
        "text": "é\n",
        "whole": -5,
        "number": 1,
        "yes": True,
        "list": ["a", "b"],
        "mixed": 1,
        "large": 2**63 - 1,
        "a.b": "x",
    },
    {},
    {"text": "", "whole": 2**60, "number": 0.5, "yes": False, "list": [], "mixed": "one", "large": 0.5, "none": None},
    {"mixed": ["é"], "number": None},
]


def test_facts_lie_in_typed_columns(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "v.npy"
    written = write_vectors(path, [(NAMES[:3], VECTORS[:3], FACTS[:3]), (NAMES[3:4], VECTORS[3:4], FACTS[3:])])
    assert (written.format, written.paths) == ("npy", (str(path), str(tmp_path / "v.parquet")))
    require_read(path, VECTORS[:4], NAMES[:4])
    table = parquet.read_table(tmp_path / "v.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "path": "string",
        "text": "string",
        "whole": "int64",
        "number": "double",
        "yes": "bool",
        "list": "list<element: string>",
        "mixed": "string",
        "large": "string",
        "a.b": "string",
    }
    assert table.column("mixed").to_pylist() == ["1", None, '"one"', '["é"]']
    assert table.column("large").to_pylist() == [str(2**63 - 1), None, "0.5", None]
    for name in ("text", "whole", "number", "yes", "list", "a.b"):
        assert table.column(name).to_pylist() == [facts.get(name) for facts in FACTS]


def test_facts_of_many(tmp_path: Path) -> None:
    """More than one group of rows, many columns, names that are no UTF-8; some without facts."""
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    count = 40_000
    names = [f"{i}\udcff" for i in range(count)]
    facts = [{"n": i, f"c{i % 300}": i} if i % 3 else {} for i in range(count)]
    vectors = np.arange(count, dtype=np.float32).reshape(-1, 1)
    chunks: list[Any] = [
        (names[at : at + 999], vectors[at : at + 999], facts[at : at + 999]) for at in range(0, 30_000, 999)
    ]
    at = sum(len(chunk[0]) for chunk in chunks)
    write_vectors(tmp_path / "v.npy", [*chunks, (names[at:], vectors[at:])])
    require_read(tmp_path / "v.npy", vectors, names)
    table = parquet.read_table(tmp_path / "v.parquet")
    assert table.column("path").to_pylist() == [os.fsencode(name) for name in names]
    for column in ("n", "c7"):
        given = [facts[i].get(column) if i < at else None for i in range(count)]
        assert table.column(column).to_pylist() == given
    assert parquet.ParquetFile(tmp_path / "v.parquet").metadata.num_row_groups > 2


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        ([{}], "facts of each vector, received 1 for 2, from row 3 on"),
        ([{}, {"path": "x"}], "received one called 'path', in row 4"),
        ([{}, {"": "x"}], "received one called '', in row 4"),
        ([{}, {7: "x"}], "received one called 7, in row 4"),
        ([{"\udcff": 1}, {}], r"received one called '\\udcff', in row 3"),
        ([{}, {"x": "\udcff"}], r"received '\\udcff' as 'x', in row 4"),
        ([{"x": ["a", 1]}, {}], r"received \['a', 1\] as 'x', in row 3"),
        ([{"x": 2**63}, {}], "received 9223372036854775808 as 'x'"),
        ([{"x": b"bytes"}, {}], "received b'bytes' as 'x'"),
        ([{"x": {}}, {}], r"received \{\} as 'x'"),
    ],
)
def test_facts_that_are_none(tmp_path: Path, facts: Any, match: str) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(ArgumentError, match=match):
        write_vectors(tmp_path / "v.npy", [(NAMES[:3], VECTORS[:3]), (NAMES[3:5], VECTORS[3:5], facts)])
    assert os.listdir(tmp_path) == []


@every
def test_facts_have_room_beside_npy_and_names_alone(tmp_path: Path, ending: str) -> None:
    names = None if ending == "npy" else WORDS[:1]
    with pytest.raises(ArgumentError, match="expected no facts, which only npy has room for, beside names; nothing"):
        write_vectors(tmp_path / f"v.{ending}", [(names, VECTORS[:1], [{"x": 1}])])
    assert os.listdir(tmp_path) == []


# -- what is refused


def bad(row: int, value: float) -> Any:
    vectors = VECTORS.copy()
    vectors[row, 1] = value
    return vectors


def again(at: int, name: str) -> list[str]:
    return [*WORDS[:at], name, *WORDS[at + 1 :]]


@every
@pytest.mark.parametrize(
    ("chunks", "error", "match"),
    [
        ([], VectorError, r"expected vectors to write to .*, received none; nothing was written"),
        ([([], np.empty((0, 7)))], VectorError, "received none; nothing was written"),
        (list(pieces(WORDS, bad(200, np.nan))), VectorError, "received nan in row 200; nothing was written"),
        (list(pieces(WORDS, bad(0, np.inf))), VectorError, "received inf in row 0; nothing was written"),
        ([(WORDS[:3], VECTORS[:3].astype(complex))], VectorError, "received complex128 of the shape"),
        ([(WORDS[:3], np.array([{}, 1, "a"], object))], VectorError, "received object of the shape"),
        ([(WORDS[:3], VECTORS[0, :3])], VectorError, r"of the shape \(3,\)"),
        ([(WORDS[:3], np.empty((3, 0)))], VectorError, r"of the shape \(3, 0\)"),
        ([(WORDS[:3], VECTORS[:3]), (WORDS[3:5], VECTORS[3:5, :4])], VectorError, "like the first, .*from row 3 on"),
        ([(WORDS[:3], VECTORS[:3]), (WORDS[3:5], VECTORS[3:5] > 0)], VectorError, "received bool"),
        ([(WORDS[:3], VECTORS[:3]), (WORDS[3:5], VECTORS[3:5].astype("f8"))], VectorError, "from row 3 on"),
        ([(WORDS[:3], VECTORS[:4])], ArgumentError, "a name for each vector, received 3 for 4"),
        (
            [(WORDS[:3], VECTORS[:3]), (None, VECTORS[3:5])],
            ArgumentError,
            "a name for each vector, received none, from",
        ),
        (
            list(pieces(again(200, "w7"), VECTORS)),
            ArgumentError,
            "received 'w7' in row 200 as in row 7; nothing was written",
        ),
        (
            list(pieces(again(200, ""), VECTORS)),
            ArgumentError,
            "received an empty one, in row 200; nothing was written",
        ),
        (list(pieces(again(200, "a\0"), VECTORS)), ArgumentError, "received one with NUL"),
        (list(pieces(again(200, "\ud800"), VECTORS)), ArgumentError, "received one with half a character"),
        (list(pieces(again(200, "x" * 4097), VECTORS)), ArgumentError, "received one of 4,097 bytes"),
        ([(WORDS[:2], VECTORS[:2]), ([7], VECTORS[3:4])], ArgumentError, "received 7, in row 2"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, ending: str, chunks: Any, error: type[Exception], match: str) -> None:
    needs(ending)
    with pytest.raises(error, match=match):
        write_vectors(tmp_path / f"v.{ending}", chunks)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ["h5", "vec", "bin"])
def test_names_are_needed(tmp_path: Path, ending: str) -> None:
    with pytest.raises(ArgumentError, match="expected a name for each vector, received none, from row 0 on; nothing"):
        write_vectors(tmp_path / f"v.{ending}", pieces(None, VECTORS))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ["vec", "bin"])
@pytest.mark.parametrize("space", " \t\n\r\v\f")
def test_words_have_no_spaces(tmp_path: Path, ending: str, space: str) -> None:
    with pytest.raises(
        ArgumentError, match=r"words without white space.* in row 200; nothing was written: choose hdf5"
    ):
        write_vectors(tmp_path / f"v.{ending}", pieces(again(200, f"a{space}b"), VECTORS))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ["vec", "bin"])
def test_numbers_beyond_float32(tmp_path: Path, ending: str) -> None:
    with pytest.raises(
        VectorError, match="numbers that float32 can hold, received larger ones in row 200; nothing was"
    ):
        write_vectors(
            tmp_path / f"v.{ending}", pieces(WORDS, bad(200, 0).astype("f8") + bad(200, 1e30).astype("f8") * 1e30)
        )
    assert os.listdir(tmp_path) == []


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"expected one of the endings \.h5 .*, received '\.pkl'; or give a format"):
        write_vectors(tmp_path / "v.pkl", pieces(NAMES, VECTORS))
    with pytest.raises(ArgumentError, match="format is 'glove'; expected one of hdf5, npy, word2vec"):
        write_vectors(tmp_path / "v.h5", pieces(NAMES, VECTORS), format="glove")  # type: ignore[arg-type]
    write_vectors(tmp_path / "v.pkl", pieces(WORDS, VECTORS), format="word2vec")
    require_read(tmp_path / "v.pkl", VECTORS, WORDS)


@every
def test_an_error_in_the_chunks_leaves_nothing(tmp_path: Path, ending: str) -> None:
    needs(ending)

    def chunks() -> Iterator[tuple[list[str], Any]]:
        yield WORDS[:3], VECTORS[:3]
        raise ReadError(errno.EIO, "the disk of these is gone")

    (tmp_path / f"old.{ending}").write_bytes(b"old")
    for path in (tmp_path / f"v.{ending}", tmp_path / f"old.{ending}"):
        with pytest.raises(ReadError, match="the disk of these is gone"):
            write_vectors(path, chunks(), overwrite=True)
    assert os.listdir(tmp_path) == [f"old.{ending}"]
    assert (tmp_path / f"old.{ending}").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["", "v.h5/", "v\0.h5"])
def test_what_is_no_name_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match="expected the path of a file to be written, received"):
        write_vectors(f"{tmp_path}/{name}", pieces(NAMES, VECTORS), format="hdf5")
    assert os.listdir(tmp_path) == []


def test_npy_does_not_take_the_name_of_its_names(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(ArgumentError, match=r"v\.parquet: expected another name .*; let it end in \.npy"):
        write_vectors(tmp_path / "v.parquet", pieces(NAMES, VECTORS), format="npy", overwrite=True)
    assert os.listdir(tmp_path) == []


# -- what is there


@every
def test_nothing_is_overwritten_unless_asked(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    path.write_bytes(b"old")
    with pytest.raises(
        WriteError, match="expected no file there, received one; choose another name, or ask"
    ) as refusal:
        write_vectors(path, pieces(WORDS, VECTORS))
    assert refusal.value.errno == errno.EEXIST
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]
    for vectors in (VECTORS, -VECTORS):
        write_vectors(path, pieces(WORDS, vectors), overwrite=True)
        require_read(path, vectors, WORDS)


@every
def test_what_appears_while_it_is_written_stays(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"

    def chunks() -> Iterator[tuple[list[str], Any]]:
        yield WORDS, VECTORS
        path.write_bytes(b"another")

    with pytest.raises(WriteError, match="expected no file there"):
        write_vectors(path, chunks())
    assert path.read_bytes() == b"another"
    assert os.listdir(tmp_path) == [path.name]


def test_names_beside_npy_are_not_overwritten(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "v.parquet").write_bytes(b"old")
    with pytest.raises(WriteError, match=r"v\.parquet: expected no file there"):
        write_vectors(tmp_path / "v.npy", pieces(NAMES, VECTORS))
    with pytest.raises(WriteError, match=r"v\.parquet: expected no file there, for its names would be taken"):
        write_vectors(tmp_path / "v.npy", pieces(None, VECTORS), overwrite=True)
    assert os.listdir(tmp_path) == ["v.parquet"]
    write_vectors(tmp_path / "v.npy", pieces(NAMES, VECTORS), overwrite=True)
    require_read(tmp_path / "v.npy", VECTORS, NAMES)


@every
def test_a_link_is_followed(tmp_path: Path, ending: str) -> None:
    needs(ending)
    (tmp_path / "there").mkdir()
    path = tmp_path / f"v.{ending}"
    path.symlink_to(f"there/real.{ending}")
    write_vectors(path, pieces(WORDS, VECTORS))
    assert path.is_symlink()
    require_read(path, VECTORS, WORDS)


@every
def test_what_is_no_file(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    os.mkfifo(path)
    with pytest.raises(WriteError, match="or a regular one, received another kind; choose another name"):
        write_vectors(path, pieces(WORDS, VECTORS), overwrite=True)
    with pytest.raises(WriteError, match="received 'No such file or directory' from the system; choose a folder"):
        write_vectors(tmp_path / "none" / path.name, pieces(WORDS, VECTORS))
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    write_vectors(tmp_path / "v.bin", pieces(WORDS, VECTORS))
    require_read(tmp_path / "v.bin", VECTORS, WORDS)
    assert os.listdir(tmp_path) == ["v.bin"]


FULL = """
import resource, sys
import numpy as np
from lookalike.errors import WriteError
from lookalike.vectors import write_vectors
path, most = sys.argv[1], int(sys.argv[2])
vectors = np.random.default_rng(0).standard_normal((20_000, 16), np.float32)
names = [str(i) for i in range(len(vectors))]
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    chunks = [(names[at : at + 500], vectors[at : at + 500]) for at in range(0, len(names), 500)]
    write_vectors(path, chunks, overwrite=True)
except WriteError as error:
    print(error)
"""


@every
@pytest.mark.parametrize("most", [10, 3_000, 200_000, 1_200_000])
def test_a_full_disk(tmp_path: Path, ending: str, most: int) -> None:
    """A limit on the size of files stands for it."""
    needs(ending)
    path = tmp_path / f"v.{ending}"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL, str(path), str(most)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"{path}: expected to write it, received " in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_bytes() == b"old"


KILLED = """
import os, signal, sys
import numpy as np
from lookalike.vectors import write_vectors
def chunks():
    yield [str(i) for i in range(5000)], np.ones((5000, 16), np.float32)
    os.kill(os.getpid(), signal.SIGKILL)
write_vectors(sys.argv[1], chunks(), overwrite=True)
"""


@every
def test_a_kill_leaves_the_old_file(tmp_path: Path, ending: str) -> None:
    needs(ending)
    path = tmp_path / f"v.{ending}"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"
    assert all(name.startswith((".lookalike-", path.name)) for name in os.listdir(tmp_path))


INTERRUPTED = """
import io, os, signal, sys
import numpy as np
from lookalike.vectors import hdf5_write, write_vectors
path, when = sys.argv[1:]
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
def chunks():
    for at in range(0, 5000, 500):
        yield [str(i) for i in range(at, at + 500)], np.ones((500, 16), np.float32)
    if when == "between":
        interrupt()
if when == "within":
    class Disk(hdf5_write.Disk):
        def write(self, data):
            interrupt()
            return super().write(data)
    hdf5_write.Disk = Disk
try:
    write_vectors(path, chunks(), overwrite=True)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(("ending", "when"), [*((ending, "between") for ending in ENDINGS), ("h5", "within")])
def test_an_interrupt_leaves_the_old_file(tmp_path: Path, ending: str, when: str) -> None:
    """Also in the midst of what HDF5 writes, where it would crash."""
    needs(ending)
    path = tmp_path / f"v.{ending}"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERRUPTED, str(path), when], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("named", ["v.parquet", "v.npy"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_names_are_never_left_alone(
    tmp_path: Path, named: str, overwrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt just when one of both files has its name: both are there, or none."""
    pytest.importorskip("pyarrow")
    for call in ("link", "replace"):
        real = getattr(os, call)

        def give(source: str, target: str, real: Any = real) -> None:
            real(source, target)
            if target == str(tmp_path / named):
                raise KeyboardInterrupt

        monkeypatch.setattr(os, call, give)
    with pytest.raises(KeyboardInterrupt):
        write_vectors(tmp_path / "v.npy", pieces(NAMES, VECTORS), overwrite=overwrite)
    if named == "v.parquet":
        assert os.listdir(tmp_path) == []
    else:
        require_read(tmp_path / "v.npy", VECTORS, NAMES)


@every
def test_what_is_under_the_name_was_synced(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's bytes are on the disk before it has its name, and the name is, too, at the end."""
    needs(ending)
    calls: list[str] = []
    fsync, link = os.fsync, os.link

    def synced(file: int) -> None:
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{file}") else "file")
        fsync(file)

    def named(source: str, target: str) -> None:
        calls.append("named")
        link(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", named)
    write_vectors(tmp_path / f"v.{ending}", pieces(WORDS, VECTORS))
    assert calls == ["file", "named", "folder"] * (2 if ending == "npy" else 1)


def test_errors_are_of_one_tree(tmp_path: Path) -> None:
    with pytest.raises(LookalikeError):
        write_vectors(tmp_path / "v.h5", [])
