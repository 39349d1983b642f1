"""Zips: what is in them beside files, what is wrong with them, and what only a hostile one holds."""

from __future__ import annotations

import random
import stat
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from lookalike.errors import ArchiveError
from lookalike.images.archives import Passed, look, read
from lookalike.images.archives import zip as zip_module
from lookalike.images.archives.contents import Damaged, survey
from lookalike.images.archives.file import File
from lookalike.images.given import Failed, Given
from tests.conftest import LONG
from tests.images.archives.made import PICTURE, PICTURES, got, make_zip, reasons, require_refused

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
NOISE = random.Random(1).randbytes(5000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.zip"


def results(path: Path) -> dict[str, str]:
    """What becomes of each picture: its reason where it failed, else nothing."""
    return {each.path: each.reason if isinstance(each, Failed) else "" for each in read(str(path))}


def change(path: Path, magic: bytes, offset: int, value: bytes, which: int = 0) -> None:
    """Overwrites a field of the n-th record that begins so."""
    data = path.read_bytes()
    at = -1
    for _ in range(which + 1):
        at = data.index(magic, at + 1)
    at += offset
    path.write_bytes(data[:at] + value + data[at + len(value) :])


# -- what is in them


def test_stored_and_deflated(path: Path) -> None:
    for method in (ZIP_STORED, ZIP_DEFLATED):
        assert got(make_zip(path, PICTURES, method)) == PICTURES


def test_a_stream_that_was_zipped(path: Path) -> None:
    """Sizes come after the data, and by zip64."""
    with open(path, "wb") as file, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file) as cat:
        assert cat.stdin
        with ZipFile(cat.stdin, "w", ZIP_DEFLATED) as archive:
            with archive.open("a.png", "w", force_zip64=True) as member:
                member.write(PICTURE)
            archive.writestr("b.png", PICTURE)
        cat.stdin.close()
    assert got(path) == {"a.png": PICTURE, "b.png": PICTURE}


@pytest.mark.parametrize(("name", "read"), [(b"\x82!", "é!"), (b"\xc3\xa9", "é"), (b"\xc3A", "├A")])
def test_names_without_the_flag_of_utf8(path: Path, name: bytes, read: str) -> None:
    """macOS writes UTF-8 all the same; else they are of code page 437."""
    make_zip(path, {"12.png": PICTURE})
    path.write_bytes(path.read_bytes().replace(b"12", name))
    assert got(path) == {f"{read}.png": PICTURE}


def test_what_is_no_file_is_passed_over(path: Path) -> None:
    kinds = {"link.jpg": stat.S_IFLNK, "fifo.jpg": stat.S_IFIFO, "device.jpg": stat.S_IFBLK, "folder.jpg": stat.S_IFDIR}
    with ZipFile(path, "w") as archive:
        archive.writestr("folder/", b"")
        for name, kind in {**kinds, "a.png": stat.S_IFREG}.items():
            member = ZipInfo(name)
            member.create_system = 3
            member.external_attr = (kind | 0o644) << 16
            archive.writestr(member, PICTURE)
        dos = ZipInfo("dos.png")
        dos.create_system = 0
        dos.external_attr = stat.S_IFLNK << 16
        archive.writestr(dos, PICTURE)
    assert look(str(path)).passed == [Passed("link.jpg", "a link", 1), Passed("fifo.jpg", "not a regular file", 2)]
    assert got(path) == {"a.png": PICTURE, "dos.png": PICTURE}


@pytest.mark.parametrize("flag", [1, 1 << 6 | 1])
def test_encrypted_members_are_passed_over(path: Path, flag: int) -> None:
    make_zip(path, {"a.png": PICTURE, "b.png": PICTURE})
    change(path, CENTRAL, 8, struct.pack("<H", flag))
    assert reasons(path) == {"encrypted": 1}
    assert got(path) == {"b.png": PICTURE}


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA])
def test_other_methods_are_passed_over(path: Path, method: int) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("a.png", PICTURE, method)
        archive.writestr("b.png", PICTURE)
    assert reasons(path) == {"packed by another method than deflate; pack it again": 1}
    assert got(path) == {"b.png": PICTURE}


def test_a_name_with_nul_is_passed_over(path: Path) -> None:
    make_zip(path, {"a.png_.txt": PICTURE, "b.png": PICTURE})
    path.write_bytes(path.read_bytes().replace(b"a.png_", b"a.png\0"))
    assert reasons(path) == {"its name is none that a file can have: of 1 to 4,096 bytes, without NUL": 1}
    assert got(path) == {"b.png": PICTURE}


