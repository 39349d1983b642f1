"""What docs/sync.md shows in Python is run."""

from __future__ import annotations

import re
from pathlib import Path

from .conftest import PICTURES, Python

PAGE = Path(__file__).parent.parent.parent / "docs" / "sync.md"


def test_its_python(folder: Path, python: Python) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert "watch(" in program
    done = python(program)  # in the folder that holds `photos`
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"0 {PICTURES}"


def test_the_size_of_a_batch_is_told() -> None:
    from lookalike.collection.sync.sync import BATCH

    assert f"batches of {BATCH}" in PAGE.read_text()
    assert f"at most one batch, {BATCH} pictures" in PAGE.read_text()
