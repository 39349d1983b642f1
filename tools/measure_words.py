"""Measure which words find the pictures that they name; docs/words.md has the results.

    apt-get install wordnet-base tuxpaint-stamps-default openclipart-png
    python tools/measure_words.py SETS --keep vectors.npz          # prints the tables
    python tools/measure_words.py SETS --keep vectors.npz --write  # and what tools/make_words.py reads of them

SETS is a folder as for tools/compare_models.py, with coco128_yolo beside; tools/word_labels.py says what they show.
Two collections are searched by each word: of photographs and of drawings. Two thirds of the pictures, by the hash of
their path, decide what counts as a guess; the last third only tells how well that was decided.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export_model import load_original
from labelled_sets import MAX_PIXELS, open_rgb, pixels
from lookalike.collection.classes import KEPT, SURE
from lookalike.images.decode import fit_image
from lookalike.models import embed_squares, get_model
from lookalike.models.words import words_of
from lookalike.models.words.meaning import LEAST_RIGHT
from lookalike.models.words.nouns import nouns, plain
from make_words import MEASURED, WordNet, is_thing
from word_labels import DRAWINGS, PICTURES, SETS, Labels, Set

Floats = npt.NDArray[np.float32]

SHOWN = 10
FEWEST = 5
"""Pictures of a word; with fewer it is not measured."""
MOST = 0.5
"""Of all pictures: what is in more of them is found by chance."""
EVERY = {"grocery": 3, "clothing": 3, "pets": 3}
"""Of large sets one picture in so many, else a few words would decide."""
SCALES = (0.35, 0.45, 0.58, 1.0)


@dataclass(frozen=True)
class Pictures:
    """One collection: the vectors, the averages that the classifier was trained on, and what each picture shows."""

    paths: list[str]
    vectors: Floats
    averages: Floats
    shown: list[frozenset[str]]

    def words(self, wordnet: WordNet) -> dict[str, npt.NDArray[np.bool_]]:
        """Of each synset that can be measured which pictures show it."""
        counts = Counter(synset for shown in self.shown for synset in shown)
        return {
            id: np.array([id in shown for shown in self.shown])
            for id in nouns().synsets
            if FEWEST <= counts[id] <= MOST * len(self.shown) and is_thing(wordnet.synsets[id])
        }


def paths_of(root: Path, each: Set) -> list[Path]:
    found = (path for path in (root / each.folder).rglob("*") if path.suffix.lower() in PICTURES)
    usable = sorted(path for path in found if path.is_file() and not path.is_symlink() and pixels(path) <= MAX_PIXELS)
    unique = {hashlib.sha256(path.read_bytes()).digest(): path for path in reversed(usable)}
    kept = sorted(unique.values())[:: EVERY.get(each.name, 1)]
    return [path for path in kept if path.relative_to(root / each.folder).parts[0] not in each.without]


def embed(paths: list[Path]) -> tuple[Floats, Floats]:
    """The vectors that the shipped model gives, and the averages of the same activations in the original."""
    import torch

    model, original = get_model(), load_original(0)
    vectors, averages = [], []
    with torch.no_grad():
        for path in paths:
            picture = fit_image(open_rgb(path), model.input)
            vectors.append(embed_squares(model, [picture])[0])
            squares = torch.from_numpy(picture.reshape(-1, picture.shape[1], *picture.shape[1:]))
            activation = original.extract_features((squares.permute(0, 3, 1, 2).float() - 127) / 128)
            averages.append(activation.mean((0, 2, 3)).numpy())
    return np.stack(vectors), np.stack(averages)


def read(root: Path, keep: Path) -> tuple[list[tuple[Set, Path]], Floats, Floats]:
    """All pictures with their vectors; what was computed before is in the file `keep`."""
    pictures = [(each, path) for each in SETS for path in paths_of(root, each)]
    names = [str(path.relative_to(root)) for _, path in pictures]
    if keep.exists():
        kept = np.load(keep)
        if kept["names"].tolist() == names:
            return pictures, kept["vectors"], kept["averages"]
    vectors, averages = embed([path for _, path in pictures])
    np.savez(keep, names=np.array(names), vectors=vectors, averages=averages)
    return pictures, vectors, averages


def parted(root: Path, keep: Path, labels: Labels) -> dict[tuple[str, bool], Pictures]:
    """By the name of a collection and whether it is the part that was kept aside."""
    pictures, vectors, averages = read(root, keep)
    rows: dict[tuple[str, bool], list[int]] = {}
    for row, (each, path) in enumerate(pictures):
        name = path.relative_to(root / each.folder).as_posix()
        aside = hashlib.sha256(f"{each.name}/{name}".encode()).digest()[0] % 3 == 0
        rows.setdefault(("drawings" if each.name in DRAWINGS else "photographs", aside), []).append(row)

    def shown(row: int) -> frozenset[str]:
        each, path = pictures[row]
        return labels.of(each.name, path.relative_to(root / each.folder).parts)

    return {
        part: Pictures([str(pictures[row][1]) for row in of], vectors[of], averages[of], [shown(row) for row in of])
        for part, of in rows.items()
    }


def shares(pictures: Pictures, scale: float | None = None) -> Floats:
    """(n, classes): as shipped is None; 0 is the original with its averages; else with another scale."""
    if scale is None:
        words = words_of("efficientnet-lite0")
        assert words is not None
        found = words.probabilities(pictures.vectors)
        found[found < np.partition(found, -KEPT, axis=1)[:, [-KEPT]]] = 0  # as a collection keeps them
        return found
    layer = load_original(0)._fc
    given = pictures.averages if scale == 0 else np.float32(scale) * pictures.vectors
    scores = given @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), np.float32)


def probability(shares: Floats, id: str) -> Floats:
    return np.asarray(shares[:, sorted(nouns().classes[id])].sum(axis=1), np.float32)


def right(found: Floats, shows: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Of the likeliest ten, or as many as there are, so many show the word."""
    first = np.argsort(-found, kind="stable")[: min(SHOWN, int(shows.sum()))]
    return int(shows[first].sum()), len(first)


