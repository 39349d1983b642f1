"""The form of undo files: NDJSON, whose first line says what the file is; and what may stand in them and in plans."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lookalike.errors import NotAnIndexError

Line = tuple[int, dict[str, Any]]  # its number in the file, from 1, and what it holds


def to_lines(values: Sequence[Mapping[str, Any]]) -> bytes:
    """NDJSON in ASCII."""
    return "".join(f"{json.dumps(value)}\n" for value in values).encode("ascii")


def named(path: str) -> dict[str, str]:
    """A path for JSON, by surrogateescape where it is not UTF-8, and then with its very bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return {"path": path, "path_base64": b64encode(os.fsencode(path)).decode("ascii")}
    return {"path": path}


def read_lines(path: str, kind: str, version: int) -> tuple[dict[str, Any], list[Line]]:
    """The first line, and the others that are not blank. NotAnIndexError for what is no such file."""
    try:
        with open(path, "rb") as file:
            lines = [(number, line) for number, line in enumerate(file.read().splitlines(), 1) if line.strip()]
    except OSError as error:
        raise NotAnIndexError(f"expected a {kind} at {path}, received {error.strerror!r} from the system") from error
    head = _object(lines[0][1]) if lines else None
    if head is None or head.get("lookalike") != kind:
        raise NotAnIndexError(
            f"expected a {kind} in {path}, received another file (its first line does not say that it is one); "
            "name one that dedupe wrote"
        )
    if head.get("version") != version:
        raise NotAnIndexError(
            f"expected a {kind} of version {version} in {path}, received one that has version {head.get('version')}; "
            "use the lookalike that wrote it"
        )
    objects = []
    for number, line in lines[1:]:
        with sound(path, kind, number):
            if (found := _object(line)) is None:
                raise ValueError("what is no JSON object")
            objects.append((number, found))
    return head, objects


@contextmanager
def sound(path: str, kind: str, line: int) -> Iterator[None]:
    """Around what is made of one line: NotAnIndexError for what cannot be, with the line's number."""
    try:
        yield
    except KeyError as error:
        raise _spoilt(path, kind, line, f"none that has {error}") from error
    except (TypeError, ValueError) as error:
        raise _spoilt(path, kind, line, str(error)) from error


def relative(path: object) -> str:
    """A path out of a file of ours. ValueError for one that leads out of its folder."""
    if not isinstance(path, str) or not path or "\0" in path or os.path.isabs(path) or ".." in path.split("/"):
        raise ValueError(f"{path!r} is no path within a folder")
    return path


def absolute(path: object) -> str:
    """A path out of a file of ours. ValueError for one that is not absolute."""
    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        raise ValueError(f"{path!r} is no absolute path")
    return path


def whole(value: object) -> int:
    """A number out of a file of ours. ValueError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")
    return value


def sha256(value: object) -> str:
    """A hash out of a file of ours. ValueError for anything else."""
    if not isinstance(value, str) or len(bytes.fromhex(value)) != 32:
        raise ValueError(f"{value!r} is no SHA-256")
    return value


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _spoilt(path: str, kind: str, line: int, why: str) -> NotAnIndexError:
    return NotAnIndexError(
        f"expected a {kind} in {path}, received in line {line}: {why}; mend that line, or name a file that dedupe wrote"
    )
