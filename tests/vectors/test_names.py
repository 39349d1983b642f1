"""A name that comes twice is found among any number of them."""

from __future__ import annotations

import random

from lookalike.vectors.names import Seen, Twice


def test_no_name_is_seen_twice_that_was_not() -> None:
    seen = Seen()
    for start in range(0, 60_000, 700):
        assert seen.add([str(i) for i in range(start, start + 700)]) is None


def test_each_name_that_comes_again_is_found() -> None:
    dice = random.Random(3)
    for again in range(300):
        names = [f"{again} {i}" for i in range(500)]
        before, after = sorted(dice.sample(range(500), 2))
        names[after] = names[before]
        seen, found, start = Seen(), [], 0
        while start < len(names):
            end = start + dice.randint(1, 60)
            if twice := seen.add(names[start:end]):
                found.append(twice)
            start = end
        assert found == [Twice(after, before)]


def test_the_first_of_several_is_told() -> None:
    seen = Seen()
    assert seen.add(["a", "b", "c"]) is None
    assert seen.add(["d", "c", "e", "a", "e"]) == Twice(4, 2)


def test_nothing() -> None:
    seen = Seen()
    assert seen.add([]) is None
    assert seen.add(["a"]) is None
    assert seen.add([]) is None
    assert seen.add(["a"]) == Twice(1, 0)