def test_no_name_is_passed_over(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr(ZipInfo(""), PICTURE)
    assert reasons(path) == {"its name is none that a file can have: of 1 to 4,096 bytes, without NUL": 1}


# -- damage


def test_a_damaged_member_costs_itself_only(path: Path) -> None:
    files = {name: NOISE + name.encode() for name in ("a.png", "b.png", "c.png")}
    for method in (ZIP_STORED, ZIP_DEFLATED):
        make_zip(path, files, method)
        data = path.read_bytes()
        place = data.index(b"b.png") + 2500
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        a, b, c = read(str(path))
        assert (a, c) == (Given("a.png", files["a.png"]), Given("c.png", files["c.png"]))
        assert isinstance(b, Failed)
        assert b.reason.startswith("damaged (")


@pytest.mark.parametrize(
    ("magic", "offset", "value", "reason"),
    [
        (CENTRAL, 16, b"\1\2\3\4", "damaged (Bad CRC-32 for file 'a.png')"),
        (CENTRAL, 24, struct.pack("<L", 10), "damaged (Bad CRC-32 for file 'a.png')"),
        (CENTRAL, 24, struct.pack("<L", 6000), "damaged (it unpacks to 1,000 bytes less than it should)"),
        (CENTRAL, 20, struct.pack("<L", 10), "damaged (Bad CRC-32 for file 'a.png')"),
        (CENTRAL, 10, struct.pack("<H", ZIP_STORED), "damaged (Bad CRC-32 for file 'a.png')"),
        (LOCAL, 2, b"\5\6", "damaged (Bad magic number for file header)"),
        (LOCAL, 30, b"b", "damaged (File name in directory 'a.png' and header b'b.png' differ.)"),
        (LOCAL, 30, b"\xff", "damaged (File name in directory 'a.png' and header b'\\xff.png' differ.)"),
        (LOCAL, 26, b"\xff\xff", "damaged (it ends early)"),
        (LOCAL, 28, b"\xff\xff", "damaged (it ends early)"),
    ],
)
def test_a_header_that_lies_costs_its_member(path: Path, magic: bytes, offset: int, value: bytes, reason: str) -> None:
    make_zip(path, {"a.png": NOISE, "z.png": PICTURE})
    change(path, magic, offset, value)
    got = results(path)
    assert got["z.png"] == ""
    assert got["a.png"] == reason or (offset in (26, 28) and got["a.png"].startswith("damaged ("))


def read_here(path: Path) -> dict[str, bytes | None] | None:
    """As a child does, in this process: None where it is refused, or for a member that cannot be had."""
    try:
        with File(str(path)) as file:
            survey(zip_module.members(file))
            found: dict[str, bytes | None] = {}
            for member in zip_module.members(file):
                if not member.reason:
                    try:
                        found[member.name] = b"".join(member.data)
                    except Damaged:
                        found[member.name] = None
            return found
    except (ArchiveError, *zip_module.DAMAGE, OSError):
        return None


def test_truncated_anywhere_it_is_refused(path: Path) -> None:
    make_zip(path, {"1.png": b"1" * 70, "notes.txt": b"2", "3.png": b"3"})
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert read_here(path) is None
    path.write_bytes(data[:-1])
    require_refused(path, "expected a whole zip archive, received File is not a zip file; fetch it again")


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
def test_a_flipped_bit_never_gives_another_picture(path: Path, method: int) -> None:
    files = {"1.png": NOISE[:99], "notes.txt": b"2", "3.png": b"3" * 90}
    make_zip(path, files, method)
    data = path.read_bytes()
    refused = lost = 0
    for place in range(len(data)):
        for bit in range(8) if LONG else [place % 8]:
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            found = read_here(path)
            refused += found is None
            for name, content in (found or {}).items():
                lost += content is None
                assert content is None or files.get(name) == content, (place, bit)
    assert refused > 20
    assert lost > 50


def test_a_directory_that_is_damaged_is_refused(path: Path) -> None:
    for magic, offset, value in (
        (CENTRAL, 0, b"XX"),
        (CENTRAL, 28, b"\xff\xff"),
        (CENTRAL, 6, b"\xff\0"),  # a version to come
        (END, 12, b"\xff\xff"),
        (END, 12, struct.pack("<L", 10)),
        (END, 16, struct.pack("<L", 1 << 31)),
        (END, 16, b"\0"),
    ):
        make_zip(path, {"a.png": NOISE, "b.png": PICTURE})
        change(path, magic, offset, value)
        outcome = read_here(path)
        assert outcome is None or all(data is None for data in outcome.values()), "its members are elsewhere"
    make_zip(path, {"\xe9.png": PICTURE})
    path.write_bytes(path.read_bytes().replace("\xe9".encode(), b"\xff\xff"))
    require_refused(path, "received 'utf-8' codec can't decode")


# -- hostile ones


def test_members_that_overlap_are_refused(path: Path) -> None:
    """Both of Fifield's ways: one kernel for all members, and headers quoted within the data of others."""
    make_zip(path, {f"{number}.png": NOISE for number in range(4)})
    for which in range(1, 4):
        change(path, CENTRAL, 42, struct.pack("<L", 0), which)
    require_refused(path, "expected a whole zip archive, received (members that overlap|Overlapped entries)")

    inner = make_zip(path.with_name("inner.zip"), {"b.png": NOISE}, ZIP_STORED).read_bytes()
    with ZipFile(path, "w") as archive:
        archive.writestr("a.png", inner[: inner.index(CENTRAL)])
        archive.writestr("b.png", NOISE)
    data = path.read_bytes()
    change(path, CENTRAL, 42, struct.pack("<L", data.index(LOCAL, 4)), 1)
    require_refused(path, "received members that overlap")


def test_a_member_that_unpacks_to_what_no_picture_does_is_passed_over(path: Path) -> None:
    make_zip(path, {"a.png": bytes(100 << 20), "b.png": PICTURE, "c.png": bytes(60 << 20)})
    assert reasons(path) == {"it unpacks to more than 100 times its size, as no picture does": 1}
    assert got(path) == {"b.png": PICTURE, "c.png": bytes(60 << 20)}


def test_members_that_unpack_to_too_much_together_end_the_reading(path: Path) -> None:
    zeros = bytes(60 << 20)
    make_zip(path, {"a.png": zeros, "b.png": zeros, "c.png": PICTURE})
    pictures = read(str(path))
    assert next(pictures) == Given("a.png", zeros)
    with pytest.raises(ArchiveError, match=r"expected pictures, which hardly pack, received .* that unpack to"):
        list(pictures)


def test_a_bomb_behind_a_small_size_is_cut_off(path: Path) -> None:
    make_zip(path, {"a.png": bytes(300 << 20), "b.png": PICTURE})
    change(path, CENTRAL, 24, struct.pack("<L", 5000))
    assert results(path) == {"a.png": "damaged (Bad CRC-32 for file 'a.png')", "b.png": ""}


def test_a_picture_that_is_larger_than_is_decoded_is_passed_over(path: Path) -> None:
    make_zip(path, {"a.png": PICTURE, "b.png": PICTURE})
    for size in (struct.pack("<L", (256 << 20) + 1), struct.pack("<L", 0xFFFFFFFE)):
        change(path, CENTRAL, 24, size)
        assert reasons(path) == {"larger than 256 MiB; make a smaller copy of it": 1}
    assert got(path) == {"b.png": PICTURE}


def zip64(size: int, packed: int, offset: int, extra: Callable[[int, int, int], bytes]) -> bytes:
    """A zip of one stored member, whose directory sends to a zip64 field for all three numbers."""
    crc = zlib.crc32(PICTURE)
    local = LOCAL + struct.pack("<5H3L2H", 45, 0, 0, 0, 33, crc, len(PICTURE), len(PICTURE), 5, 0) + b"a.png" + PICTURE
    field = extra(size, packed, offset)
    central = CENTRAL + struct.pack(
        "<6H3L5H2L", 45, 45, 0, 0, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, 5, len(field), 0, 0, 0, 0, 0xFFFFFFFF
    )
    central += b"a.png" + field
    return local + central + END + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), len(local), 0)


