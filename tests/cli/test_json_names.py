"""JSON on stdout is what any parser takes, whatever files are called."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

ODD = b"\xff\xe9\nx"


@pytest.fixture
def odd(tmp_path: Path, picture: Path) -> str:
    """A folder whose name is not UTF-8, with pictures whose names are not, one of them unreadable."""
    place = os.fsencode(tmp_path) + b"/" + ODD
    os.mkdir(place)
    shutil.copy(os.fsencode(picture), place + b"/a\xff.png")
    shutil.copy(os.fsencode(picture), place + b"/b\xff.png")
    with open(place + b"/broken\xff.jpg", "wb") as file:
        file.write(b"\xff\xd8\xff nothing")
    return os.fsdecode(place)


def objects(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    json.dumps(found, ensure_ascii=False).encode()  # as strict parsers do, fails where a lone surrogate is
    return found


def names(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every field that is said in bytes, too."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from names(each)
            if f"{name}_base64" in value:
                yield each, value[f"{name}_base64"]
    for each in value if isinstance(value, list) else ():
        yield from names(each)


def test_every_verb(run: Run, odd: str, picture: Path, tmp_path: Path) -> None:
    asked: list[tuple[int, tuple[str | Path, ...]]] = [
        (0, ("index", odd, "--json")),
        (0, ("sync", odd, "--json")),
        (0, ("search", picture, odd, "--json")),
        (0, ("info", odd, "--json")),
        (0, ("dedupe", odd, "--json")),
        (0, ("repair", odd, "--json")),
        (0, ("export", odd, "--to", tmp_path / "out\udcff.h5", "--json")),
    ]
    for code, arguments in asked:
        found = objects(run(*arguments, code=code).stdout)
        if arguments[0] == "repair":  # it names what it lost: nothing
            continue
        assert list(names(found)), arguments
        for shown, very in names(found):
            for text, data in (
                zip([shown], [very], strict=True) if isinstance(shown, str) else zip(shown, very, strict=True)
            ):
                assert "\\xff" in text, arguments
                assert b"\xff" in base64.b64decode(data), arguments


def test_what_verify_finds(run: Run, odd: str) -> None:
    run("index", odd)
    for name in os.listdir(f"{odd}/.lookalike/segments"):
        with open(f"{odd}/.lookalike/segments/{name}", "r+b") as file:
            file.truncate(100)
    (found,) = objects(run("verify", odd, "--json", code=2).stdout)
    assert "\\xff" in found["problem"]


def test_the_path_is_shown_and_its_bytes_are_beside_it(run: Run, odd: str, picture: Path) -> None:
    hits = objects(run("search", picture, odd, "--json").stdout)
    assert {base64.b64decode(hit["path_base64"]) for hit in hits} == {
        os.fsencode(odd) + b"/a\xff.png",
        os.fsencode(odd) + b"/b\xff.png",
    }
    assert {hit["path"].rpartition("/")[2] for hit in hits} == {"a\\xff.png", "b\\xff.png"}


def test_a_name_in_utf_8_stays_as_it_is(run: Run, photos: Path, picture: Path) -> None:
    shutil.copy(picture, photos / "a\nb\u202e.png")
    (hit,) = objects(run("search", picture, "photos", "-k", "1", "--json").stdout)
    assert hit["path"] == f"{photos}/a\nb\u202e.png"
    assert "path_base64" not in hit
