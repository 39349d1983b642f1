"""What the pictures of labelled sets show, as WordNet's synsets; docs/words.md says where the sets come from.

Photographs have folders or lists that say it. Drawings have names and folders in which it is said in passing: each
noun in them counts, in a meaning that fits the folder (an orange among the fruits is none of colour), or in its two
most frequent ones.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from make_words import THINGS, WordNet

PICTURES = {".png", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class Set:
    """A folder of pictures, and what parts of it are to be left out."""

    name: str
    folder: str
    without: tuple[str, ...] = ()


SETS = (
    Set("stamps", "tuxpaint-stamps-default/usr/share/tuxpaint/stamps", ("symbols",)),
    Set(
        "clipart",
        "openclipart-png/usr/share/openclipart/png",
        ("shapes", "special", "computer", "buttons", "logos", "decorations", "signs_and_symbols", "geography"),
    ),
    Set("grocery", "GroceryStoreDataset/dataset", ("iconic-images-and-descriptions",)),
    Set("clothing", "clothing-dataset-small"),
    Set("coco", "coco128_yolo/images"),
    Set("pets", "Dog-Cat-Classifier/Data/Train_Data"),
)
DRAWINGS = ("stamps", "clipart")

_FOLDERS = {
    "animals": {"animal"},
    "food": {"food", "plant"},
    "plants": {"plant", "food"},
    "clothes": {"artifact"},
    "household": {"artifact"},
    "vehicles": {"artifact"},
    "transportation": {"artifact"},
    "buildings": {"artifact"},
    "tools": {"artifact"},
    "electronics": {"artifact"},
    "containers": {"artifact"},
    "office": {"artifact"},
    "hobbies": {"artifact"},
    "military": {"artifact"},
}
"""WordNet's files of nouns, by the first folder of drawings."""

_NAMED = {
    "Fruit": "fruit",
    "Vegetables": "vegetable",
    "Red-Grapefruit": "grapefruit",
    "Satsumas": "satsuma",
    "Melon": "melon",
    "Passion-Fruit": "passion fruit",
    "Pepper": "bell pepper",
    "Aubergine": "eggplant",
    "Carrots": "carrot",
    "Red-Beet": "beet",
    "Brown-Cap-Mushroom": "mushroom",
    "Red-Delicious": "Delicious",
    "Golden-Delicious": "Delicious",
    "pants": "trouser",
    "t-shirt": "jersey",
    "longsleeve": "shirt",
    "outwear": "coat",
    "shoes": "shoe",
    "shorts": "short pants",
    "fire hydrant": "fireplug",
    "stop sign": "street sign",
    "sports ball": "ball",
    "kite": "kite",
    "tennis racket": "racket",
    "wine glass": "goblet",
    "donut": "doughnut",
    "potted plant": "pot plant",
    "dining table": "dining table",
    "tv": "television",
    "remote": "remote control",
    "cell phone": "cellular telephone",
    "hair drier": "hand blower",
    "skis": "ski",
    "teddy bear": "teddy",
    "hot dog": "hot dog",
    "orange": "orange",
    "mouse": "mouse",
}
"""Folders of photographs whose names are none of WordNet's; others are, with hyphens."""
_FILES = {
    "grocery": ("food", "plant"),
    "clothing": ("artifact",),
    "coco": ("animal", "food", "artifact", "Tops"),
    "pets": ("animal",),
}
"""Of WordNet's files of nouns those that a set is about, the first ones first."""


class Labels:
    """Of each picture the synsets that are in it, as far as it is said, with all that is above them."""

    def __init__(self, wordnet: WordNet, root: Path) -> None:
        """Of the sets in the folder `root`."""
        self._wordnet, self._root = wordnet, root

    def of(self, name: str, parts: Sequence[str]) -> frozenset[str]:
        """Of the picture of the set `name` with these parts of its path within the set's folder."""
        if name in DRAWINGS:
            named = self._drawing(parts)
        elif name == "coco":
            named = {sense for thing in self._boxes(parts) for sense in self._meant(thing, _FILES["coco"])}
        else:
            named = {sense for folder in parts[:-1] for sense in self._meant(folder, _FILES[name])}
        return frozenset().union(*(self._wordnet.above(synset) for synset in named))

    def _meant(self, thing: str, files: Sequence[str]) -> list[str]:
        """The most frequent meaning in the first of some of WordNet's files that has one."""
        lemma = _NAMED.get(thing, thing.replace("-", " ")).lower().replace(" ", "_")
        senses = self._wordnet.senses.get(lemma, ())
        found = [sense for file in files for sense in senses if self._wordnet.synsets[sense].file == file]
        return found[:1]

    def _boxes(self, parts: Sequence[str]) -> set[str]:
        folder = self._root / "coco128_yolo" / "object_detection"
        names = dict(re.findall(r"^  (\d+): (.+)$", (folder / "config.yaml").read_text(), re.MULTILINE))
        boxes = (folder / "labels").joinpath(*parts).with_suffix(".txt")
        return {names[line.split()[0]] for line in boxes.read_text().splitlines()} if boxes.exists() else set()

    def _drawing(self, parts: Sequence[str]) -> set[str]:
        found = set()
        for part in (*parts[:-1], Path(parts[-1]).stem):
            tokens = [self._singular(each) for each in re.findall(r"[a-z]+", part.lower())]
            for lemma in (*tokens, *map("_".join, itertools.pairwise(tokens))):
                senses = self._wordnet.senses.get(lemma, ())
                files = _FOLDERS.get(parts[0])
                for rank, sense in enumerate(senses):
                    file = self._wordnet.synsets[sense].file
                    if file in files if files else rank < 2 and file in THINGS:
                        found.add(sense)
        return found

    def _singular(self, token: str) -> str:
        if token in self._wordnet.irregular:
            return self._wordnet.irregular[token]
        for many, one in (("ies", "y"), ("es", ""), ("s", "")):
            if token.endswith(many) and token not in self._wordnet.senses:
                shorter = token.removesuffix(many) + one
                if shorter in self._wordnet.senses:
                    return shorter
        return token
