from __future__ import annotations

import shutil
import subprocess
from itertools import islice

import pytest

from lookalike.cli import braces
from lookalike.cli.braces import expand
from lookalike.errors import ArgumentError

WORDS = [
    "plain.jpg",
    "shard-{000000..000012}.tar",
    "shard-{0..12}.tar",
    "{08..10}",
    "{-1..2}",
    "{-01..1}",
    "{3..1}",
    "{a,b}{1,2}",
    "{a,b{1..3},c}x",
    "a{b,}c",
    "{,}",
    "{one}",
    "{}",
    "x{{1,2}}y",
    "{one{1,2}}",
    "{1..}",
    "{..2}",
    "{1...3}",
    "{a,b",
    "a,b}",
    "{a{b,c}",
    "}{",
    "{1,2}{x}{3,4}",
    "{0..1}/{00..01}.jpg",
    "{0..2}{,.jpg}",
    "{{0..1},{3..4}}",
]


@pytest.mark.parametrize("word", WORDS)
def test_they_are_those_of_bash(word: str) -> None:
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("needs bash to compare with")
    done = subprocess.run([bash, "-c", f"printf '<%s>' {word}"], capture_output=True, text=True, check=True)
    assert [f"<{each}>" for each in expand(word) if each] == done.stdout.replace("<>", "").replace("><", ">\n<").split()


def test_webdataset_writes_them_so() -> None:
    assert list(expand("s3/{train,val}-{099..101}.tar")) == [
        f"s3/{part}-{number}.tar" for part in ("train", "val") for number in ("099", "100", "101")
    ]


def test_what_is_no_range_of_whole_numbers_stays() -> None:
    for word in ("{a..e}", "{1..9..2}", "{²..³}", "{1..x}", "{" + "9" * 19 + "..1}"):
        assert list(expand(word)) == [word]


def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(braces, "MOST", 1000)
    for word in ("{0..1000}", "{0..999999999999999999}", "{0..9}" * 20):
        words = expand(word)
        assert len(list(islice(words, 1000))) == 1000
        with pytest.raises(ArgumentError, match="at most 1,000 sources of one word"):
            next(words)
    with pytest.raises(ArgumentError, match="at most 20 braces"):
        list(expand("{a,b}" * 21))
    with pytest.raises(ArgumentError, match="at most 20 braces"):
        list(expand("{" * 100_000))
