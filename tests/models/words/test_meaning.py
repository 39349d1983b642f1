"""What words are taken for."""

from __future__ import annotations

import pytest

from lookalike.errors import ArgumentError
from lookalike.models.words import Meaning, Words, kinds, words_of
from lookalike.models.words.nouns import nouns


@pytest.fixture(scope="module")
def words() -> Words:
    found = words_of("efficientnet-lite0")
    assert found is not None
    return found


def names(meaning: Meaning) -> list[str]:
    return [nouns().names[number] for number in meaning.classes]


def test_there_are_a_thousand_classes_in_the_networks_order() -> None:
    assert len(nouns().names) == 1000
    assert [nouns().names[number] for number in (0, 292, 817, 954, 999)] == [
        "tench",
        "tiger",
        "sports car",
        "banana",
        "toilet tissue",
    ]


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("banana", "banana", 1),
        ("sports car", "sports car", 1),
        ("sport car", "sports car", 1),  # a synonym
        ("aeroplane", "airplane", 1),
        ("mountain lion", "cougar", 1),
        ("dog", "dog", 118),  # what is above many classes
        ("fruit", "fruit", 16),
        ("Canis familiaris", "dog", 118),
        ("beach", "seashore", 1),  # said otherwise than WordNet does
        ("kitten", "domestic cat", 5),
    ],
)
def test_classes_synonyms_and_what_is_above_them(words: Words, text: str, name: str, count: int) -> None:
    meaning = words.mean(text)
    assert (meaning.text, meaning.name, len(meaning.classes)) == (text, name, count)
    assert list(meaning.classes) == sorted(set(meaning.classes))


@pytest.mark.parametrize(
    ("typed", "one"),
    [
        ("DOGS", "dog"),
        ("buses", "bus"),
        ("strawberries", "strawberry"),
        ("foxes", "fox"),
        ("mice", "mouse"),
        ("wolves", "wolf"),
        ("geese", "goose"),
        ("traffic lights", "traffic light"),
        ("  T-Shirts ", "t shirt"),
        ("pug dog", "pug-dog"),
        ("jack-o’-lantern", "jack-o'-lantern"),
        ("a dog", "dog"),
        ("photos of my cats", "cat"),
        ("the picture of a zebra", "zebra"),
        ("glass", "glass"),  # is no plural
    ],
)
def test_case_plurals_and_what_stands_around_do_not_matter(words: Words, typed: str, one: str) -> None:
    assert words.mean(typed).classes == words.mean(one).classes


def test_of_several_meanings_the_usual_one_and_those_that_are_classes(words: Words) -> None:
    assert names(words.mean("crane")) == ["crane", "crane"]
    assert "bird" in words.mean("crane").gloss
    assert "machine" in words.mean("crane").gloss or "heavy objects" in words.mean("crane").gloss
    assert "lion" not in names(words.mean("cat"))
    assert words.mean("cat").gloss == ""
    assert "electronic device" in words.mean("mouse").gloss, "which is not what one thinks of first"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("sunflower", ["flower", "daisy"]),
        ("tulips", ["daisy"]),
        ("tomato", ["bell pepper"]),
        ("woman", ["person", "scuba diver"]),
        ("dogs at the beach", ["beach", "dogs"]),
        ("red car", ["car"]),
    ],
)
def test_an_unknown_word_names_those_near_in_meaning(words: Words, text: str, near: list[str]) -> None:
    with pytest.raises(ArgumentError, match=rf"received “{text}”; the nearest that it knows: ") as error:
        words.mean(text)
    said = str(error.value).split("knows: ")[1].split(", or search")[0].split(", ")
    assert set(near) <= set(said)


def test_a_misspelt_word_names_those_spelt_nearly_so(words: Words) -> None:
    with pytest.raises(ArgumentError, match=r"did you mean elephant\?"):
        words.mean("elefant")
    with pytest.raises(ArgumentError, match="knows none that is near: name an animal"):
        words.mean("qqqqqq")


def test_guesses_say_why(words: Words) -> None:
    assert words.mean("dog").unsure == ""
    assert words.mean("dog").measured == 1
    assert "of the 10 likeliest" in words.mean("lemon").unsure
    assert "only daisy and yellow lady's slipper" in words.mean("flower").narrow
    unmeasured = words.mean("church")
    assert (unmeasured.measured, unmeasured.unsure) == (None, "")


def test_every_lemma_is_found_by_itself(words: Words) -> None:
    for lemma, senses in nouns().by_lemma.items():
        assert nouns().classes[senses[0][1].id] <= set(words.mean(lemma).classes), lemma
    for alias in nouns().aliases:
        assert words.mean(alias).classes, alias


def test_each_class_is_of_one_kind() -> None:
    numbers = sorted(number for classes in kinds().values() for number in classes)
    assert numbers == list(range(1000))
    assert all(kinds().values())
    assert len(kinds()["dogs"]) == 118


def test_words_go_with_a_name_and_not_with_a_hash(words: Words) -> None:
    assert words_of("efficientnet-lite0") is words
    for other in ("vgg16", "clip:ViT-B-32", "vectors", "/home/me/efficientnet-lite0.onnx", "torchvision:resnet50"):
        assert words_of(other) is None
