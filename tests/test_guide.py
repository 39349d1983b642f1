"""Every command of docs/guide.md is run, in its order, but for those that download or need a GPU."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.demo import folder
from lookalike.vectors import write_vectors

from .conftest import Require
from .images.urls.server import plain, serving

GUIDE = (Path(__file__).parent.parent / "docs" / "guide.md").read_text()
CELLS = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in GUIDE.splitlines() if "| `" in line]
COMMANDS = [cells[1].strip("`").replace("\\|", "|") for cells in CELLS if cells[2:] != ["downloads"]]

COUNT, DIM = 30, 8
ROWS = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
WORDS = ["king", "queen", *(f"word{i}" for i in range(COUNT - 2))]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """All that the guide names, and the address of a server."""
    place = tmp_path_factory.mktemp("guide")
    photos = place / "photos"
    for kind in ("cats", "fruit"):
        shutil.copytree(Path(folder(), kind), photos / kind)
    cats = sorted((photos / "cats").iterdir())
    for name, source in (("cat.jpg", cats[0]), ("kitten.jpg", cats[1]), ("dog.jpg", cats[2])):
        shutil.copy(source, place / name)
    pack(place, photos)
    vectors(place)
    if find_spec("pyarrow"):
        tables(place, photos)
    if find_spec("timm"):
        weights(place)
    if find_spec("onnx"):
        network(place)
    (place / "bin").mkdir()
    (place / "bin" / "lookalike").write_text(f'#!/bin/sh\nexec {sys.executable} -m lookalike "$@"\n')
    (place / "bin" / "lookalike").chmod(0o755)
    with serving() as (server, address):
        server.pages = {"/cat.jpg": plain(cats[0].read_bytes())}
        yield place, address


def pack(place: Path, photos: Path) -> None:
    for number, kind in enumerate(("cats", "fruit")):
        with tarfile.open(place / f"shard-{number:03}.tar", "w") as shard:
            shard.add(photos / kind, kind)
    with tarfile.open(place / "photos.tar.gz", "w:gz") as packed:
        packed.add(photos, ".")
    with zipfile.ZipFile(place / "photos.zip", "w") as archive:
        for path in photos.rglob("*.*"):
            archive.write(path, path.relative_to(photos))


def vectors(place: Path) -> None:
    import h5py

    write_vectors(place / "features.h5", [(WORDS, ROWS)])
    for part in range(2):
        write_vectors(place / f"part_{part}.h5", [(WORDS[part::2], ROWS[part::2])])
    with h5py.File(place / "square.h5", "w") as file:
        file["feats"], file["filenames"] = ROWS[:DIM].T, WORDS[:DIM]
    with h5py.File(place / "rows.h5", "w") as file:
        file["vectors"], file["names"], file["other"] = ROWS, WORDS, ROWS
    with h5py.File(place / "glove-tiny.hdf5", "w") as file:
        file["train"], file["test"] = ROWS, ROWS[:3]
        file.attrs["distance"] = "angular"
    np.save(place / "vectors.npy", ROWS)
    np.save(place / "one.npy", ROWS[3])
    np.savez(place / "vectors.npz", embeddings=ROWS, other=ROWS)
    write_vectors(place / "words.txt", [(WORDS, ROWS)])
    write_vectors(place / "words.bin", [(WORDS, ROWS)])
    lines = [" ".join([word, *map(str, row)]) for word, row in zip(WORDS, ROWS.tolist(), strict=True)]
    (place / "glove.txt").write_text("\n".join(lines) + "\n")
    each = np.full((COUNT, 1), DIM, np.int32)
    (place / "base.fvecs").write_bytes(np.hstack([each, ROWS.view(np.int32)]).tobytes())
    codes = (ROWS * 20 + 100).astype(np.uint8)
    (place / "base.bvecs").write_bytes(np.hstack([each.view(np.uint8), codes]).tobytes())
    (place / "base.fbin").write_bytes(np.array([COUNT, DIM], np.uint32).tobytes() + ROWS.tobytes())


def tables(place: Path, photos: Path) -> None:
    import pyarrow
    from pyarrow import feather, parquet

    pictures = [{"bytes": path.read_bytes(), "path": path.name} for path in sorted(photos.rglob("*.png"))]
    parquet.write_table(pyarrow.table({"image": pictures}), place / "images.parquet")
    lists = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(ROWS.reshape(-1)), DIM)
    table = pyarrow.table({"path": WORDS, "vector": lists})
    parquet.write_table(table, place / "vectors.parquet")
    feather.write_feather(table, place / "vectors.arrow")


def weights(place: Path) -> None:
    """Of seeded networks."""
    import timm
    import torch
    import torchvision
    from safetensors.torch import save_file

    torch.manual_seed(0)
    features = torchvision.models.vgg16(weights=None).features.state_dict()
    save_file({f"features.{name}": tensor for name, tensor in features.items()}, place / "vgg16.safetensors")
    save_file(timm.create_model("test_resnet", pretrained=False).state_dict(), place / "resnet.safetensors")


def network(place: Path) -> None:
    """One that takes the mean of each colour in 16 parts of a picture."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["means"], ["vectors"]),
    ]
    shapes: list[tuple[str, list[str | int]]] = [("pixels", ["n", 3, 32, 32]), ("vectors", ["n", 48])]
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    graph = helper.make_graph(nodes, "means", [given], [made])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), place / "model.onnx")


@pytest.mark.thorough
@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, home: tuple[Path, str], require_or_skip: Require) -> None:
    place, address = home
    for words, package in (("parquet|arrow|export folder", "pyarrow"), ("vgg|timm", "timm"), ("onnx", "onnx")):
        require_or_skip(not re.search(words, command) or find_spec(package), f"needs {package}")
    environment: dict[str, Any] = os.environ | {
        "PATH": f"{place}/bin{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(lookalike.__path__[0]).parent),
    }
    told = command.replace("https://example.com", address)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {told}"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if "search" in command:
        assert done.stdout, "something is found"
    if match := re.search(r"--to (\w+)$", command):
        with Collection.open(place / match[1]) as collection:
            assert len(collection) > 0


def test_the_guide_is_read() -> None:
    assert len(COMMANDS) >= 40
