"""What lies beside a picture and belongs to it: sidecars, the other half of a Live Photo, of RAW and JPEG.

All are files of its folder and of its stem, `IMG_1`, however their suffixes are written; a sidecar may also bear the
picture's whole name, `IMG_1.jpg.xmp`. `IMG_E1.jpg` is a picture of its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import NamedTuple

_PHOTO = frozenset({".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif"})
_RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".rw2", ".orf", ".raf", ".pef", ".srw"})
_VIDEO = frozenset({".mov", ".mp4"})
_OTHER = frozenset({".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jxl"})
_SIDECAR = {".xmp": "XMP sidecar", ".aae": "AAE sidecar"}


class Companion(NamedTuple):
    """A file that belongs to a picture.

    Attributes:
        what: in words, such as "XMP sidecar", "RAW" or "video".
        half: whether it is a picture or a video itself, which is lost with it: no sidecar.
    """

    path: str
    size: int
    mtime_ns: int
    what: str
    half: bool


class _Beside(NamedTuple):
    """A file in a folder that was looked through."""

    size: int
    mtime_ns: int


_Stems = dict[str, dict[str, _Beside]]  # what is in a folder: by stem, by name


class Companions:
    """The companions of pictures; each folder is looked through once."""

    def __init__(self) -> None:
        self._folders: dict[str, _Stems] = {}

    def of(self, path: str) -> list[Companion]:
        """All that belong to a picture, also those that belong to another one, too; halves first, each by name."""
        folder, name = os.path.split(path)
        stem, suffix = _parted(name)
        beside = self._stems(folder)
        found = [
            Companion(os.path.join(folder, other), *file, what, half=False)
            for owner in (stem, name)
            for other, file in beside.get(owner, {}).items()
            if other != name and (what := _SIDECAR.get(_parted(other)[1]))
        ]
        photo = any(_parted(other)[1] in _PHOTO for other in beside.get(stem, {}))
        for other, file in beside.get(stem, {}).items():
            if other != name and (what := _half(suffix, _parted(other)[1], photo)):
                found.append(Companion(os.path.join(folder, other), *file, what, half=True))
        return sorted(found, key=lambda companion: (not companion.half, companion.path))

    def owners(self, path: str) -> list[str]:
        """The pictures and videos there that a companion belongs to: one of two of them goes with both alone."""
        folder, name = os.path.split(path)
        stem, suffix = _parted(name)
        beside = self._stems(folder)
        owners = []
        if suffix in _SIDECAR:
            owners = [other for other in beside.get(stem, {}) if _parted(other)[1] not in _SIDECAR]
            if stem in beside.get(_parted(stem)[0], {}):
                owners.append(stem)
        elif suffix in _RAW | _VIDEO:
            owners = [other for other in beside.get(stem, {}) if _parted(other)[1] in _PHOTO]
        return [os.path.join(folder, owner) for owner in owners]

    def stay_with(self, companion: str, is_moved: Callable[[str], bool]) -> str | None:
        """A picture that is not moved, and to which the companion belongs: then it is not moved either."""
        return next((owner for owner in self.owners(companion) if not is_moved(owner)), None)

    def _stems(self, folder: str) -> _Stems:
        """The regular files of a folder that can be pictures or sidecars, by their stems, with their sizes."""
        if folder not in self._folders:
            self._folders[folder] = _listed(folder)
        return self._folders[folder]


def belong_together(companion: str, picture: str) -> bool:
    """Whether a file may be a companion of a picture, by their paths alone."""
    stem, owner = os.path.splitext(companion)[0], os.path.splitext(picture)[0]
    return stem in (owner, picture)


def _half(suffix: str, other: str, photo: bool) -> str | None:
    """What the file of the second suffix is to that of the first; None if it is a picture of its own.

    Two photos are, as IMG_1.heic and IMG_1.jpg; RAWs and videos belong together by a photo between them.
    """
    if suffix not in _PHOTO and not (photo and suffix in _RAW | _VIDEO):
        return None
    if other in _PHOTO:
        return None if suffix in _PHOTO else "photo"
    if other in _RAW:
        return "RAW"
    return "video" if other in _VIDEO else None


def _listed(folder: str) -> _Stems:
    stems: _Stems = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = _parted(entry.name)
                if suffix in _PHOTO | _RAW | _VIDEO | _OTHER | _SIDECAR.keys():
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and status.st_size:  # an empty one says nothing
                        stems.setdefault(stem, {})[entry.name] = _Beside(status.st_size, status.st_mtime_ns)
    except OSError:  # it is gone, or may not be read: nothing is known to lie there
        return {}
    return stems


def _parted(name: str) -> tuple[str, str]:
    """The stem, and the suffix in small letters."""
    stem, suffix = os.path.splitext(name)
    return stem, suffix.lower()
