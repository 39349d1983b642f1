"""Words for what a model's vectors show: the classes that its network was trained to tell apart.

words.py     which models have words, and `words_of`, which gives them
classes.py   from vectors to the probability of each class
nouns.py     WordNet's nouns: the classes' names, and what is above them
meaning.py   from what someone typed to classes
near.py      which known words are near an unknown one
kinds.py     the kinds by which a collection is counted
"""

from __future__ import annotations

from .kinds import kinds
from .meaning import Meaning
from .words import Words, words_of

__all__ = ["Meaning", "Words", "kinds", "words_of"]
