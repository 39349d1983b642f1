from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lookalike.errors import NoPicturesError
from lookalike.images import find as find_module
from lookalike.images.extras import HEIC, JXL, VIDEO, Extra
from lookalike.images.find import Found, Skipped, find


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(root: Path) -> list[str]:
    return [os.path.relpath(each.path, root) for each in find(root) if isinstance(each, Found)]


def skipped(root: Path) -> dict[str, str]:
    return {os.path.relpath(each.path, root): each.reason for each in find(root) if isinstance(each, Skipped)}


def test_each_file_is_either_found_or_skipped_in_sorted_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a/2.jpg", "a/10.JPEG", "a/note.txt", "c.gif", "z/deep/er/x.webp", "noextension")
    assert found(tmp_path) == ["a/10.JPEG", "a/2.jpg", "b.png", "c.gif", "z/deep/er/x.webp"]
    assert skipped(tmp_path) == {"a/note.txt": "not a picture", "noextension": "not a picture"}
    assert list(find(tmp_path)) == list(find(tmp_path))


def test_size_and_time_are_the_files(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    assert list(find(tmp_path)) == [Found(str(path), 5, path.stat().st_mtime_ns)]


@pytest.mark.parametrize(
    "name", ["x.jpg", "x.JPE", "x.jfif", "x.png", "x.webp", "x.gif", "x.tif", "x.TIFF", "x.bmp", "x.avif"]
)
def test_every_format_is_found_by_its_extension(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    assert found(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x.CRW", "RAW file of a kind that is not read"),
        ("x.x3f", "RAW"),
        ("x.svg", "vector"),
        ("x.mts", "a video of a kind that is not read"),
        ("._x.jpg", "macOS"),
        (".jpg", "hidden"),
        (".notes.txt", "hidden"),
        ("jpg", "not a picture"),
        ("x.tar", "an archive; name it to have its pictures read"),
        ("x.TAR.gz", "an archive; name it"),
        ("x.tgz", "an archive; name it"),
        ("x.zip", "an archive; name it"),
        ("x.parquet", "an archive; name it"),
        ("x.csv.gz", "not a picture"),
        ("tar.gz", "not a picture"),
    ],
)
def test_what_is_no_readable_picture_is_skipped_with_its_reason(tmp_path: Path, name: str, reason: str) -> None:
    touch(tmp_path, name)
    assert reason in skipped(tmp_path)[name]


@pytest.mark.parametrize(
    ("extra", "name", "cure"),
    [
        (HEIC, "x.heic", "pip install pi-heif"),
        (JXL, "x.JXL", "in the clone of lookalike: pip install '.[jxl]'"),
        (VIDEO, "x.MOV", "in the clone of lookalike: pip install '.[video]'"),
    ],
)
def test_what_needs_a_package_names_it_when_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: Extra, name: str, cure: str
) -> None:
    touch(tmp_path, name)
    monkeypatch.setattr("lookalike.images.extras._is_installed", lambda package: package != extra.package)
    assert skipped(tmp_path)[name].endswith(cure)
    monkeypatch.setattr("lookalike.images.extras._is_installed", lambda _: True)
    assert found(tmp_path) == [name]


def test_what_begins_with_a_dot_is_skipped_but_may_be_the_root(tmp_path: Path) -> None:
    touch(tmp_path, ".git/a.jpg", ".lookalike/b.jpg", "sub/.cache/c.jpg", "d.jpg", ".hidden.jpg")
    assert found(tmp_path) == ["d.jpg"]
    assert skipped(tmp_path) == dict.fromkeys([".git", ".hidden.jpg", "sub/.cache"], "hidden")
    assert found(tmp_path / ".git") == ["a.jpg"]
    assert found(tmp_path / ".hidden.jpg") == ["."]


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "real" / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "real" / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "real" / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "real" / "folder.jpg").symlink_to(tmp_path)
    assert found(tmp_path) == ["real/a.jpg", "real/link.jpg"]
    reasons = skipped(tmp_path)
    assert reasons["real/loop"] == reasons["real/folder.jpg"] == "a symbolic link to a folder is not followed"
    assert reasons["real/broken.jpg"] == "a broken symbolic link"
    assert "symbolic links" in reasons["real/self.jpg"]
    (tmp_path / "shortcut").symlink_to("real")
    assert found(tmp_path / "shortcut") == ["a.jpg", "link.jpg"]


