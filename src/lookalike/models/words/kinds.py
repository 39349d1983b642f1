"""The kinds by which a collection is counted: what people call things, neither breeds nor "artifacts"."""

from __future__ import annotations

from functools import cache

from lookalike.models.words.nouns import nouns, plain

KINDS = {
    "dogs": "dog",
    "cats": "cat",
    "wolves and foxes": "canine",
    "bears": "bear",
    "big cats": "feline",
    "horses and zebras": "equine",
    "elephants": "proboscidean",
    "monkeys and apes": "primate",
    "rabbits and hares": "leporid",
    "mice, squirrels and such": "rodent",
    "cattle, sheep, pigs and such": "ungulate",
    "whales, seals and such": "aquatic mammal",
    "other mammals": "mammal",
    "birds": "bird",
    "fish": "fish",
    "snakes": "snake",
    "turtles": "turtle",
    "dinosaurs": "dinosaur",
    "lizards and crocodiles": "diapsid",
    "frogs and salamanders": "amphibian/3",
    "butterflies": "lepidopterous insect",
    "insects": "insect",
    "spiders": "arachnid",
    "crabs and such": "crustacean",
    "other animals": "animal",
    "fruit": "fruit",
    "vegetables": "vegetable",
    "mushrooms": "fungus",
    "flowers": "flower",
    "drinks": "beverage",
    "food": "food",
    "cars": "car",
    "trucks": "truck",
    "buses": "bus",
    "bicycles and motorcycles": "bicycle|moped|motor scooter|tricycle",
    "trains": "train|locomotive|railcar|passenger car|freight car",
    "aircraft": "aircraft",
    "ships and boats": "vessel/2",
    "other vehicles": "vehicle",
    "buildings": "building",
    "bridges, towers and such": "structure",
    "furniture": "furniture|lamp|screen/3",
    "clocks and watches": "timepiece",
    "pages of the web": "web site",
    "computers and telephones": "electronic equipment|computer|keyboard|television|camera",
    "musical instruments": "musical instrument",
    "balls and games": "game equipment",
    "weapons": "weapon",
    "tools": "tool",
    "toys": "plaything",
    "bottles": "bottle",
    "cups, pots and dishes": "vessel/3|cooking utensil|pan|glass|cup|crockery",
    "bags": "bag",
    "boxes and other containers": "container",
    "machines and devices": "device",
    "shoes": "footwear/2",
    "hats": "headdress",
    "clothes": "clothing",
    "mountains, shores and such": "geological formation",
    "people": "person",
    "other things": "entity",
}
"""By how they are called in a list, the lemmas of synsets.

A class counts for the kind above it that has the fewest classes.
"""


@cache
def kinds() -> dict[str, frozenset[int]]:
    """Of each kind its classes; each class is of one kind."""
    every = nouns().classes
    wide = {name: set().union(*(every[_synset(each)] for each in lemmas.split("|"))) for name, lemmas in KINDS.items()}
    found: dict[str, set[int]] = {name: set() for name in KINDS}
    for number in range(len(nouns().names)):
        found[min((name for name in KINDS if number in wide[name]), key=lambda name: len(wide[name]))].add(number)
    return {name: frozenset(classes) for name, classes in found.items()}


def _synset(lemma: str) -> str:
    """The id of the most frequent known meaning of a word, or of its meaning of a rank."""
    word, _, rank = lemma.partition("/")
    return next(synset.id for ranked, synset in nouns().by_lemma[plain(word)] if ranked == int(rank or ranked))
