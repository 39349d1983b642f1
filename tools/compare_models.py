"""Measure which network, pooling and normalisation finds the best look-alikes; docs/model.md has the results.

    python tools/compare_models.py SETS            # docs/model.md says how to lay out the folder SETS
    python tools/compare_models.py --speed         # milliseconds a picture of the shipped model

Needs what tools/export_model.py needs, and pillow and onnxruntime.

precision@k: the share of a picture's k nearest (by cosine, itself left out) that carry its label, averaged
over the pictures of a set. recall of the altered: how often a cropped, recompressed, turned, ... copy
finds its original first among the pictures of all sets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from export_model import Graph, head, load_original, residual, root_mean_square, stem
from labelled_sets import ALTERATIONS, Picture, decode, read_sources, with_altered
from lookalike.models.onnx import efficientnet_lite0, start_session

Floats = npt.NDArray[np.float32]
BATCH = 16


def pooled_network(variant: int, side: int) -> bytes:
    """EfficientNet-Lite{variant} at `side` pixels, with every pooling that is compared as an output."""
    original = load_original(variant)
    graph = Graph(np.float32)
    outputs: list[tuple[str, int]] = []
    x = stem(graph, original)
    for block in original._blocks:
        x = residual(graph, x, block)
        outputs.append((x, block._project_conv.out_channels))
    activation, head_dim = head(graph, x, original), original._conv_head.out_channels
    (middle, middle_dim), (earlier, earlier_dim), (last, last_dim) = outputs[-6], outputs[-2], outputs[-1]
    average = graph.pool("Average", activation)
    mean_cube = graph.pool("Average", graph.node("Pow", activation, graph.constant(np.float32(3))))
    logits = graph.node(
        "Gemm",
        average,
        graph.constant(original._fc.weight.detach().numpy()),
        graph.constant(original._fc.bias.detach().numpy()),
        transB=1,
    )
    pooled = {
        "average": (average, head_dim),
        "maximum": (graph.pool("Max", activation), head_dim),
        "rms": (root_mean_square(graph, activation), head_dim),
        "gem": (graph.node("Pow", mean_cube, graph.constant(np.float32(1 / 3))), head_dim),
        "last": (graph.pool("Average", last), last_dim),
        "last_maximum": (graph.pool("Max", last), last_dim),
        "earlier": (graph.pool("Average", earlier), earlier_dim),
        "middle": (graph.pool("Average", middle), middle_dim),
        "logits": (logits, original._fc.out_features),
    }
    return graph.model(f"efficientnet-lite{variant}", side, pooled)


def extract(pictures: Sequence[Picture], variant: int, side: int, how: str) -> dict[str, Floats]:
    """Every pooled output of the network for every picture."""
    session = onnxruntime.InferenceSession(pooled_network(variant, side), providers=["CPUExecutionProvider"])
    rows: list[list[Floats]] = []
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(pictures), BATCH):
            batch = list(pool.map(lambda p: decode(p, side, how), pictures[start : start + BATCH]))
            rows.append(session.run(None, {"pictures": np.stack(batch)}))
    names = [output.name for output in session.get_outputs()]
    return {name: np.concatenate(parts) for name, parts in zip(names, zip(*rows, strict=True), strict=True)}


def unit(x: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, np.maximum(lengths, 1e-12), dtype=np.float32)


def join(*parts: Floats) -> Floats:
    return np.concatenate([unit(part) for part in parts], axis=1)


def root(x: Floats) -> Floats:
    return np.sign(x) * np.sqrt(np.abs(x))


def learnt(x: Floats, neutral: npt.NDArray[np.bool_]) -> Iterator[tuple[str, Floats]]:
    """What can be learnt from the neutral pictures: their mean, and their principal components."""
    x = unit(x)
    x = x - x[neutral].mean(axis=0)
    yield "centred", x
    variances, axes = np.linalg.eigh(x[neutral].T @ x[neutral] / neutral.sum())
    deviations, axes = np.sqrt(np.maximum(variances[::-1], 1e-12)), axes[:, ::-1]
    for dim in [d for d in (128, 256, 512) if d < x.shape[1]]:
        y = x @ axes[:, :dim]
        yield f"PCA {dim}", y
        yield f"PCA {dim}, half whitened", y / np.sqrt(deviations[:dim])
        yield f"PCA {dim}, whitened", y / deviations[:dim]


POOLINGS: dict[str, Callable[[Mapping[str, Floats]], Floats]] = {
    "head average": lambda f: f["average"],
    "head maximum": lambda f: f["maximum"],
    "head root mean square": lambda f: f["rms"],
    "head GeM, p = 3": lambda f: f["gem"],
    "head average + maximum": lambda f: join(f["average"], f["maximum"]),
    "head average, square root": lambda f: root(f["average"]),
    "head root mean square, square root": lambda f: root(f["rms"]),
    "last block average": lambda f: f["last"],
    "last block maximum": lambda f: f["last_maximum"],
    "last block average + maximum": lambda f: join(f["last"], f["last_maximum"]),
    "2nd last block average": lambda f: f["earlier"],
    "6th last block average": lambda f: f["middle"],
    "head root mean square + last block average": lambda f: join(f["rms"], f["last"]),
    "last + 2nd last block average": lambda f: join(f["last"], f["earlier"]),
    "class scores": lambda f: f["logits"],
}

LEARN_ON = {"head average", "head root mean square", "last block average"}
"""The poolings behind which a mean and principal components are tried too."""


@dataclass
class Scores:
    precision: dict[str, tuple[float, float]]  # set -> (precision@1, precision@5)
    recall: dict[str, float]  # alteration -> recall@1

    @property
    def mean(self) -> float:
        """The figure that decides: precision@1, precision@5 (each averaged over sets) and recall, averaged."""
        at1, at5 = np.mean(list(self.precision.values()), axis=0)
        return float(np.mean([at1, at5, np.mean(list(self.recall.values()))]))


def score(pictures: Sequence[Picture], features: Floats) -> Scores:
    x = unit(features)
    precision = {}
    for name in dict.fromkeys(p.set for p in pictures if p.set and not p.alteration):
        rows = [i for i, p in enumerate(pictures) if p.set == name and not p.alteration]
        labels = np.array([pictures[i].label for i in rows])
        similarity = x[rows] @ x[rows].T
        np.fill_diagonal(similarity, -2)
        hits = labels[np.argsort(-similarity, axis=1)[:, :5]] == labels[:, None]
        precision[name] = (float(hits[:, 0].mean()), float(hits.mean()))
    originals = [i for i, p in enumerate(pictures) if not p.alteration]
    recall = {}
    for name in ALTERATIONS:
        rows = [i for i, p in enumerate(pictures) if p.alteration == name]
        nearest = np.argmax(x[rows] @ x[originals].T, axis=1)
        found = [pictures[originals[n]].path == pictures[i].path for i, n in zip(rows, nearest, strict=True)]
        recall[name] = float(np.mean(found))
    return Scores(precision, recall)


EXPERIMENTS: list[tuple[int, int, str]] = [
    (0, 224, "crop"),
    (0, 224, "seamless"),
    (0, 224, "squeeze"),
    (0, 224, "pad"),
    (1, 240, "squeeze"),
    (2, 260, "squeeze"),
]


def compare(pictures: list[Picture]) -> Iterator[tuple[str, int, Scores]]:
    """(what was tried, its dimensions, its scores): all poolings on the first experiment, the simple ones on all."""
    pool = np.array([not p.set for p in pictures])
    for variant, side, how in EXPERIMENTS:
        features = extract(pictures, variant, side, how)
        for pooling, pick in POOLINGS.items():
            x = pick(features)
            name = f"Lite{variant}, {side} px, {how}: {pooling}"
            yield name, x.shape[1], score(pictures, x)
            for step, y in learnt(x, pool) if pooling in LEARN_ON else ():
                yield f"{name}, {step}", y.shape[1], score(pictures, y)


def print_speed() -> None:
    """Milliseconds a picture of the shipped model: the best of 7 runs, by threads and batch."""
    model = efficientnet_lite0()
    side = model.input.side
    pictures = np.random.default_rng(0).integers(0, 256, (64, side, side, 3), dtype=np.uint8)
    sizes = [1, 2, 4, 8, 16, 32, 64]
    print("| threads | " + " | ".join(f"batch {n}" for n in sizes) + " |", "|---" * (len(sizes) + 1) + "|", sep="\n")
    for threads in (1, 2):
        session = start_session(model.path.read_bytes(), threads)
        cells = []
        for n in sizes:
            seconds = []
            for _ in range(7):
                begun = time.perf_counter()
                for start in range(0, 64, n):
                    session.run(None, {"pictures": pictures[start : start + n]})
                seconds.append(time.perf_counter() - begun)
            cells.append(f"{1000 * min(seconds) / 64:.1f}")
        print(f"| {threads} | " + " | ".join(cells) + " |", flush=True)


def print_table(rows: Iterator[tuple[str, int, Scores]]) -> None:
    header = ""
    for name, dim, scores in rows:
        columns = [*scores.precision, *scores.recall]
        if not header:
            header = "| tried | dims | " + " | ".join(columns) + " | mean |"
            print(header, "|---" * (len(columns) + 3) + "|", sep="\n")
        cells = [f"{a:.3f} {b:.3f}" for a, b in scores.precision.values()]
        cells += [f"{r:.3f}" for r in scores.recall.values()]
        print(f"| {name} | {dim} | " + " | ".join(cells) + f" | {scores.mean:.4f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="?", help="the folder of the unpacked sets")
    parser.add_argument("--speed", action="store_true", help="time the shipped model instead")
    arguments = parser.parse_args()
    if arguments.speed:
        print_speed()
        return
    if arguments.sets is None:
        parser.error("name the folder of the unpacked sets, or ask for --speed")
    pictures = read_sources(arguments.sets)
    for name in dict.fromkeys(p.set for p in pictures):
        members = [p for p in pictures if p.set == name]
        print(f"{name or 'neutral'}: {len(members)} pictures, {len({p.label for p in members})} labels")
    print_table(compare(with_altered(pictures)))


if __name__ == "__main__":
    main()
