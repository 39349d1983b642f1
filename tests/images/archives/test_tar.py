"""Tars: what is in them beside files, what is wrong with them, and what only a hostile one holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.errors import ArchiveError
from lookalike.images.archives import Passed, archive_kind, look
from lookalike.images.archives import tar as tar_module
from lookalike.images.archives.contents import survey
from lookalike.images.archives.file import File
from tests.conftest import LONG, Require
from tests.images.archives.made import (
    END,
    MEMBER,
    NOT_UTF8,
    OTHERS,
    PICTURE,
    PICTURES,
    TAR_MODES,
    add,
    base256,
    got,
    header,
    make,
    make_tar,
    padded,
    pax,
    reasons,
    require_refused,
)

pytestmark = pytest.mark.thorough

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
}
LATER = header(b"later.png", len(PICTURE)) + padded(PICTURE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tar"


@pytest.fixture
def gnu_tar(require_or_skip: Require) -> str:
    found = next((name for name in ("gtar", "tar") if shutil.which(name)), "")
    version = subprocess.run([found, "--version"], capture_output=True, check=True).stdout if found else b""
    require_or_skip(b"GNU tar" in version, "needs GNU tar")
    return found


# -- what is in them


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format(path: Path, format: int) -> None:
    files = {name: data for name, data in (PICTURES | NOT_UTF8).items() if len(name) < 100}
    assert got(make_tar(path, files, format=format)) == files


@pytest.mark.parametrize("format", ["v7", "oldgnu", "gnu", "ustar", "pax"])
@pytest.mark.parametrize("packed", ["", "z"])
def test_what_gnu_tar_writes(gnu_tar: str, path: Path, tmp_path: Path, format: str, packed: str) -> None:
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    for name in ("1.png", "sub/2.png"):
        (tmp_path / "folder" / name).write_bytes(PICTURES["01.png"])
    command = [gnu_tar, f"-c{packed}f", str(path), f"--format={format}", "-C", str(tmp_path / "folder"), "."]
    subprocess.run(command, check=True)
    assert got(path) == {"1.png": PICTURES["01.png"], "sub/2.png": PICTURES["01.png"]}


def test_the_oldest_have_no_magic(path: Path) -> None:
    blank = b"a.png".ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(PICTURE) + b"0" * 11 + b"\0"
    block = (blank + b" " * 8 + b"\0").ljust(512, b"\0")
    block = block[:148] + b"%06o\0 " % sum(block) + block[156:]
    folder = header(b"folder.jpg/", 0, b"\0")
    path.write_bytes(block + padded(PICTURE) + folder + END)
    assert archive_kind(str(path)) == "tar"
    assert got(path) == {"a.png": PICTURE}
    assert reasons(path) == {}


def test_what_is_no_file_is_passed_over(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        add(tar, "folder.jpg", type=tarfile.DIRTYPE)
        add(tar, "hard.jpg", type=tarfile.LNKTYPE, linkname="/etc/passwd")
        add(tar, "soft.jpg", type=tarfile.SYMTYPE, linkname="../../etc/passwd")
        for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V", b"M"):
            add(tar, f"{kind.decode()}.jpg", type=kind)
        add(tar, "contiguous.jpg", PICTURE, type=tarfile.CONTTYPE)
        add(tar, "D.jpg", b"a folder of an incremental backup, with data", type=b"D")
        add(tar, "last.png", PICTURE)
    assert look(str(path)).passed == [Passed("hard.jpg", "a link", 2), Passed("3.jpg", "not a regular file", 6)]
    assert got(path) == {"contiguous.jpg": PICTURE, "last.png": PICTURE}


@pytest.mark.parametrize("format", ["oldgnu", "gnu", "pax"])
@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_sparse_members_are_passed_over(gnu_tar: str, path: Path, tmp_path: Path, format: str, version: str) -> None:
    with open(tmp_path / "sparse.jpg", "wb") as file:
        for place in range(60):  # more pieces than a header and the block after it hold
            file.seek(place << 16)
            file.write(b"x")
        file.truncate(1 << 40)
    (tmp_path / "later.png").write_bytes(PICTURE)
    how = [f"--format={format}", *([f"--sparse-version={version}"] if format == "pax" else [])]
    command = [gnu_tar, "-cSf", str(path), *how, "-C", str(tmp_path), "sparse.jpg", "later.png"]
    subprocess.run(command, check=True)
    assert path.stat().st_size < 1 << 20
    assert look(str(path)).passed == [Passed("sparse.jpg", "a sparse file", 1)]
    assert got(path) == {"later.png": PICTURE}


def test_a_larger_picture_than_is_decoded_is_passed_over(path: Path) -> None:
    with open(path, "wb") as file:  # of zeros that take no room on the disk
        for name, size in (
            (b"most.jpg", 256 << 20),
            (b"more.jpg", (256 << 20) + 1),
            (b"huge.jpg", 9 << 30),
            (b"huge.mts", 9 << 30),
        ):
            file.write(header(name, size if size < 8 << 30 else base256(size)))
            file.seek(size + -size % 512, os.SEEK_CUR)
        file.write(MEMBER + END)
    contents = look(str(path))
    assert contents.names == ["most.jpg", "a.png"]
    too_large = Passed("more.jpg", "larger than 256 MiB; make a smaller copy of it", 2)
    assert contents.passed == [too_large, Passed("huge.mts", "a video of a kind that is not read", 1)]
    assert got(path, {"a.png"}) == {"a.png": PICTURE}


def test_concatenated_archives_are_one(gnu_tar: str, path: Path, tmp_path: Path) -> None:
    first, second = make_tar(tmp_path / "1.tar", {"1.png": b"1"}), make_tar(tmp_path / "2.tar", {"2.png": b"2"})
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert got(path) == {"1.png": b"1", "2.png": b"2"}
    subprocess.run([gnu_tar, "--concatenate", "-f", str(first), str(second)], check=True)
    assert got(first) == {"1.png": b"1", "2.png": b"2"}
    for ending, pack in PACKERS.items():
        packed = tmp_path / f"a.tar.{ending}"
        packed.write_bytes(pack(second.read_bytes()) + pack(MEMBER + END))
        assert got(packed) == {"2.png": b"2", "a.png": PICTURE}


def test_names_by_pax_and_gnu(path: Path) -> None:
    long = "x" * 300 + ".png"
    gnu = header(b"././@LongLink", len(long) + 1, b"L") + padded(long.encode() + b"\0")
    link = header(b"././@LongLink", 600, b"K") + padded(bytes(600))
    plain = header(b"cut.png", 1) + padded(b"1")
    for before, name in (
        (pax(path="é.png"), "é.png"),
        (pax(path="\udcff.png", hdrcharset="BINARY"), "\udcff.png"),
        (pax(mtime="1.5") + pax(path="p.png"), "p.png"),
        (gnu, long),
        (link + gnu, long),
        (gnu + pax(path="p.png"), "p.png"),
        (pax(path="p.png") + gnu, "p.png"),
        (pax(comment="path=no.png\n18 path=neither.png"), "cut.png"),
        (header(b"g", 26, b"g") + padded(b"26 comment=of all members\n"), "cut.png"),
    ):
        path.write_bytes(before + plain + LATER + END)
        assert got(path) == {name: b"1", "later.png": PICTURE}
    path.write_bytes(pax(size="1") + header(b"a.png", 7000) + padded(b"1") + LATER + END)
    assert got(path) == {"a.png": b"1", "later.png": PICTURE}
    path.write_bytes(pax(path="nul\0.png") + plain + LATER + END)
    assert got(path) == {"later.png": PICTURE}


# -- damage


def surveyed(path: Path) -> list[str] | None:
    """The names in an archive, None where it is refused: as a child does, in this process."""
    try:
        with File(str(path)) as file:
            return survey(tar_module.members(file)).names
    except (ArchiveError, *tar_module.DAMAGE):
        return None
    except OSError as error:
        if error.errno:
            raise
        return None


@pytest.mark.parametrize("ending", TAR_MODES)
def test_truncated_anywhere_it_is_refused(tmp_path: Path, ending: str) -> None:
    path = make(tmp_path / f"a.{ending}", {"1.png": b"1" * 700, "notes.txt": b"2", "3.png": b"3"})
    data = path.read_bytes()
    whole = len(data) if ending != "tar" else 1536 + 1024 + 1024 + 512  # the first of its zero blocks suffices
    for size in [*range(1, whole, 1 if ending != "tar" else 64), whole - 1]:
        path.write_bytes(data[:size])
        assert surveyed(path) is None
    path.write_bytes(data[:whole])
    assert surveyed(path) == ["1.png", "3.png"]
    path.write_bytes(data[: whole // 2])
    if archive_kind(str(path)):  # bzip2 packs it all into one block
        require_refused(path, "expected a whole tar archive, received .*; fetch it again")


@pytest.mark.parametrize("ending", TAR_MODES)
def test_a_flipped_bit_is_found_or_makes_no_difference(tmp_path: Path, ending: str) -> None:
    path = make(tmp_path / f"a.{ending}", {"1.png": b"", "notes.txt": b"", "3.png": b""})
    data = path.read_bytes()
    assert surveyed(path) == ["1.png", "3.png"]
    found = 0
    places = range(0, min(len(data), 3 * 512 + 1024), 1 if LONG else 3)
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        names = surveyed(path)
        assert names in (None, ["1.png", "3.png"])
        found += names is None
    assert found > 0.6 * len(places)


def test_what_follows_the_end_of_a_packed_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(MEMBER + END) + bytes(5000))  # as tapes are filled up
    assert got(path) == {"a.png": PICTURE}
    path.write_bytes(gzip.compress(MEMBER + END) + b"garbage")
    require_refused(path, "received Not a gzipped file .b'ga'.; fetch it again")


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (b"", "an early end"),
        (b"x" * 512 + END, "invalid header"),
        (b"x" * 100, "truncated header"),
        (LATER + LATER[:1] + b"x" + LATER[2:] + END, "bad checksum"),
        (END + b"x" * 512 + END, "invalid header"),
        (END + LATER, "an early end"),
        (END[:100], "an early end"),
        (header(b"b.png", 0o77777777777) + END, "an early end"),
        (header(b"b.png", base256(1 << 62)) + END, "an early end"),
        (header(b"b.png", base256((1 << 87) - 1)) + END, "an early end"),
        (header(b"b.png", base256(-512)) + END, "a negative size"),
        (header(b"b.png", b"-0000000777\0") + END, "a negative size"),
        (header(b"b.png", b"99999999999\0") + END, "invalid header"),
        (pax(size="-512") + header(b"b.png") + END, "a negative size"),
        (pax(size="1e9") + header(b"b.png") + END, "invalid literal for int.* with base 10: b'1e9'"),
        (
            pax(size="9" * 5000) + header(b"b.png") + END,
            "Exceeds the limit .4300 digits. for integer string conversion",
        ),
        (pax(path="b.png") + END, "headers of no member"),
        (pax(path="b.png"), "an early end"),
        (header(b"x", 10, b"x") + padded(b"99 path=b\n") + header() + END, "a damaged PAX header"),
        (header(b"x", 10, b"x") + padded(b"-9 path=b\n") + header() + END, "a damaged PAX header"),
        (header(b"x", 10, b"x") + padded(b"10 path b\n") + header() + END, "a damaged PAX header"),
        (header(b"x", 10, b"x") + padded(b"10path====") + header() + END, "subsection not found"),
        (header(b"x", 10, b"x") + padded(b"ab path=b\n") + header() + END, "invalid literal"),
        (header(b"x", 9000, b"x") + END, "an early end"),
        (header(b"s.png", 0, b"S", bytes(217) + b"\1") + b"\1" * 512, "an early end"),
    ],
)
def test_damaged_structure_is_refused(path: Path, data: bytes, received: str) -> None:
    path.write_bytes(MEMBER + data)
    require_refused(path, f"expected a whole tar archive, received {received}")


# -- hostile ones


@pytest.mark.parametrize("kind", [b"x", b"X", b"g", b"L", b"K"])
def test_headers_are_of_a_bounded_size(path: Path, kind: bytes) -> None:
    rest = b"x" * (600_000 - len(b"600000 comment=\n"))
    half_a_megabyte = header(b"h", 600_000, kind) + padded(b"600000 comment=" + rest + b"\n")
    path.write_bytes(half_a_megabyte * 3 + MEMBER + END)
    if kind == b"L":
        assert reasons(path) == {"its name is none that a file can have: of 1 to 4,096 bytes, without NUL": 1}
    else:
        assert got(path) == {"a.png": PICTURE}
    for size in ((1 << 20) + 1, 5 << 30):
        with open(path, "wb") as file:
            file.write(MEMBER + header(b"h", size, kind))
            file.seek(size + -size % 512, os.SEEK_CUR)
            file.write(MEMBER + END)
        require_refused(path, f"expected headers of at most 1024 KiB, received one of {size:,} bytes; pack it again")


def test_a_chain_of_headers_is_as_long_as_the_file(path: Path) -> None:
    path.write_bytes(pax(path="p.png") * 20_000 + header(b"a.png", 1) + padded(b"1") + END)
    assert got(path) == {"p.png": b"1"}


@pytest.mark.parametrize("record", [b"14 path=b.png\n", b"9 size=1\n", b"22 GNU.sparse.major=1\n"])
def test_headers_that_rename_or_resize_all_members_are_refused(path: Path, record: bytes) -> None:
    path.write_bytes(header(b"g", len(record), b"g") + padded(record) + MEMBER + END)
    require_refused(path, "expected no name, size or holes for all members at once")


@pytest.mark.parametrize("ending", PACKERS)
def test_a_bomb_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.tar.{ending}"
    size = 90 << 20
    path.write_bytes(PACKERS[ending](header(b"a.png", size) + bytes(size) + END))
    require_refused(path, "expected pictures, which hardly pack, received .* bytes that unpack to .* or more")
    path.write_bytes(PACKERS[ending](MEMBER + bytes(size)))
    require_refused(path, "which hardly pack")


def test_little_may_pack_well(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(header(b"a.png", 60 << 20) + bytes(60 << 20) + END))
    assert got(path) == {"a.png": bytes(60 << 20)}


def test_xz_that_needs_much_memory_is_refused(tmp_path: Path) -> None:
    """Its dictionary may be 1.5 GiB; only a start that needs little is told to be a tar."""
    path = tmp_path / "a.tar.xz"
    little = lzma.compress(MEMBER)
    rest = bytearray(lzma.compress(LATER + END))
    # The size of the dictionary in the header of the block (The .xz File Format, section 5.3.1), and its CRC.
    assert rest[12:16] == b"\x02\x00\x21\x01"
    rest[16] = 39
    rest[20:24] = zlib.crc32(rest[12:20]).to_bytes(4, "little")
    path.write_bytes(little + rest)
    assert archive_kind(str(path)) == "tar"
    require_refused(path, "expected an archive that can be read in 1024 MiB of memory, received one that needs more")
    path.write_bytes(rest)
    assert archive_kind(str(path)) is None


def test_others_are_passed_over_by_reason(path: Path) -> None:
    make_tar(path, {f"{number}/{name}": b"" for number in range(300) for name in OTHERS})
    assert sum(reasons(path).values()) == 300 * len(OTHERS)
    assert len(look(str(path)).passed) == 6
