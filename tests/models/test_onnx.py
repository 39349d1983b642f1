from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, ModelError
from lookalike.models import Input
from lookalike.models.onnx import BATCH, OnnxModel, efficientnet_lite0

Pictures = NDArray[np.uint8]


def largest_cosine_distance(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    cosine = np.sum(x * y, axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return float(1 - cosine.min())


def test_a_batch_becomes_finite_float32_vectors(model: OnnxModel, pictures: Pictures) -> None:
    vectors = model.embed(pictures)
    assert vectors.shape == (len(pictures), model.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert (np.linalg.norm(vectors, axis=1) > 0).all()


def test_an_empty_batch_gives_no_vectors_and_starts_no_session() -> None:
    model = replace(efficientnet_lite0(), path=Path("nowhere"))
    side = model.input.side
    assert model.embed(np.empty((0, side, side, 3), np.uint8)).shape == (0, model.dim)


def test_a_vector_does_not_depend_on_its_batch(model: OnnxModel, pictures: Pictures) -> None:
    whole = model.embed(pictures)
    alone = np.concatenate([model.embed(picture[None]) for picture in pictures])
    backwards = model.embed(pictures[::-1])[::-1]
    assert largest_cosine_distance(whole, alone) < 1e-5
    assert largest_cosine_distance(whole, backwards) < 1e-5


def test_strided_and_read_only_batches_are_taken(model: OnnxModel, pictures: Pictures) -> None:
    wide = np.repeat(pictures[:3], 2, axis=2)
    strided = wide[:, :, ::2]
    strided.flags.writeable = False
    np.testing.assert_array_equal(model.embed(strided), model.embed(pictures[:3]))


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 3, 224, 224), np.uint8),
        np.zeros((1, 224, 224, 4), np.uint8),
        np.zeros((1, 225, 224, 3), np.uint8),
        np.zeros((0, 1), np.uint8),
    ],
    ids=lambda batch: f"{batch.dtype} {batch.shape}",
)
def test_another_dtype_or_shape_is_refused(model: OnnxModel, batch: NDArray[np.uint8]) -> None:
    with pytest.raises(ArgumentError, match=r"expected uint8 pictures of shape .* received"):
        model.embed(batch)


def test_the_name_hash_and_licence_of_the_weights_are_on_record(model: OnnxModel) -> None:
    assert hashlib.sha256(model.path.read_bytes()).hexdigest() == model.sha256
    assert model.sha256 in model.path.with_name("ORIGIN.md").read_text("utf-8")
    assert "Apache License" in model.path.with_name("LICENSE").read_text("utf-8")


def test_the_hash_is_of_all_that_a_vector_depends_on(model: OnnxModel) -> None:
    others = (replace(model, sha256="0" * 64), replace(model, input=Input(224, "pad")))
    assert len({model.hash, *(other.hash for other in others)}) == 3
    assert replace(model).hash == model.hash


def test_altered_or_missing_weights_are_refused(model: OnnxModel, pictures: Pictures, tmp_path: Path) -> None:
    copy = replace(model, path=tmp_path / "weights.onnx")
    with pytest.raises(ModelError, match="No such file"):
        copy.embed(pictures)
    data = bytearray(model.path.read_bytes())
    data[len(data) // 2] ^= 1
    copy.path.write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        copy.embed(pictures)
    copy.path.write_bytes(model.path.read_bytes())  # mended: the refusals left nothing behind
    np.testing.assert_array_equal(copy.embed(pictures), model.embed(pictures))


def test_threads_that_embed_at_once_get_the_same_vectors(pictures: Pictures) -> None:
    model = efficientnet_lite0()
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(model.embed, [pictures] * 4))
    for vectors in several:
        np.testing.assert_array_equal(vectors, several[0])


def test_nothing_is_written_to_the_terminal_or_the_home_folder(tmp_path: Path) -> None:
    """onnxruntime's reporting to its makers leaves an id of the device in the home folder; in CI it is silent."""
    program = """
import numpy as np
from lookalike.models import get_model
model = get_model()
model.embed(np.zeros((1, model.input.side, model.input.side, 3), np.uint8))
"""
    kept = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=kept)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("embeds", [True, False])
@pytest.mark.parametrize("count", [1, 2 * BATCH + 1])
def test_a_forked_child_embeds_and_exits(embeds: bool, count: int) -> None:
    program = f"""
import os, sys
import numpy as np
from lookalike.models import get_model
model = get_model()
pictures = np.zeros(({count}, model.input.side, model.input.side, 3), np.uint8)
expected = model.embed(pictures)
child = os.fork()
if child == 0:
    sys.exit(0 if not {embeds} or np.array_equal(model.embed(pictures), expected) else "differs")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
