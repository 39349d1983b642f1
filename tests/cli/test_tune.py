"""`lookalike tune`, as typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from .conftest import Run

pytestmark = pytest.mark.thorough


@pytest.fixture
def index(run: Run, tmp_path: Path) -> Path:
    np.save(tmp_path / "v.npy", np.random.default_rng(3).standard_normal((9000, 8), np.float32))
    run("index", "v.npy", "--to", "index")
    return tmp_path / "index"


def test_by_files_of_vectors(run: Run, index: Path, tmp_path: Path) -> None:
    queries = np.random.default_rng(4).standard_normal((200, 8), np.float32)
    np.save(tmp_path / "a.npy", queries[:50])
    np.savez(tmp_path / "b.npz", other=queries[:3, :3], mine=queries[50:].T)
    before = [path.name for path in (index / "segments").iterdir()]
    done = run("tune", "index", "a.npy")
    assert done.stdout == ""
    assert done.stderr == (
        "the recall among 9,000 vectors was measured with 50 queries; that holds until they are sealed anew\n"
    )
    (after,) = (path.name for path in (index / "segments").iterdir())
    assert after not in before
    assert "with 150 queries" in run("tune", "index", "b.npz", "--key", "mine", "--layout", "columns").stderr
    run("verify", "index")


def test_by_pictures(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("index", photos)
    shutil.copytree(photos / "cats", tmp_path / "queries")
    (tmp_path / "queries" / "zbroken.jpg").write_bytes(picture.read_bytes()[:60])
    done = run("tune", photos, "queries", picture)
    left_out, why, nothing = done.stderr.splitlines()
    assert left_out == "1 picture left out that could not be read:"
    assert why.startswith("  queries/zbroken.jpg: ")
    assert nothing == "nothing to measure: every picture is compared, as they are few"
    assert "zbroken.jpg" in run("tune", photos, "queries/zbroken.jpg", code=2).stderr


@pytest.mark.parametrize(
    ("queries", "told"),
    [
        ((), "expected queries after PATH, received none"),
        (("wide.npy",), "expected vectors of 8 dimensions"),
        (("nowhere",), "nowhere"),
        (("empty",), "expected pictures in empty, received none"),
        (("photos",), "vectors that came from files, received a picture"),
        (("photos.zip",), "received the archive photos.zip; unpack it"),
        (("photos", "wide.npy"), "expected either pictures or files of vectors"),
        (("--text", "red"), "a model that reads text"),
        (("broken.npy",), "broken.npy"),
    ],
)
def test_a_wrong_query(
    run: Run, index: Path, photos: Path, tmp_path: Path, queries: tuple[str, ...], told: str
) -> None:
    np.save(tmp_path / "wide.npy", np.ones((5, 9)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    shutil.make_archive(str(photos), "zip", photos)
    before = sorted((index / "segments").iterdir())
    done = run("tune", "index", *queries, code=2)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted((index / "segments").iterdir()) == before


def test_words_for_the_shipped_model(run: Run, photos: Path) -> None:
    run("index", photos)
    assert "received words for the model" in run("tune", photos, "--text", "dog", code=2).stderr