def test_fifos_and_devices_are_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    assert skipped(tmp_path) == {"fifo.jpg": "not a regular file", "zero.png": "not a regular file"}


def test_names_are_bytes(tmp_path: Path) -> None:
    names = [
        b"\xff\xfe.jpg",
        b"new\nline.png",
        "\u202egpj.exe.jpg".encode(),
        b"x" * 251 + b".jpg",
        b"' \"<&>.gif",
    ]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
            pass
    assert sorted(os.fsencode(name) for name in found(tmp_path)) == sorted(names)


@contextmanager
def nested(root: Path, name: str, depth: int) -> Iterator[None]:
    """Folders in folders, with a picture in the last; the root is the working folder meanwhile."""
    here = os.getcwd()
    os.chdir(root)
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    Path("x.jpg").touch()
    os.chdir(root)
    yield
    for _ in range(depth):
        os.chdir(name)
    os.unlink("x.jpg")
    for _ in range(depth):  # neither pytest nor shutil can remove so many levels
        os.chdir("..")
        os.rmdir(name)
    os.chdir(here)


def test_folders_nested_deeper_than_python_recurses(tmp_path: Path) -> None:
    with nested(tmp_path, "d", 1100):
        assert [each.path for each in find(".")] == ["./" + "d/" * 1100 + "x.jpg"]


def test_a_folder_beyond_path_max_is_skipped(tmp_path: Path) -> None:
    with nested(tmp_path, "d" * 250, 20):
        (last,) = find(".")
    assert isinstance(last, Skipped)
    assert "too long" in last.reason


def test_a_file_or_folder_that_vanishes_meanwhile_is_no_error(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", "c/d.jpg", "e.jpg")
    each = find(tmp_path)
    assert next(each).path.endswith("a.jpg")
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "c" / "d.jpg").unlink()
    (tmp_path / "c").rmdir()
    assert [os.path.basename(rest.path) for rest in each] == ["e.jpg"]


class Unknown:
    """An entry of a file system that leaves its kind to `stat`, which is refused."""

    def __init__(self, path: Path) -> None:
        self.name, self.path = path.name, str(path)

    def stat(self, **_: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    is_dir = is_symlink = stat


def test_an_entry_of_unknown_kind_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_module, "_entries", lambda folder: iter([Unknown(tmp_path / "a.jpg")]))
    assert skipped(tmp_path) == {"a.jpg": "cannot be read (Permission denied)"}


@pytest.fixture
def as_ordinary_user() -> Iterator[None]:
    """Root may read every folder, so a test of what may not be read steps down for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_an_unreadable_folder_is_skipped(as_ordinary_user: None) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        touch(root, "a/x.jpg", "b.jpg")
        (root / "a").chmod(0)
        assert found(root) == ["b.jpg"]
        assert skipped(root) == {"a": "the folder cannot be read (Permission denied)"}
        with pytest.raises(NoPicturesError, match="Permission denied"):
            find(root / "a")
        (root / "a").chmod(stat.S_IRWXU)


def test_a_root_that_is_one_file_is_that_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "photo", "b.svg")
    assert [each.path for each in find(tmp_path / "a.jpg")] == [str(tmp_path / "a.jpg")]
    (unnamed,) = find(tmp_path / "photo")
    assert isinstance(unnamed, Found), "a file the user names is told by its content"
    (vector,) = find(tmp_path / "b.svg")
    assert isinstance(vector, Skipped)


def test_a_root_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(NoPicturesError, match="No such file or directory"):
        find(tmp_path / "gone")
    with pytest.raises(NoPicturesError, match="null"):
        find("nul\0")


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert list(find(tmp_path)) == []
