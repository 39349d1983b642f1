"""A hundred hostile pictures among many good ones: each good one is indexed, and each hostile one is told.

    python -m tests.hostile_pictures DIR                 # 10,000 good ones, with the shipped model
    python -m tests.hostile_pictures DIR --archive tar   # all that can be a member of one, in a tar; or zip

Makes DIR, indexes what it made, and prints the counts, the seconds and the memory that this process and its children
took at most.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import resource
import socket
import stat
import struct
import tarfile
import threading
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from lookalike.collection import Collection, SyncReport
from lookalike.images import pool, wire
from tests.archived import stamp
from tests.faults import pictures
from tests.images.hostile import (
    avif_that_claims,
    bmp_that_claims,
    gif_of_a_huge_screen,
    half_a_jpeg,
    jpeg_of_scans,
    jpeg_segment,
    jpeg_that_claims,
    noise,
    png,
    png_chunk,
    png_with_a_bomb,
    random_behind_a_beginning,
    saved,
    tiff_that_claims,
    tiff_whose_directory_is_itself,
    webp_that_claims,
)

End = Literal["indexed", "skipped", "failed"]

FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "webp": "WEBP", "avif": "AVIF"}

_TOO_MANY = r"\d+ x \d+ pixels are more than the limit of 64 million; make a smaller copy of it"
_OR_INDEXED = "damaged|truncated|broken|needs more|limit of 64 million"  # as Pillow's version has it


class Hostile(NamedTuple):
    """A file that hurts, or might.

    Attributes:
        name: of the file; bytes that are not UTF-8 are surrogate-escaped.
        end: what it ends as; None where that is not promised.
        reason: a pattern that is in the reason.
        make: its content.
    """

    name: str
    end: End | None
    reason: str
    make: Callable[[], bytes]


class Odd(NamedTuple):
    """What only a folder may hold: `put` puts it at a path."""

    name: str
    end: End
    reason: str
    put: Callable[[str], object]


@cache
def good(seed: int) -> bytes:
    """A picture of 32 x 32 pixels, another one for each seed; a PNG, or a JPEG."""
    tiles = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    image = Image.fromarray(tiles.repeat(8, 0).repeat(8, 1))
    return saved(image, "JPEG", quality=90) if seed % 2 else saved(image, "PNG")


def hostile() -> Iterator[Hostile]:
    """Those that are files, or members of archives."""
    yield from _too_large()
    yield from _damaged()
    yield from _deceiving()
    yield from _costly()
    yield from _faithful()
    yield from _named()


def _too_large() -> Iterator[Hostile]:
    """More pixels or bytes than are read."""
    for width, height in ((9460, 9460), (65500, 1000)):
        cannot = f"bytes cannot hold {width} x {height} pixels"
        yield Hostile(f"claims{width}.jpg", "failed", cannot, partial(jpeg_that_claims, width, height))
    of_jpeg = _TOO_MANY.replace("64", "256")
    yield Hostile("claims65535.jpg", "failed", of_jpeg, partial(jpeg_that_claims, 65535, 65535))
    for side in (9000, 16383):
        for extended in (False, True):
            name = f"claims{side}{'x' * extended}.webp"
            yield Hostile(name, "failed", _TOO_MANY, partial(webp_that_claims, side, extended))
    yield Hostile("13000.png", "failed", _TOO_MANY, partial(png, 13000, 13000, 8, 0, 13000))
    yield Hostile("thin.png", "failed", _TOO_MANY, partial(png, 70_000_000, 1, 1, 0, 8_750_000))
    yield Hostile("screen.gif", "failed", _TOO_MANY, gif_of_a_huge_screen)
    yield Hostile("claims.bmp", "failed", _TOO_MANY, partial(bmp_that_claims, 60000, 60000))
    yield Hostile("claims.tif", "failed", _TOO_MANY, partial(tiff_that_claims, 100_000, 100_000))
    yield Hostile("claims.avif", "failed", f"{_TOO_MANY}|damaged AVIF", partial(avif_that_claims, 60000, 60000))


def _damaged() -> Iterator[Hostile]:
    """Cut short, or not what their beginnings say."""
    for progressive in (False, True):
        name = f"half{'_progressive' * progressive}.jpg"
        yield Hostile(name, "failed", "a truncated JPEG file", partial(half_a_jpeg, progressive))
    for ending, format in FORMATS.items():
        whole = partial(saved, noise(64, 64), format)
        for name, kept in (("half", 0.5), ("magic", 0.0)):
            yield Hostile(f"{name}_of.{ending}", "failed", f"(truncated|damaged) {format}", partial(_part, whole, kept))
        for begun in (12, 200):
            name = f"random{begun}.{ending}"
            yield Hostile(name, None, _OR_INDEXED, partial(random_behind_a_beginning, format, begun))
    yield Hostile("loop.tif", "failed", "damaged TIFF", tiff_whose_directory_is_itself)
    yield Hostile("header.png", "failed", "damaged PNG|truncated PNG", lambda: png(8, 8, 8, 0, 8)[:40])
    no_huffman = partial(jpeg_segment, 0xDA, b"\1\1\0\0\x3f\0")
    yield Hostile("tables.jpg", "failed", "truncated|damaged|broken", lambda: b"\xff\xd8" + no_huffman() + bytes(99))


def _part(whole: Callable[[], bytes], share: float) -> bytes:
    """The beginning of a file, at least what says its format."""
    data = whole()
    return data[: max(16, int(len(data) * share))]


def _deceiving() -> Iterator[Hostile]:
    """Something else, by the name of a picture."""
    text, unknown = "its content is text", "its content is of no known format"
    for name, reason, data in (
        ("empty.jpg", "the file is empty", b""),
        ("text.jpg", text, b"hello\n"),
        ("page.png", text, b"<!DOCTYPE html><script>alert(1)</script>"),
        ("drawing.png", "a vector drawing", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("document.jpg", f"{text}|{unknown}", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("program.gif", unknown, b"\x7fELF\2\1\1\0" + bytes(64)),
        ("zeros.png", unknown, bytes(100_000)),
        ("byte.jpg", unknown, b"\0"),
        ("film.jpg", "a video, of which a frame|a damaged video", struct.pack("!I", 24) + b"ftypisom" + bytes(12)),
        ("pickle.webp", unknown, b"\x80\4\x95\x0b\0\0\0\0\0\0\0"),
        ("archive.png", unknown, b"PK\3\4" + bytes(40)),
        ("film.mts", "a video", b"x"),
        ("raw.crw", "RAW file", b"II*\0"),
        ("drawing.svg", "a vector drawing", b"<svg/>"),
        ("layers.psd", "a picture format that is not read", b"8BPS"),
        ("notes.txt", "^not a picture$", b"notes"),
        ("noending", "^not a picture$", b"notes"),
        ("inner.zip", "an archive", b"PK\5\6" + bytes(18)),
        ("._attributes.jpg", "its attributes", b"\0\5\x16\7"),
        (".hidden.jpg", "hidden", good(0)),
    ):
        is_picture = name.rpartition(".")[2] in FORMATS and not name.startswith(".")
        yield Hostile(name, "failed" if is_picture else "skipped", reason, partial(bytes, data))
    if not find_spec("pillow_jxl"):
        yield Hostile("photo.jxl", "skipped", "JPEG XL needs an extra", lambda: b"x")


def _costly() -> Iterator[Hostile]:
    """Up to the limits of time and memory."""
    too_long = "took more than 3 s of CPU time to decode"
    for count in (5000, 20000):
        yield Hostile(f"scans{count}.jpg", "failed", too_long, partial(jpeg_of_scans, count))
    yield Hostile("heaviest.png", None, f"needs more than 1024 MiB|{too_long}", partial(png, 8000, 8000, 16, 6, 64000))
    yield Hostile("largest.png", "indexed", "", partial(png, 8000, 8000, 8, 0, 8000))
    yield Hostile("claims_all.jpg", None, _OR_INDEXED, partial(jpeg_that_claims, 8000, 8000))
    for name, chunk, before in (
        ("text", b"zTXt", b"Comment\0\0"),
        ("international", b"iTXt", b"Comment\0\1\0\0\0"),
        ("profile", b"iCCP", b"icc\0\0"),
    ):
        yield Hostile(f"{name}_bomb.png", None, "damaged PNG|needs more", partial(png_with_a_bomb, chunk, before))
    many = b"".join(png_chunk(b"tEXt", b"Comment\0" + bytes([65 + i % 26]) * 60) for i in range(50_000))
    yield Hostile("chunks.png", None, "damaged PNG|took more", lambda: png(8, 8, 8, 0, 8, extra=many))


def _faithful() -> Iterator[Hostile]:
    """What others decode to something else, or cannot: refused, or read as it is."""
    grey = Image.linear_gradient("L").convert("I;16").point(lambda value: value * 257)
    yield Hostile("sixteen.png", "indexed", "", partial(saved, grey, "PNG"))
    hidden = noise(64, 64).convert("RGBA")
    hidden.putalpha(Image.radial_gradient("L").resize((64, 64)))
    yield Hostile("alpha.png", "indexed", "", partial(saved, hidden, "PNG"))
    yield Hostile("cmyk.jpg", "indexed", "", partial(saved, noise(64, 64, 1).convert("CMYK"), "JPEG"))
    yield Hostile("palette.gif", "indexed", "", partial(saved, noise(64, 64, 2).convert("P"), "GIF"))
    turned = Image.Exif()
    turned[0x0112] = 6
    yield Hostile("turned.jpg", "indexed", "", partial(saved, noise(40, 80, 3), "JPEG", exif=turned))
    yield Hostile("profile.png", "indexed", "", partial(saved, noise(64, 64, 4), "PNG", icc_profile=bytes(5000)))
    for mode, name in (("F", "float"), ("I", "integers")):
        image = Image.new(mode, (40, 40), 1)
        yield Hostile(f"{name}.tif", "failed", "no defined white", partial(saved, image, "TIFF"))


def _named() -> Iterator[Hostile]:
    """Good pictures of names that hurt."""
    names = ["line\nbreak.png", "gnp.\u202efdp.png", "--to.png", " .png", "back\\slash.png", "%2e%2e.png", "'\"&<>.png"]
    names += ["\N{GRINNING FACE}.png", "tab\t.png", "escape\x1b[31m.png", "CON.png", "\udcff\udcfe.png"]
    names += ["x" * 251 + ".png", "PICTURE.PNG", "trailing.png.png", "a=b;c,d.png"]
    for seed, name in enumerate(names, 10**6):
        yield Hostile(name, "indexed", "", partial(good, 2 * seed))


# -- in folders alone


def _turn_into_a_fifo(path: str) -> None:
    os.unlink(path)
    os.mkfifo(path)


MEANWHILE: list[tuple[str, Callable[[str], object]]] = [
    ("zz_vanishes.png", os.unlink),
    ("zz_turns.png", _turn_into_a_fifo),
    ("zz_grows.png", lambda path: Path(path).write_bytes(good(1) + b"more")),
]
"""What happens to files in the middle of the first sync."""


def odd(folder: str) -> Iterator[Odd]:
    """What is no file with bytes of its own."""
    yield Odd("fifo.jpg", "skipped", "not a regular file", os.mkfifo)
    yield Odd("socket.png", "skipped", "not a regular file", _bind)
    for device in ("zero", "random", "null", "tty"):
        yield Odd(f"{device}.jpg", "skipped", "not a regular file", partial(os.symlink, f"/dev/{device}"))
    yield Odd("self.png", "skipped", "Too many levels of symbolic links", partial(os.symlink, "self.png"))
    yield Odd("ping.png", "skipped", "Too many levels of symbolic links", partial(os.symlink, "pong.png"))
    yield Odd("pong.png", "skipped", "Too many levels of symbolic links", partial(os.symlink, "ping.png"))
    yield Odd("round", "skipped", "a symbolic link to a folder is not followed", partial(os.symlink, "."))
    yield Odd("above.jpg", "skipped", "a symbolic link to a folder is not followed", partial(os.symlink, ".."))
    yield Odd("broken.jpg", "skipped", "a broken symbolic link", partial(os.symlink, "nowhere.jpg"))
    yield Odd("to_fifo.jpg", "skipped", "not a regular file", partial(os.symlink, "fifo.jpg"))
    yield Odd("link.png", "indexed", "", partial(os.symlink, f"{folder}/good/0.png"))
    yield Odd("hard.png", "indexed", "", partial(os.link, f"{folder}/good/2.png"))
    yield Odd("gigabyte.png", "failed", "the file has 1024 MiB; at most 512 MiB are read", partial(_hole, 1 << 30))
    yield Odd("terabyte.jpg", "failed", "MiB are read", partial(_hole, 1 << 40))
    yield Odd("hole.jpg", "failed", "of no known format|needs more", partial(_hole, 500 << 20))
    if _is_refused(f"{folder}/probe"):
        yield Odd("closed.png", "failed", "Permission denied", _closed_file)
        yield Odd("closed", "skipped", "the folder cannot be read", _closed_folder)
    for name, _ in MEANWHILE:
        yield Odd(name, "skipped", "changed or gone while it was read", lambda path: Path(path).write_bytes(good(1)))


def _bind(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(os.path.dirname(path), os.O_RDONLY)
        try:  # a socket's whole path may have a hundred bytes
            made.bind(f"/proc/self/fd/{here}/{os.path.basename(path)}")
        finally:
            os.close(here)


def _hole(size: int, path: str) -> None:
    Path(path).touch()
    os.truncate(path, size)


def _is_refused(path: str) -> bool:
    """Whether this user may not read what is closed; root may."""
    _closed_file(path)
    refused = not os.access(path, os.R_OK)
    os.unlink(path)
    return refused


def _closed_file(path: str) -> None:
    Path(path).write_bytes(good(10**7))
    os.chmod(path, 0)


def _closed_folder(path: str) -> None:
    os.mkdir(path)
    Path(path, "inside.png").write_bytes(good(10**7 + 2))
    os.chmod(path, 0)


# -- in archives alone

_HUGE = 300 << 20

Expected = list[tuple[str, End | None, str]]
"""Names, how they end, and a pattern that is in the reason."""


def write_tar(path: Path, members: Iterator[tuple[str, bytes]]) -> Expected:
    """Write them, and what only a tar may hold; how that ends."""
    outside, irregular, sparse = "its name leads out of the archive", "not a regular file", "a sparse file"
    odd: list[tuple[str, str, dict[str, object]]] = [
        ("link.jpg", "^a link$", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("hard.jpg", "^a link$", {"type": tarfile.LNKTYPE, "linkname": "../../etc/passwd"}),
        ("fifo.jpg", irregular, {"type": tarfile.FIFOTYPE}),
        ("device.jpg", irregular, {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}),
        ("block.jpg", irregular, {"type": tarfile.BLKTYPE, "devmajor": 8}),
        ("/absolute.jpg", outside, {}),
        ("../up.jpg", outside, {}),
        ("a/../../up.jpg", outside, {}),
        ("sparse.jpg", sparse, {"pax_headers": {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}}),
        ("gnu_sparse.jpg", sparse, {"type": tarfile.GNUTYPE_SPARSE}),
        ("comment.png", "", {"pax_headers": {"comment": "c" * (500 << 10)}}),
        ("twice.png", "comes again later in the archive", {}),
        ("twice.png", "", {}),
        ("n" * (500 << 10) + ".png", "its name is none that a file can have", {}),
    ]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members:
            _add(archive, name, data)
        for number, (name, _, fields) in enumerate(odd):
            _add(archive, name, b"" if "type" in fields else good(10**8 + 2 * number), **fields)
        _add(archive, "folder.jpg", b"", type=tarfile.DIRTYPE)
        huge = tarfile.TarInfo("huge.jpg")
        huge.size = _HUGE
        assert archive.fileobj
        archive.fileobj.write(huge.tobuf())
        archive.fileobj.seek(archive.fileobj.tell() + _HUGE)  # a hole in the file
        archive.offset += tarfile.BLOCKSIZE + _HUGE
    ends: Expected = [(name, "skipped" if reason else "indexed", reason) for name, reason, _ in odd]
    return [*ends, ("huge.jpg", "skipped", "larger than 256 MiB")]


def _add(archive: tarfile.TarFile, name: str, data: bytes, **fields: object) -> None:
    info = tarfile.TarInfo(name)
    for field, value in {"size": len(data), **fields}.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(data))


def write_zip(path: Path, members: Iterator[tuple[str, bytes]]) -> Expected:
    """Write them, and what only a zip may hold; how that ends."""
    outside = "its name leads out of the archive"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that comes twice
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
        for name in ("/absolute.jpg", "../up.jpg", "a/../../up.jpg", "twice.png", "twice.png", "folder.jpg/"):
            archive.writestr(zipfile.ZipInfo(name), b"" if name.endswith("/") else good(10**8 + len(archive.filelist)))
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name, packing in (("lzma.png", zipfile.ZIP_LZMA), ("bzip2.png", zipfile.ZIP_BZIP2)):
            archive.writestr(zipfile.ZipInfo(name), good(10**8), packing)
        archive.writestr(zipfile.ZipInfo("bomb.png"), bytes(200 << 20), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("secret.png"), good(10**8 + 100))
        archive.writestr(zipfile.ZipInfo("altered.png"), good(10**8 + 102))
    written = bytearray(path.read_bytes())
    own, listed = (
        written.index(b"secret.png") - 30,
        written.rindex(b"secret.png") - 46,
    )  # its headers (APPNOTE.TXT, 4.3)
    written[own + 6] |= 1
    written[listed + 8] |= 1  # encrypted
    written[written.index(b"altered.png") + len(b"altered.png") + 20] ^= 1
    path.write_bytes(written)
    method = "packed by another method than deflate"
    return [
        ("/absolute.jpg", "skipped", outside),
        ("../up.jpg", "skipped", outside),
        ("a/../../up.jpg", "skipped", outside),
        ("twice.png", "skipped", "comes again later in the archive"),
        ("twice.png", "indexed", ""),
        ("link.jpg", "skipped", "^a link$"),
        ("lzma.png", "skipped", method),
        ("bzip2.png", "skipped", method),
        ("bomb.png", "skipped", "it unpacks to more than 100 times its size"),
        ("secret.png", "skipped", "encrypted"),
        ("altered.png", "failed", "damaged"),
    ]


# -- all of it


def good_ones(count: int) -> Iterator[tuple[str, bytes]]:
    for seed in range(count):
        yield f"good/{seed}.{'jpg' if seed % 2 else 'png'}", good(seed)


def write_folder(folder: Path, count: int) -> Expected:
    """Good ones and hostile ones in a folder; how they end."""
    (folder / "good").mkdir(parents=True)
    (folder / "hostile").mkdir()
    for name, data in good_ones(count):
        (folder / name).write_bytes(data)
    expected: Expected = [(name, "indexed", "") for name, _ in good_ones(count)]
    for each in hostile():
        (folder / "hostile" / each.name).write_bytes(each.make())
        expected.append((f"hostile/{each.name}", each.end, each.reason))
    for thing in odd(str(folder)):
        thing.put(str(folder / "hostile" / thing.name))
        expected.append((f"hostile/{thing.name}", thing.end, thing.reason))
    return expected


def write_archive(path: Path, count: int) -> Expected:
    """The same in an archive, but for what cannot be a member."""
    inside = [each for each in hostile() if path.suffix == ".tar" or each.name.isprintable()]

    def members() -> Iterator[tuple[str, bytes]]:
        yield from good_ones(count)
        yield from ((f"hostile/{each.name}", each.make()) for each in inside)

    expected: Expected = [(name, "indexed", "") for name, _ in good_ones(count)]
    expected += [(f"hostile/{each.name}", each.end, each.reason) for each in inside]
    expected += (write_tar if path.suffix == ".tar" else write_zip)(path, members())
    stamp(path, 0)
    return expected


def check(report: SyncReport, paths: list[str], top: str, expected: Expected) -> None:
    """AssertionError unless each ended as is expected, as exactly one thing."""
    assert report.found == len(expected), f"{report.found} were found of {len(expected)}"
    assert report.indexed == len(paths)
    indexed = Counter(path.removeprefix(f"{top}/") for path in paths)
    failed = {each.path.removeprefix(f"{top}/"): each.reason for each in report.failed}
    skipped = Counter[str]()
    for each in report.skipped:
        skipped[each.reason] += each.total
    wrong: list[tuple[str, End | None, str, str]] = []
    for name, end, reason in expected:
        if end == "skipped":  # of members only the first of each reason is named
            found = [each for each in skipped if re.search(reason, each)]
            skipped.subtract(found)
            wrong += [] if len(found) == 1 else [(name, end, reason, f"skipped for {found}")]
        elif end == "failed" or (end is None and name in failed):
            found_reason = failed.pop(name, "it did not fail")
            wrong += [] if re.search(reason, found_reason) else [(name, end, reason, found_reason)]
        else:
            indexed[name] -= 1
            wrong += [(name, end, reason, "not indexed")] if indexed[name] < 0 else []
    too_many = {**failed, **+indexed, **{reason: count for reason, count in skipped.items() if count}}
    assert (wrong, too_many) == ([], {})


class Watch(threading.Thread):
    """Looks at the memory of this process and its children, and at the limits of these, until it is told to end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self.own = self.largest_child = 0  # MiB
        self.limits: set[int] = set()  # MiB of address space

    def run(self) -> None:
        while not self._ended.wait(0.02):
            self.own = max(self.own, _mebibytes("self", "RssAnon"))
            for child in children():
                self.largest_child = max(self.largest_child, _mebibytes(child, "VmHWM"))
                with suppress(ProcessLookupError):
                    self.limits.add(resource.prlimit(int(child), resource.RLIMIT_AS)[0] >> 20)

    def end(self) -> None:
        self._ended.set()
        self.join()


