"""What words mean, as classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lookalike.models.words.nouns import Nouns, Synset, plain

_ARTICLE = r"(?:(?:an?|the|some|any|my) )?"
_AROUND = re.compile(rf"^{_ARTICLE}(?:(?:photo|picture|image|drawing)s? (?:of|with) )?{_ARTICLE}")
_ENDINGS = {"ses": "s", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man", "ies": "y", "s": ""}
"""Of plurals and of their singulars, as WordNet's own `morphy` has them."""

LEAST_RIGHT = 0.5
"""Of the likeliest pictures, where that was measured: with fewer right ones, a word is a guess."""
LEAST_KNOWN = 0.04
"""Of what WordNet has below a word: with fewer classes than that, and not measured, a word is a guess."""
_FREQUENT = 2  # ranks of meanings that count in any case
_NAMED = 3  # classes named one by one


@dataclass(frozen=True)
class Meaning:
    """What a word is taken for.

    Attributes:
        text: as it was typed.
        name: the synset's own word; of several their first.
        gloss: what it means, where the word is met in another meaning more often; else "".
        classes: whose probabilities are summed, ascending.
        of: what these classes are called, where they are few.
        measured: the share of right ones among the likeliest pictures, of photographs or of drawings, whichever is
            larger; None where neither was measured.
        unsure: why it is a guess, or "".
        narrow: what the network knows of it, where that is very little; else "".
    """

    text: str
    name: str
    gloss: str
    classes: tuple[int, ...]
    of: tuple[str, ...]
    measured: float | None
    unsure: str
    narrow: str


def meaning(nouns: Nouns, text: str) -> Meaning | None:
    """What `text` means; None where it is not known.

    Of a word with several meanings the most frequent one that is known counts, and with it the one or two that are the
    most frequent of all, and those that are themselves classes: a crane is a bird, and a machine.
    """
    for word in forms(nouns, text):
        if senses := nouns.by_lemma.get(word):
            rest = [synset for rank, synset in senses[1:] if rank <= _FREQUENT or synset.number is not None]
            return _meaning(nouns, text, [senses[0][1], *rest], senses[0][0])
    return None


def forms(nouns: Nouns, text: str) -> Iterator[str]:
    """What may stand in the table for what was typed: as it is, without what stands around it, in the singular."""
    typed = plain(text)
    bare = _AROUND.sub("", typed)
    for word in dict.fromkeys((typed, bare)):
        yield word
        for one in dict.fromkeys((word, *_singulars(nouns, word))):
            yield one
            if one in nouns.aliases:
                yield plain(nouns.aliases[one])


def _singulars(nouns: Nouns, word: str) -> Iterator[str]:
    """Of the last of several words."""
    before, space, last = word.rpartition(" ")
    if last in nouns.irregular:
        yield before + space + plain(nouns.irregular[last])
    for many, one in _ENDINGS.items():
        if last.endswith(many) and len(last) > len(many) + 1 and not last.endswith("ss"):
            yield before + space + last.removesuffix(many) + one


def _meaning(nouns: Nouns, text: str, synsets: list[Synset], rank: int) -> Meaning:
    classes = sorted(set().union(*(nouns.classes[synset.id] for synset in synsets)))
    of = tuple(nouns.names[number] for number in classes) if len(classes) <= _NAMED else ()
    gloss = " or ".join(synset.gloss for synset in synsets) if rank > 1 or len(synsets) > 1 else ""
    first = synsets[0]
    on = _better(first)
    measured = first.measured[on][0] / first.measured[on][1] if on else None
    narrow = _narrow(first, len(classes), of)
    return Meaning(text, first.name, gloss, tuple(classes), of, measured, _unsure(first, on, narrow), narrow)


def _better(synset: Synset) -> str:
    """The kind of pictures in which it was found best; "" where it was not measured."""
    return max(synset.measured, key=lambda what: synset.measured[what][0] / synset.measured[what][1], default="")


def _unsure(synset: Synset, on: str, narrow: str) -> str:
    if not on:
        return f"the network knows {narrow} of it" if narrow else ""
    right, shown = synset.measured[on]
    if right >= LEAST_RIGHT * shown:
        return ""
    rest = "" if "photographs" in synset.measured else "; photographs were not measured"
    return f"where it was measured, of the {shown} likeliest {on} {right or 'none'} showed it{rest}"


def _narrow(synset: Synset, known: int, of: tuple[str, ...]) -> str:
    """What the network knows of all that WordNet has below a word."""
    if synset.number is not None or known >= LEAST_KNOWN * synset.leaves:
        return ""
    return f"only {' and '.join(of)}" if of else f"{known} kinds, of many,"