def measure(pictures: Pictures, wordnet: WordNet, scale: float | None = None) -> dict[str, tuple[int, int]]:
    found = shares(pictures, scale)
    return {id: right(probability(found, id), shows) for id, shows in pictures.words(wordnet).items()}


def precision(measured: dict[str, tuple[int, int]]) -> float:
    return float(np.mean([right / shown for right, shown in measured.values()]))


def works(measured: tuple[int, int]) -> bool:
    return measured[0] >= LEAST_RIGHT * measured[1]


def reliability(pictures: Pictures, wordnet: WordNet) -> Iterator[tuple[str, int, int]]:
    """Of the likeliest ten of each word, by their probability: how many there are, and how many are right."""
    found, edges = shares(pictures), (0, 0.1, 0.2, 0.3, SURE, 0.7, 0.9, 1.01)
    every: list[tuple[float, bool]] = []
    for id, shows in pictures.words(wordnet).items():
        sums = probability(found, id)
        every += [(float(sums[row]), bool(shows[row])) for row in np.argsort(-sums)[:SHOWN]]
    for low, high in itertools.pairwise(edges):
        within = [shows for share, shows in every if low <= share < high]
        yield f"{low:g} to {min(high, 1):g}", len(within), sum(within)


def tables(parts: dict[tuple[str, bool], Pictures], wordnet: WordNet) -> dict[str, dict[str, Any]]:
    print("| pictures | words | averages |", " | ".join(f"RMS x {scale}" for scale in SCALES), "|")
    result: dict[str, dict[str, Any]] = {}
    for (name, aside), pictures in sorted(parts.items()):
        rows = [f"{precision(measure(pictures, wordnet, scale)):.3f}" for scale in (0, *SCALES)]
        part = f"{name}{', aside' if aside else ''}"
        print(f"| {len(pictures.paths):,} {part} | {len(pictures.words(wordnet))} |", " | ".join(rows), "|")
    for name in ("photographs", "drawings"):
        for id, counts in measure(parts[name, False], wordnet).items():
            result.setdefault(id, {})[name] = counts
    for name in ("photographs", "drawings"):
        others = measure(parts[name, True], wordnet)
        for verdict in (True, False):
            judged = [id for id in others if id in result and any(map(works, result[id].values())) == verdict]
            again = sum(works(others[id]) for id in judged)
            said = "words that work" if verdict else "guesses"
            mean = precision({id: others[id] for id in judged})
            print(f"of the {name} aside, {len(judged)} {said}: {mean:.3f} right, {again} of them at least half")
    for (name, aside), pictures in sorted(parts.items()):
        for low_to_high, count, correct in reliability(pictures, wordnet):
            print(f"| {name}{', aside' if aside else ''} | {low_to_high} | {correct / count:.2f} of {count:,} |")
    return result


def listed(measured: dict[str, dict[str, tuple[int, int]]]) -> Iterator[str]:
    """Of each synset that is what its word is taken for: the word, what was right of photographs, and of drawings."""
    for id, counts in measured.items():
        word = nouns().synsets[id].name
        if nouns().by_lemma[plain(word)][0][1].id == id:
            rows = ["/".join(map(str, counts[name])) if name in counts else "–" for name in ("photographs", "drawings")]
            yield f"{word} {rows[0]} {rows[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, help="the folder of the sets")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="the folder of data.noun")
    parser.add_argument("--keep", type=Path, required=True, help="an .npz for the vectors, made where it is not there")
    parser.add_argument("--write", action="store_true", help=f"write {MEASURED.name}, too")
    arguments = parser.parse_args()
    wordnet = WordNet(arguments.wordnet)
    parts = parted(arguments.sets, arguments.keep, Labels(wordnet, arguments.sets))
    measured = tables(parts, wordnet)
    for said, verdict in (("Words that work", True), ("Guesses", False)):
        chosen = {id: counts for id, counts in measured.items() if any(map(works, counts.values())) == verdict}
        print(f"\n{said}:", ", ".join(sorted(listed(chosen))))
    if arguments.write:
        lines = (f"{json.dumps(id)}: {json.dumps(counts)}" for id, counts in sorted(measured.items()))
        MEASURED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
