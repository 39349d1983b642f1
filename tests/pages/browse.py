"""Chromium without a window: what it makes of a page, as numbers or as a picture."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

from PIL import Image

from lookalike.pages import write_page

# Reads the page from inside a frame: a window would not become narrower than 500 pixels.
# The page itself allows no script, so it is a copy that is read.
PROBE = """<script>addEventListener("load", () => parent.postMessage(JSON.stringify({}), "*"))</script>"""
FRAME = """<!doctype html><meta charset="utf-8">
<script>addEventListener("message", event => document.documentElement.dataset.probe = event.data)</script>
<iframe src="page.html" style="border: 0; width: {}px; height: {}px"></iframe>"""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
]
SIZES = [(1280, 900), (390, 844), (360, 640), (3840, 2160)]


class Browse:
    """Chromium without a window, with a profile of its own."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder

    def probe(self, page: str, size: tuple[int, int], seen: str, *flags: str) -> dict[str, Any]:
        """What the JavaScript object `seen` is on the page in a window of that size."""
        copy = page.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
        assert copy != page
        write_page(copy.replace("</body>", PROBE.replace("{}", seen) + "</body>"), str(self._folder / "page.html"))
        write_page(FRAME.format(*size), str(self._folder / "frame.html"))
        dom, _ = self._run("frame.html", "--dump-dom", *flags)
        (found,) = re.findall(r'data-probe="([^"]*)"', dom)
        return json.loads(unescape(found))  # type: ignore[no-any-return]

    def screenshot(
        self, page: str, size: tuple[int, int], name: str = "page.html", *flags: str
    ) -> tuple[Image.Image, list[str]]:
        """The page as it is, and what its console said."""
        write_page(page, str(self._folder / name))
        file = self._folder / "screenshot.png"
        _, log = self._run(name, f"--screenshot={file}", f"--window-size={size[0]},{size[1]}", *flags)
        with Image.open(file) as image:
            return image.convert("RGB"), [line for line in log.splitlines() if ":CONSOLE" in line]

    def _run(self, name: str, *flags: str) -> tuple[str, str]:
        profile = f"--user-data-dir={self._folder / 'profile'}"
        done = subprocess.run(
            [self._binary, *FLAGS, profile, *flags, (self._folder / name).as_uri()],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=True,
        )
        return done.stdout, done.stderr
