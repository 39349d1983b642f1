"""Patterns of paths that the shell has left as they are: quoted, or under PowerShell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

_MAGIC = re.compile(r"[*?[]")


def is_pattern(word: str) -> bool:
    return _MAGIC.search(word) is not None


def matches(pattern: str) -> list[str]:
    """The paths that a pattern matches: folder by folder, sorted by name within each, as they are found by `find`.

    `*`, `?` and `[...]` stand for parts of a name, as in the shell; `**` for any folders, or none. What begins with a
    dot is matched only by a name that does, and `**` goes through no symbolic links to folders: they may loop. What
    lies in a folder that is matched, too, is left out: it is there with its folder.

        >>> matches("photos/**/*.jpg")
        ['photos/cat.jpg', 'photos/2024/dog.jpg']
    """
    found = ["/" if pattern.startswith("/") else ""]
    for part in filter(None, pattern.split("/")):
        found = list(dict.fromkeys(path for folder in found for path in _step(folder, part)))
    if pattern.endswith("/"):
        found = list(filter(_is_folder, found))
    return [path or "." for path in _outermost(found)]


def _step(folder: str, part: str) -> Iterator[str]:
    if part == "**":
        yield from _folders(folder)
    elif is_pattern(part):
        fits = re.compile(translate(part)).match
        shown = (name for name in _names(folder) if part[0] == "." or name[0] != ".")
        yield from (os.path.join(folder, name) for name in shown if fits(name))
    elif os.path.lexists(path := os.path.join(folder, part)):
        yield path


def _folders(top: str) -> Iterator[str]:
    """`top`, if it is a folder, and the folders below that are neither hidden nor links."""
    pending = [top] if _is_folder(top) else []
    while pending:
        yield (folder := pending.pop())
        below = [os.path.join(folder, name) for name in reversed(_names(folder)) if name[0] != "."]
        pending += (path for path in below if _is_folder(path) and not os.path.islink(path))


def _names(folder: str) -> list[str]:
    """What is in a folder, sorted; nothing where it cannot be read, or is none."""
    try:
        return sorted(os.listdir(folder or "."))
    except OSError:
        return []


def _is_folder(path: str) -> bool:
    return os.path.isdir(path or ".")


def _outermost(paths: Iterable[str]) -> Iterator[str]:
    """The paths without those in a folder that is among them, before them."""
    folders: set[str] = set()
    for path in paths:
        if folders.isdisjoint(_above(path)):
            if _is_folder(path):
                folders.add(path)
            yield path


def _above(path: str) -> Iterator[str]:
    """The folders around a path, the outermost first."""
    yield "/" if path.startswith("/") else ""
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)
