"""Collections that older versions wrote are opened, brought up to date, and found complete."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from lookalike.collection import Collection
from lookalike.collection.catalogue.schema import VERSION

GOLDEN = Path(__file__).parent / "golden"


def test_version_1(tmp_path: Path) -> None:
    """17 pictures, one of them pending; one was removed after the seal, and one cannot be read."""
    shutil.copytree(GOLDEN / "v1", tmp_path / ".lookalike")
    for _ in range(2):
        with Collection.open(tmp_path) as collection:
            assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
            assert (len(collection), len(collection.failed())) == (17, 1)
            assert not any(path.endswith("03.png") for path in collection.paths())
            hits = collection.search(np.ones(collection.model.dim), k=20)
            assert sorted(hit.path for hit in hits) == sorted(collection.paths())
