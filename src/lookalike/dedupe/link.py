"""Making two files of the same bytes one file with two names; and two again."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from typing import Any, NamedTuple

from lookalike.dedupe.check import Keeper, LeftAlone, looks_unchanged, require_bytes, require_same, status_of
from lookalike.dedupe.plan import Planned

_CHUNK = 1 << 20


class Link(NamedTuple):
    """A file that is to become another name of `source`, as both are now.

    Attributes:
        inode: of the source, by which a step that was taken is known.
        mode, owner, group, atime_ns: of the file; its own time of change is planned for already.
    """

    file: Planned
    source: str
    inode: int
    mode: int
    owner: int
    group: int
    atime_ns: int


def describe(file: Planned, source: Planned, folder: str) -> tuple[Link, os.stat_result]:
    """The link that is to be made, and what the system says of the file.

    LeftAlone where it cannot be made, or could not be undone.
    """
    path, other = os.path.join(folder, file.path), os.path.join(folder, source.path)
    now, of_source = looks_unchanged(path, file), status_of(other)
    if now.st_dev != of_source.st_dev:
        raise LeftAlone(f"it is on another file system than {other}")
    if now.st_ino == of_source.st_ino:
        raise LeftAlone(f"it is one file with {other} already")
    if now.st_nlink > 1:
        raise LeftAlone("it has other names (hard links), which it would be parted from")
    if _rights(now) != _rights(of_source):
        raise LeftAlone(f"it has another owner, group or mode than {other}, which would be lost")
    if _attributes(path) != _attributes(other):
        raise LeftAlone(f"it has other attributes than {other} (getfattr shows them), which would be lost")
    link = Link(file, source.path, of_source.st_ino, stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid, now.st_atime_ns)
    return link, now


def make_link(link: Link, before: os.stat_result, source: Keeper, folder: str) -> None:
    """Replace the file by a second name of its source, in one step, after its bytes are compared again.

    Raises:
        LeftAlone: one of the two has changed.
        OSError: the system says no.
    """
    path, of_source = os.path.join(folder, link.file.path), source.require()
    require_bytes(path, link.file.sha256)
    draft = _draft(path, "link")
    with suppress(FileNotFoundError):
        os.unlink(draft)  # a name that a killed step left
    os.link(source.path, draft, follow_symlinks=False)
    try:
        require_same(draft, of_source)
        require_same(path, before)
        os.replace(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)


def part(link: Link, folder: str) -> bool:
    """Undo `make_link`, also one that was killed: a file of its own again; False if it is one.

    Raises:
        LeftAlone: it is gone, or was changed since.
        OSError: the system says no.
    """
    path = os.path.join(folder, link.file.path)
    for name in ("link", "copy"):
        with suppress(FileNotFoundError):
            os.unlink(_draft(path, name))
    now = status_of(path)
    if now.st_ino != link.inode or now.st_nlink == 1:
        if now.st_size != link.file.size:
            raise LeftAlone("it is another file now")
        if now.st_ino == link.inode:  # the source is gone since, and what is left is this file's
            _dress(path, link)
        return False
    draft = _draft(path, "copy")
    try:
        _copy(path, draft, link.file.sha256)
        _dress(draft, link)
        require_same(path, now)
        os.replace(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
    return True


def fields_of(link: Link) -> dict[str, Any]:
    """What the undo file keeps of it beside the file."""
    return {
        "source_inode": link.inode,
        "mode": link.mode,
        "owner": link.owner,
        "group": link.group,
        "atime_ns": link.atime_ns,
    }


def _rights(status: os.stat_result) -> tuple[int, ...]:
    """Who may do what with a file: two names of one file cannot differ in it."""
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def _copy(path: str, draft: str, sha256: str) -> None:
    """A durable copy, which LeftAlone says is not made where the bytes have changed."""
    hasher = hashlib.sha256()
    with open(path, "rb") as source, open(draft, "xb") as target:
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if hasher.hexdigest() != sha256:
        raise LeftAlone("its bytes have changed, together with those of the file that it was made one with")
    for name, value in _attributes(path).items():
        os.setxattr(draft, name, value)


def _dress(path: str, link: Link) -> None:
    """Give a file the mode, owner and times that it had."""
    now = os.lstat(path)
    if (now.st_uid, now.st_gid) != (link.owner, link.group):
        os.chown(path, link.owner, link.group)
    os.chmod(path, link.mode)
    os.utime(path, ns=(link.atime_ns, link.file.mtime_ns))


def _attributes(path: str) -> dict[str, bytes]:
    """The extended attributes, where the system has them: labels, access lists."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path)}
    except OSError:  # a file system without them
        return {}


def _draft(path: str, what: str) -> str:
    """A name beside the file, always the same one, so that what a kill left there is found again."""
    name = hashlib.sha256(os.fsencode(os.path.basename(path))).hexdigest()[:16]
    return os.path.join(os.path.dirname(path), f".lookalike-{name}.{what}")
