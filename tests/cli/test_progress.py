"""The progress bar, on a terminal and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from PIL import Image

from .conftest import Run, command


def on_a_terminal(folder: Path) -> str:
    """What `lookalike index FOLDER` writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen([command(), "index", str(folder)], stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 4096):
            written += part
    except OSError:  # how Linux tells that the other end was closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return written.decode()


def test_bar_tells_how_many_how_fast_and_how_long(tmp_path: Path) -> None:
    for i in range(200):
        Image.effect_noise((160, 120), 10 + i % 90).save(tmp_path / f"{i}.png")
    text = on_a_terminal(tmp_path)
    assert re.search(r"\d+/200", text)
    assert re.search(r"\d+ pictures/s", text)
    assert re.search(r"\d+:\d\d:\d\d left", text)
    assert "200 pictures indexed" in text


def test_a_single_batch_of_photographs_has_a_pace_too(tmp_path: Path) -> None:
    photograph = tmp_path / "0.jpg"
    Image.effect_noise((3000, 2000), 60).save(photograph)
    for i in range(1, 30):
        (tmp_path / f"{i}.jpg").write_bytes(photograph.read_bytes() + bytes([i]))
    text = on_a_terminal(tmp_path)
    assert re.search(r"\d+ pictures/s", text[: text.index("30 pictures indexed")])


def test_no_bar_in_a_file(run: Run, photos: Path) -> None:
    stderr = run("index", photos).stderr
    assert "\r" not in stderr
    assert "\x1b" not in stderr
    assert stderr.count("\n") == 1
