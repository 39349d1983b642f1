"""Chromium for the tests of pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ..conftest import Require
from .browse import Browse


@pytest.fixture(scope="module")
def chromium(require_or_skip: Require) -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require_or_skip(found, "Chromium is not installed (Debian: apt-get install chromium)")
    assert found
    return found


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Browse:
    return Browse(chromium, tmp_path)
