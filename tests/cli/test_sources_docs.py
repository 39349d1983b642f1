"""What docs/sources.md shows is run; the web is a server on loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lookalike
from lookalike.cli.lists import LONGEST
from lookalike.demo import folder
from lookalike.images.urls import traffic
from lookalike.images.urls.clock import DEFAULT_LIMITS

from ..images.urls.server import Server, plain, serving

PAGE = (Path(__file__).parent.parent.parent / "docs" / "sources.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def web() -> Iterator[tuple[Server, str]]:
    with serving() as (server, url):
        pictures = sorted(Path(folder(), "cats").iterdir())
        server.pages = {
            name: plain(picture.read_bytes())
            for name, picture in zip(("/cat.jpg", "/00.png", "/01.png"), pictures, strict=False)
        }
        yield server, url


@pytest.fixture
def home(tmp_path: Path, web: tuple[Server, str]) -> Path:
    """photos/ with folders of cats and dogs, two folders of scans, and urls.txt."""
    cats, dogs = (sorted(Path(folder(), kind).iterdir()) for kind in ("cats", "fruit"))
    for place in ("photos/cats", "photos/dogs", "scans-000", "scans-001"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(cats[0], tmp_path / place / "one.png")
        shutil.copy(dogs[0], tmp_path / place / "other.jpg")
    shutil.copy(dogs[0], tmp_path / "photos" / "cat.jpg")
    (tmp_path / "urls.txt").write_text(f"{web[1]}/cat.jpg\r\n{web[1]}/none.jpg\r\n")
    return tmp_path


def test_commands(home: Path, web: tuple[Server, str]) -> None:
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    (home / "bin").mkdir()
    (home / "bin" / "lookalike").write_text(f'#!/bin/sh\nexec {sys.executable} -m lookalike "$@"\n')
    (home / "bin" / "lookalike").chmod(0o755)
    source = str(Path(lookalike.__path__[0]).parent)
    environment = os.environ | {"PATH": f"{home}/bin{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": source}
    told = []
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command.replace('https://example.com', web[1])}"],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        told.append(re.findall(r"^\d+ pictures? indexed: .*(?=, in)|: 404 .*", done.stderr, re.MULTILINE))
    assert told == [
        ["1 picture indexed: 1 new"],
        ["5 pictures indexed: 5 new"],
        ["4 pictures indexed: 4 new"],
        ["3 pictures indexed: 3 new"],
        ["3 pictures indexed: 3 new"],
        ["3 pictures indexed: 3 new"],
        ["1 picture indexed: nothing new", ": 404 Not Found"],
    ]


def test_python(web: tuple[Server, str]) -> None:
    (program,) = (block.replace("https://example.com", web[1]) for block in blocks("python"))
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    page = web[0].pages["/cat.jpg"]
    assert isinstance(page, bytes)
    assert done.stdout.splitlines()[1:] == [f"{web[1]}/none.jpg 404 Not Found"], done.stderr
    assert 0 < int(done.stdout.split()[1]) < len(page)


def test_numbers() -> None:
    limits = DEFAULT_LIMITS
    assert f"| {limits.size >> 20} MiB, counted" in PAGE
    assert f"{limits.seconds} s in all; {limits.connect} s to look up the host" in PAGE
    assert f"{limits.silence} s of silence" in PAGE
    assert f"| {limits.redirects}, to http and https only" in PAGE
    assert f"at most {limits.patience} s, twice a picture" in PAGE
    assert f"at most {traffic.PER_HOST} connections to one host" in PAGE
    assert f"At most {traffic.WAITING >> 20} MiB wait" in PAGE
    assert PAGE.count(f"at most {LONGEST:,}") == 2
