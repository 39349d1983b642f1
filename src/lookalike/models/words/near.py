"""Which known words are near one that is not known: by what it means, or by how it is spelt."""

from __future__ import annotations

from difflib import get_close_matches

from lookalike.models.words.meaning import forms
from lookalike.models.words.nouns import Nouns, neighbours, plain

_BELOW = 3  # of what is below a neighbour
_SPELT = 3
_ALIKE = 0.78  # of the letters
_SHORTEST = 5  # letters: shorter words are alike by chance
_JOINING = {"a", "an", "the", "of", "at", "in", "on", "with", "and", "my", "some"}


def near(nouns: Nouns, text: str) -> list[str]:
    """Known words near to `text`, the nearest first: those within it, and those near in meaning."""
    return list(dict.fromkeys([*_within(nouns, text), *_in_meaning(nouns, text)]))


def alike(nouns: Nouns, text: str) -> list[str]:
    """Known words that are spelt nearly so."""
    known = [*nouns.by_lemma, *nouns.aliases]
    for form in forms(nouns, text):
        if len(form) >= _SHORTEST and (found := get_close_matches(form, known, n=_SPELT, cutoff=_ALIKE)):
            return [_written(nouns, each) for each in found]
    return []


def _within(nouns: Nouns, text: str) -> list[str]:
    """Of several words those that are known alone, the longest first."""
    parts = plain(text).split()
    runs = [" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1) if j - i < len(parts)]
    apart = [run for run in runs if not _JOINING & {run.split()[0], run.split()[-1]}]
    known = [run for run in apart if any(form in nouns.by_lemma for form in forms(nouns, run))]
    longest = sorted(known, key=lambda run: -len(run))
    return [
        run for place, run in enumerate(longest) if not any(f" {run} " in f" {other} " for other in longest[:place])
    ]


def _in_meaning(nouns: Nouns, text: str) -> list[str]:
    others = neighbours()
    ids = [others[form] for form in forms(nouns, text) if form in others]
    if not ids:
        return []
    above = nouns.synsets[ids[0]]
    below = [nouns.names[number] for number in sorted(nouns.classes[above.id])]
    return [above.name, *below[:_BELOW]]


def _written(nouns: Nouns, word: str) -> str:
    """As it is written: names have capitals."""
    for _, synset in nouns.by_lemma.get(word, ()):
        return next(lemma for lemma in synset.lemmas if plain(lemma) == word)
    return word
