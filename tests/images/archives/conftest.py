"""Archives that may not be read: permissions do not bind root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of a user that may not read all."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's, which is its own user's
        if user == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield Path(folder)
        os.seteuid(user)
