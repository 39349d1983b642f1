"""scikit-learn is an extra: nobody else waits for it, and who lacks it is told the cure."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_index_does_not_wait_for_scikit_learn() -> None:
    assert run("import sys, lookalike; lookalike.Index(dim=2); print('sklearn' in sys.modules)") == "False\n"


@pytest.mark.parametrize("missing", ["sklearn", "joblib", "scipy"])
def test_without_it_the_cure_is_named(missing: str) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None  # as if it were not installed
from lookalike.errors import MissingExtraError
try:
    import lookalike.neighbors
except MissingExtraError as error:
    assert isinstance(error, ImportError)
    print(error)
"""
    assert "pip install 'lookalike[sklearn]'" in run(program)
