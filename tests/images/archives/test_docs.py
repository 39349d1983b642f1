"""What docs/archives.md shows in Python is run, and its numbers are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.images.archives import limits, reader
from tests.images.archives.made import PICTURES, make_tar

PAGE = (Path(__file__).parent.parent.parent.parent / "docs" / "archives.md").read_text()


def test_its_python(tmp_path: Path) -> None:
    picture = PICTURES["01.png"]
    files = {"2024/a.png": picture, "notes.txt": b"", "2024/b.png": picture}
    make_tar(tmp_path / "photos.tar.gz", files, "w:gz")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == re.findall(r"print\(.*\)  # (.*)$", program, re.MULTILINE)


def test_its_numbers() -> None:
    assert f"| a picture | {limits.LARGEST_PICTURE >> 20} MiB |" in PAGE
    assert f"{limits.NAMES >> 20} MiB of memory" in PAGE
    assert limits.unpacks_sanely(7, 100 * 7 + (64 << 20))
    assert not limits.unpacks_sanely(7, 100 * 7 + (64 << 20) + 1)
    assert f"a tar's member | {limits.LARGEST_HEADER >> 20} MiB" in PAGE
    assert f"longer than {limits.LONGEST_NAME:,} bytes" in PAGE
    memory = {kind: size >> 30 for kind, size in reader._MEMORY.items()}
    assert memory == {"tar": 1, "zip": 1, "parquet": 3}
    assert "| 1 GiB; 3 GiB for Parquet |" in PAGE
    assert f"{reader._CPU_SECONDS} s of CPU time, {reader._SECONDS} s in all" in PAGE


def test_its_columns() -> None:
    pytest.importorskip("pyarrow")
    from lookalike.images.archives import parquet

    for names in (parquet._USUAL, parquet._NAMES):
        *most, last = (f"`{name}`" for name in names)
        assert f"{', '.join(most)} or {last}" in " ".join(PAGE.split())