def whole(size: int, packed: int, offset: int) -> bytes:
    return struct.pack("<2H3Q", 1, 24, size, packed, offset)


def test_zip64_tells_the_truth_or_is_refused(path: Path) -> None:
    size = len(PICTURE)
    path.write_bytes(zip64(size, size, 0, whole))
    assert got(path) == {"a.png": PICTURE}
    path.write_bytes(zip64(1 << 60, size, 0, whole))
    assert reasons(path) == {"larger than 256 MiB; make a smaller copy of it": 1}
    path.write_bytes(zip64(size, 1 << 60, 0, whole))
    assert read_here(path) in (None, {"a.png": PICTURE})
    for offset in (1 << 62, (1 << 64) - 1, 7):
        path.write_bytes(zip64(size, size, offset, whole))
        assert results(path)["a.png"].startswith("damaged (")
    for extra in (b"", struct.pack("<2HQ", 1, 8, size), struct.pack("<2H", 1, 24), struct.pack("<2H", 1, 999)):
        path.write_bytes(zip64(size, size, 0, lambda *_, field=extra: field))
        assert read_here(path) in (None, {})


def test_a_zip64_end_that_lies(path: Path) -> None:
    make_zip(path, {"a.png": PICTURE})
    data = path.read_bytes()
    at, start = data.index(END), data.index(CENTRAL)
    for length, offset in ((1 << 62, start), (at - start, 1 << 62), ((1 << 64) - 1, (1 << 64) - 1), (0, start)):
        end64 = b"PK\6\6" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, 1, 1, length, offset)
        locator = b"PK\6\7" + struct.pack("<LQL", 0, at, 1)
        path.write_bytes(data[:at] + end64 + locator + data[at:])
        outcome = read_here(path)
        assert not outcome or set(outcome.values()) <= {None, PICTURE}
        assert (outcome == {}) == (length == 0), "no members, as it says"
    assert zipfile.is_zipfile(path)
