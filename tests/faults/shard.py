"""The archive among the pictures: what a state has below `SHARD` are its members."""

from __future__ import annotations

import json
import os
import tarfile
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lookalike.images import archives
from lookalike.images.archives import Contents, tar
from lookalike.images.archives.contents import pictures as last_of_each_name
from lookalike.images.archives.contents import survey
from lookalike.images.archives.file import File
from lookalike.images.given import Given
from tests.archived import pack
from tests.faults import pictures

SHARD = "shard.tar"

_BELOW = f"{SHARD}/"


def is_inside(path: str) -> bool:
    """Whether a path of a state is one in the archive."""
    return path.startswith(_BELOW)


def held(folder: str) -> dict[str, int]:
    """The members of the archive in a folder, as paths of a state."""
    path = os.path.join(folder, SHARD)
    if not os.path.exists(path):
        return {}
    with tarfile.open(path) as archive:
        return {
            _BELOW + member.name: pictures.seed_of_file(file.read())
            for member in archive
            if (file := archive.extractfile(member))
        }


def write(folder: str, members: Mapping[str, int]) -> None:
    """Put the archive with these members, by their paths in a state, there at once; its time is that of its content."""
    pictures.expect(members.values())
    inside = {path.removeprefix(_BELOW): pictures.encoded(seed) for path, seed in members.items()}
    os.makedirs(folder, exist_ok=True)
    pack(Path(folder, SHARD), inside, zlib.crc32(json.dumps(list(members.items())).encode()) % 10**6)


def read_in_process() -> None:
    """Read archives here, without the 0.1 s that a child takes to start; before anything is made of them."""
    archives.look = _look
    archives.read = _read


def _look(path: str, *, column: str | None = None) -> Contents:
    with File(path) as file:
        return replace(survey(tar.members(file)), state=file.state)


def _read(
    path: str, only: Container[str] | None = None, *, column: str | None = None, contents: Contents | None = None
) -> Iterator[Given]:
    with File(path) as file:
        for member in last_of_each_name(tar.members(file), {}):
            if only is None or member.name in only:
                yield Given(member.name, b"".join(member.data))
