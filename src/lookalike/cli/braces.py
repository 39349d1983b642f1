"""Braces in a word that the shell has left as they are: quoted, or under PowerShell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lookalike.errors import ArgumentError

MOST = 1_000_000
"""So many words at most come of one."""

_DEEPEST = 20
_RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})")


def expand(word: str) -> Iterator[str]:
    """What Bash makes of `{a,b}` and `{000..012}` in a word, in its order; other braces stay.

        >>> list(expand("shard-{08..10}.tar"))
        ['shard-08.tar', 'shard-09.tar', 'shard-10.tar']

    Raises:
        ArgumentError: more than 20 braces, or, once they are asked for, more than 1,000,000 words.
    """
    if word.count("{") > _DEEPEST:
        raise ArgumentError(
            f"expected at most {_DEEPEST} braces in a source, received {word[:200]}; name fewer at once"
        )
    for number, expanded in enumerate(_expand(word)):
        if number == MOST:
            raise ArgumentError(
                f"expected at most {MOST:,} sources of one word, received {word[:200]}; name fewer at once"
            )
        yield expanded


def _expand(word: str) -> Iterator[str]:
    for start in (at for at, character in enumerate(word) if character == "{"):
        end, parts = _within(word, start)
        choices = parts if len(parts) > 1 else _numbers(parts[0])
        if choices:
            for choice in choices:
                for middle in _expand(choice):
                    for rest in _expand(word[end:]):
                        yield word[:start] + middle + rest
            return
    yield word


def _within(word: str, start: int) -> tuple[int, list[str]]:
    """Where a brace ends, and what stands between its commas; one empty part where it has no end."""
    depth, begin, parts = 0, start + 1, []
    for at in range(start, len(word)):
        depth += (word[at] == "{") - (word[at] == "}")
        if depth == 0 or (depth == 1 and word[at] == ","):
            parts.append(word[begin:at])
            begin = at + 1
        if depth == 0:
            return begin, parts
    return len(word), [""]


def _numbers(between: str) -> Iterable[str]:
    """Those of a range, all as wide as its ends where these begin with a zero; none where it is no range."""
    found = _RANGE.fullmatch(between)
    if not found:
        return ()
    first, last = int(found[1]), int(found[2])
    width = max(map(len, found.groups())) if any(re.match("-?0[0-9]", end) for end in found.groups()) else 0
    numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return (f"{number:0{width}d}" for number in numbers)
