"""The command line of the harnesses that disturb every call, or every n-th: NAME [--every N] [--seed S] FOLDER.

With `--vectors` they disturb collections of vectors.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tests.faults import pictures, vectors


def command(description: str | None, run: Callable[[str, int, int, bool], Any]) -> None:
    """Print what `run` counts, given the folder, how many calls there are to a disturbed one, the seed, and of what."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("top")
    given = parser.parse_args()
    pictures.prepare()
    if given.vectors:
        vectors.prepare()
    json.dump(run(os.path.realpath(given.top), given.every, given.seed, given.vectors), sys.stdout)
