"""What changes below some folders, as Linux tells it (inotify(7)); the only file that calls it.

Through no symbolic link, and names as bytes: libraries that tell of several systems follow links where they go below
folders, and end over names that are not UTF-8.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress

Identity = tuple[int, int]  # device and inode

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _IS_FOLDER = 0x4000, 0x8000, 0x40000000
_ONLY_FOLDERS, _NO_LINKS = 0x01000000, 0x02000000
_CHANGES = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_EVENT = struct.Struct("iIII")  # watch, what, cookie, bytes of the name
_ROOM = 1 << 16


class Inotify:
    """Tells the paths that change at some files and below some folders, from now on.

    What is hidden, and what is below a folder that is to be left `out`, is not followed and not told, as neither is
    looked at by a sync.

    Raises:
        OSError: the system follows no more: ENOSPC for folders (fs.inotify.max_user_watches), EMFILE for processes.
    """

    def __init__(self, tops: Sequence[str], out: Set[Identity]) -> None:
        self._out = out
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watches: dict[int, bytes] = {}  # what each is of, by the name that was given
        self._events = self._called("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._events, select.POLLIN)
        try:
            for top in tops:
                self._follow_all(os.fsencode(top))
        except BaseException:
            self.close()
            raise

    def next(self, seconds: float) -> set[str]:
        """What changed, waiting for it for so long at most; OSError where it was too much to be told."""
        if not self._poll.poll(1000 * seconds):
            return set()
        return {os.fsdecode(path) for path in self._told(os.read(self._events, _ROOM))}

    def close(self) -> None:
        """Closing twice is fine."""
        if self._events >= 0:
            os.close(self._events)
            self._events = -1

    def _told(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            watch, what, _, length = _EVENT.unpack_from(data, at)
            name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
            at += _EVENT.size + length
            if what & _OVERFLOW:
                raise OSError("more changes at once than the system keeps")
            folder = self._watches.get(watch)
            if what & _IGNORED:
                self._watches.pop(watch, None)
            elif folder is not None and not name.startswith(b"."):
                path = os.path.join(folder, name) if name else folder
                if what & _IS_FOLDER and what & _MOVED_FROM:
                    self._leave(path)
                if what & _IS_FOLDER and what & (_MOVED_TO | _CREATE):
                    self._follow_below([path])
                yield path

    def _follow_all(self, top: bytes) -> None:
        """Follow a file, or a folder with all that is below it; nothing where nothing is."""
        if os.path.isdir(top):
            self._follow_below([top], 0)
        else:
            self._follow(top, 0)

    def _follow_below(self, folders: list[bytes], how: int = _NO_LINKS) -> None:
        while folders:
            folder = folders.pop()
            if not self._follow(folder, how | _ONLY_FOLDERS):
                continue
            how = _NO_LINKS
            with suppress(OSError), os.scandir(folder) as entries:  # gone or closed meanwhile
                folders += [each.path for each in entries if not each.name.startswith(b".") and _is_folder(each)]

    def _follow(self, path: bytes, how: int) -> bool:
        """Whether it is followed: it is there, may be read, and is not to be left out."""
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in self._out:
                return False
            watch = self._called("inotify_add_watch", self._events, ctypes.c_char_p(path), _CHANGES | how)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM):
                raise
            return False  # gone, closed, a link by now, or a path of too many bytes
        self._watches[watch] = path
        return True

    def _leave(self, folder: bytes) -> None:
        """Follow a folder no more that is elsewhere now."""
        for watch, path in list(self._watches.items()):
            if path == folder or path.startswith(folder + b"/"):
                del self._watches[watch]
                with suppress(OSError):  # it is gone by itself
                    self._called("inotify_rm_watch", self._events, watch)

    def _called(self, function: str, *arguments: object) -> int:
        result: int = getattr(self._libc, function)(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
