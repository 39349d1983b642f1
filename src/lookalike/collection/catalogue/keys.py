"""What a catalogue calls an item, as bytes.

    photos/cat.jpg                a file, relative to the folder that holds the collection
    shards/0.tar NUL cat.jpg      a picture in an archive
    words.h5 NUL NUL cat          a vector in a file
    https://example.org/cat.jpg   a picture that was fetched

No path has NUL in it, and none of a catalogue two slashes in a row: none of these is taken for another.
"""

from __future__ import annotations

_MEMBER, _ROW = b"\0", b"\0\0"
_SCHEMES = (b"http://", b"https://")


def of_member(container: bytes, name: str) -> bytes:
    """The key of a picture in the archive whose key is `container`."""
    return container + _MEMBER + encode(name)


def of_row(container: bytes, name: str) -> bytes:
    """The key of a vector in the file whose key is `container`."""
    return container + _ROW + encode(name)


def container_of(key: bytes) -> bytes | None:
    """The key of the file that an item is in; None for one that is a file itself, or was fetched."""
    container, inside, _ = key.partition(_MEMBER)
    return container if inside else None


def name_in(key: bytes) -> bytes:
    """What an item is called in its container."""
    return key.partition(_MEMBER)[2].removeprefix(_MEMBER)


def is_row(key: bytes) -> bool:
    """Whether it is a vector in a file."""
    return _ROW in key


def is_url(key: bytes) -> bool:
    """Whether it was fetched."""
    return key.startswith(_SCHEMES)


def bounds(container: bytes) -> tuple[bytes, bytes]:
    """All that is in a container lies between these."""
    return container + _MEMBER, container + b"\1"


def plain(key: bytes) -> bytes:
    """An item's key as a path: of a picture in an archive as if that were a folder, of a vector its name alone."""
    return name_in(key) if is_row(key) else key.replace(_MEMBER, b"/")


def encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
