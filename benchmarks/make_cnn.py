"""Make the CNN data set: 51,000 crops of pictures × 1280, cosine.

    python benchmarks/make_cnn.py cnn.hdf5

Random squares of Debian's wallpapers, through the network that lookalike ships, the head's activation averaged over
the plane (lookalike itself takes the root mean square) and not whitened. Queries are crops of motifs that are not in
the base. What is embedded is kept in the folder of --work, so an interrupted run goes on.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

from lookalike.models.onnx import efficientnet_lite0
from making import arguments, progress, write
from pictures import Motifs, read, split

BASE, TEST, TUNE = 51_000, 2_000, 2_000
LONGEST = 2560
SMALLEST = 96
"""Pixels of the smallest crop's side; the largest is the picture's shorter side."""
SIDE, DIM = 224, 1280
BATCH = 8
THREADS = 2
TURNS = 10


def average_pooled() -> onnxruntime.InferenceSession:
    """The shipped network, its root mean square replaced by the mean of what it squares."""
    model = onnx.load(efficientnet_lite0().path)
    activation = next(node for node in model.graph.node if node.op_type == "Mul").input[0]
    (output,) = model.graph.output
    kept = [node for node in model.graph.node if output.name not in node.output]
    pooled = [
        helper.make_node("GlobalAveragePool", [activation], ["plane"]),
        helper.make_node("Flatten", ["plane"], [output.name]),
    ]
    graph = helper.make_graph(
        kept + pooled,
        "average pooled",
        list(model.graph.input),
        [helper.make_tensor_value_info(output.name, TensorProto.FLOAT, ["n", DIM])],
        list(model.graph.initializer),
    )
    changed = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others may need the cores
    return onnxruntime.InferenceSession(changed.SerializeToString(), options, providers=["CPUExecutionProvider"])


def crops(path: Path, count: int, random: np.random.Generator) -> Iterator[npt.NDArray[np.uint8]]:
    """Random squares of one picture, small ones as often as large ones, half of them mirrored."""
    picture = read(path, LONGEST)
    width, height = picture.size
    for _ in range(count):
        side = round(np.exp(random.uniform(np.log(SMALLEST), np.log(min(width, height)))))
        left, top = random.integers(width - side + 1), random.integers(height - side + 1)
        box = (left, top, left + side, top + side)
        square = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box))
        yield square[:, ::-1] if random.random() < 0.5 else square


def embed(
    session: onnxruntime.InferenceSession, motifs: Motifs, count: int, work: Path, seed: int
) -> npt.NDArray[np.float32]:
    """`count` different vectors in random order, of as many crops of each motif.

    Crops of one colour have one vector: what is missing for that reason is made up by more crops of every motif.
    """
    distinct = np.empty((0, DIM), np.float32)
    for turn in range(TURNS):
        each, report, found = -(-(count - len(distinct)) // len(motifs)), progress(len(motifs)), [distinct]
        for done, (name, paths) in enumerate(motifs.items(), 1):
            kept = work / f"{seed}-{turn}-{each}-{zlib.crc32(name.encode()):08x}.npy"
            if not kept.exists():
                part = kept.with_suffix(".part.npy")
                np.save(part, of_motif(session, name, paths, each, seed + turn))
                part.rename(kept)
            found.append(np.load(kept))
            report(done)
        distinct = np.unique(np.concatenate(found), axis=0)
        if len(distinct) >= count:
            return np.random.default_rng(seed).permutation(distinct)[:count]
    raise SystemExit(f"expected {count:,} different vectors; {TURNS} turns of crops gave {len(distinct):,}")


def of_motif(
    session: onnxruntime.InferenceSession, name: str, paths: list[Path], count: int, seed: int
) -> npt.NDArray[np.float32]:
    """The vectors of `count` crops, as many of each of the motif's pictures."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    shares = np.diff(np.linspace(0, count, len(paths) + 1).astype(int))
    squares = [s for path, share in zip(paths, shares, strict=True) for s in crops(path, share, random)]
    batches = [np.stack(squares[start : start + BATCH]) for start in range(0, count, BATCH)]
    return np.concatenate([session.run(None, {"pictures": batch})[0] for batch in batches])


def main() -> None:
    given = arguments(__doc__)
    kept = given.work / "cnn"
    kept.mkdir(exist_ok=True)
    session = average_pooled()
    parts = split(given.work, given.seed)
    base, test, tune = (embed(session, p, n, kept, given.seed) for p, n in zip(parts, (BASE, TEST, TUNE), strict=True))
    write(given.output, "cosine", base, test, tune)


if __name__ == "__main__":
    main()
