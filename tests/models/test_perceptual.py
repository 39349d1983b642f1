from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from lookalike import Collection
from lookalike.cli.info import info
from lookalike.dedupe import find_duplicates
from lookalike.errors import ArgumentError, ModelError
from lookalike.hashing.perceptual import HASHES, SIZES, hamming, phash, to_grey
from lookalike.models import get_model
from lookalike.models.perceptual import bits_of

NAMES = [*HASHES, *(f"{name}:64" for name in HASHES)]


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_has_a_sign_for_each_bit_and_cosine_counts_those_that_differ(name: str) -> None:
    model = get_model(name)
    bits = SIZES[0] if name.endswith(":64") else SIZES[1]
    assert (model.name, model.dim, bits_of(name)) == (name, bits, bits)
    batch = np.random.default_rng(1).integers(0, 256, (5, 64, 64, 3), np.uint8)
    batch[3] = 200  # plain
    vectors = model.embed(batch)
    assert vectors.shape == (5, bits)
    assert vectors.dtype == np.float32
    assert (np.abs(vectors) == 1).all()
    packed = HASHES[name.removesuffix(":64")](batch if name.startswith("color") else to_grey(batch), bits)
    cosine = 1 - vectors @ vectors.T / bits
    assert np.allclose(cosine * bits / 2, hamming(packed[:, np.newaxis], packed))
    assert model.embed(batch[:0]).shape == (0, bits)


def test_every_hash_is_another_model_under_one_name() -> None:
    assert len({get_model(name).hash for name in NAMES}) == len(NAMES)
    assert get_model("phash:256") is get_model("phash")
    assert bits_of("efficientnet-lite0") is bits_of("vgg16") is None


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("phash:65", ModelError, "bits of phash (64, 256), received '65'"),
        ("phash?bgr", ArgumentError, "each at most once: nothing, received 'bgr'"),
        ("phosh", ModelError, "did you mean phash"),
    ],
)
def test_what_is_no_hash_is_refused(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        get_model(name)
    assert said in str(raised.value)
    with pytest.raises(ArgumentError, match="device cpu for phash"):
        get_model("phash", device="cuda")


def test_neither_onnxruntime_nor_pillow_is_needed() -> None:
    program = """
import sys, numpy
from lookalike.models import get_model
get_model("phash").embed(numpy.zeros((1, 64, 64, 3), numpy.uint8))
for heavy in ("onnxruntime", "PIL", "torch"):
    assert heavy not in sys.modules, heavy
"""
    run([sys.executable, "-c", program], check=True)


def scene(seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).resize((640, 480), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = random.integers(0, 600, 2).tolist()
        draw.ellipse((x, y, x + 90, y + 60), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 scenes; of the first ten a small JPEG, of one its mirror; and a grey picture."""
    folder = tmp_path_factory.mktemp("hashed")
    for seed in range(60):
        scene(seed).save(folder / f"{seed:02}.png")
    for seed in range(10):
        scene(seed).resize((200, 150)).save(folder / f"{seed:02} small.jpg", quality=60)
    ImageOps.mirror(scene(11)).save(folder / "11 mirrored.png")
    Image.new("RGB", (50, 40), (90, 90, 90)).save(folder / "grey.png")
    return folder


@pytest.fixture(scope="module")
def collection(folder: Path) -> Iterator[Collection]:
    with Collection.create(folder, model="phash") as collection:
        report = collection.sync()
        assert (report.new, report.failed) == (72, [])
        yield collection


def test_copies_are_found_by_the_bits_that_differ(folder: Path, collection: Collection) -> None:
    for seed in range(10):
        hits = collection.search(folder / f"{seed:02} small.jpg", k=2)
        assert Path(hits[0].path).name == f"{seed:02}.png"
        differ = hits[0].distance * 128
        assert differ == pytest.approx(round(differ), abs=1e-3)
        assert differ < 26
        assert hits[1].distance * 128 > 80
        assert (hits[0].score or 0) > 0.9
        assert (hits[1].score or 0) < (hits[0].score or 0)


def test_within_and_groups_go_by_distance(folder: Path, collection: Collection) -> None:
    near = collection.search(folder / "03 small.jpg", k=10, max_distance=0.2)
    assert [Path(hit.path).name for hit in near] == ["03.png"]
    groups = find_duplicates([collection]).groups
    copies = [group for group in groups if any(other.kind == "resized or recompressed" for other in group.others)]
    assert len(copies) == 10


def test_a_grey_picture_has_a_vector_and_export_keeps_all(folder: Path, collection: Collection, tmp_path: Path) -> None:
    assert (collection.vector(folder / "grey.png") == -1).all()
    written = collection.export(tmp_path / "bits.h5")
    assert written.count == 72
    stored = collection.vector(folder / "05.png")
    small = np.asarray(scene(5).resize((64, 64), Image.Resampling.BICUBIC, reducing_gap=3))
    expected = np.unpackbits(phash(to_grey(small[np.newaxis])))
    assert (stored == expected.astype(np.float32) * 2 - 1).mean() > 0.97


def test_info_says_what_a_distance_counts(
    folder: Path, collection: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collection.info().model == "phash"
    assert info(str(folder)) == 0
    assert "phash (256 bits, of which distance × 128 differ)" in capsys.readouterr().out