def children() -> list[str]:
    """The processes that this one has started."""
    found = []
    for thread in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError):
            found += Path(f"/proc/self/task/{thread}/children").read_text().split()
    return found


def _mebibytes(process: str, field: str) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) >> 10
    return 0


def run(place: Path, count: int, archive: str | None, model: str | None) -> dict[str, object]:
    """Make it, index it, and index it again; what that took. AssertionError where a promise is broken."""
    source = place / (f"pictures.{archive}" if archive else "pictures")
    expected = write_archive(source, count) if archive else write_folder(source, count)
    decoded = 0
    ask = pool.DecoderPool._ask

    def counted(self: pool.DecoderPool, request: wire.Request) -> bytes:
        nonlocal decoded
        decoded += 1
        return ask(self, request)

    pool.DecoderPool._ask = counted  # type: ignore[method-assign]
    todo = [] if archive else [(str(source / "hostile" / name), act) for name, act in MEANWHILE]

    def meanwhile(done: int, total: int) -> None:
        while todo and done:
            path, act = todo.pop()
            act(path)

    with Collection.create(source, place / "index", model=model) as collection:
        before = _mebibytes("self", "RssAnon")
        watch = Watch()
        watch.start()
        report = collection.sync(meanwhile)
        watch.end()
        check(report, collection.paths(), str(source), expected)
        first, decoded = decoded, 0
        again = collection.sync()
        assert (again.indexed - again.new, again.removed) == (report.indexed, 0)
        if archive:
            assert (again.found, again.skipped, again.failed) == (report.found, report.skipped, report.failed)
    assert Collection.verify(place / "index") == []
    assert children() == []
    return {
        "found": report.found,
        "indexed": report.indexed,
        "embedded": report.embedded,
        "skipped": sum(each.total for each in report.skipped),
        "failed": len(report.failed),
        "hostile": len(expected) - count,
        "seconds": round(report.elapsed, 1),
        "seconds again": round(again.elapsed, 2),
        "decoded": first,
        "decoded again": decoded,
        "MiB before": before,
        "MiB at most": watch.own,
        "MiB of the largest child": watch.largest_child,
        "MiB that a child may take": sorted(each for each in watch.limits if each >= 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--count", type=int, default=10_000, help="of good ones")
    parser.add_argument("--archive", choices=["tar", "zip"])
    parser.add_argument("--cheap", action="store_true", help="with a model that costs nothing")
    given = parser.parse_args()
    if given.cheap:
        pictures.prepare(children=True)
    given.place.mkdir(parents=True, exist_ok=True)
    model = pictures.MODEL if given.cheap else None
    print(json.dumps(run(given.place.resolve(), given.count, given.archive, model), indent=1))


if __name__ == "__main__":
    main()
