"""The tree of errors is what its file draws, and what Python programmers expect to catch."""

from __future__ import annotations

import errno
import inspect
import pickle
import re

import pytest

from lookalike import errors

ALL = {name: each for name, each in vars(errors).items() if inspect.isclass(each) and issubclass(each, Exception)}


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = dict(re.findall(r"^    [├└]── (\w+)(?: \((\w+)\))?", errors.__doc__ or "", re.MULTILINE))
    assert {"LookalikeError", *drawn} == ALL.keys()
    for name, also in drawn.items():
        bases = [base.__name__ for base in ALL[name].__bases__]
        assert bases == ["LookalikeError", *([also] if also else [])]


@pytest.mark.parametrize("error", [each for each in ALL.values() if each is not errors.PictureError])
def test_the_message_is_the_sentence(error: type[Exception]) -> None:
    raised = error("expected this, got that; do so")
    assert str(raised) == "expected this, got that; do so"
    assert str(pickle.loads(pickle.dumps(raised))) == str(raised)
    assert isinstance(raised, errors.LookalikeError)


def test_a_write_error_knows_its_number() -> None:
    error = errors.WriteError(errno.ENOSPC, "cannot write x: disk full")
    assert error.errno == errno.ENOSPC
    assert str(error) == "cannot write x: disk full"


def test_a_picture_error_names_the_picture() -> None:
    assert str(errors.PictureError("truncated")) == "truncated"
    error = errors.PictureError("truncated", "a.jpg")
    assert (str(error), error.reason, error.path) == ("a.jpg: truncated", "truncated", "a.jpg")
