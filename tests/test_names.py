"""Names as they are shown and linked."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.names import file_url, visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("Käse 猫 😀 قطة.jpg", "Käse 猫 😀 قطة.jpg"),
        ("line\nbreak\ttab\x1b[31m\x7f", "line\\nbreak\\ttab\\x1b[31m\\x7f"),
        (os.fsdecode(b"caf\xe9 \xff.jpg"), "caf\\xe9 \\xff.jpg"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("a\u2028b\u2066c", "a\\u2028b\\u2066c"),
        ("a\u200eb\u200fc\u061cd", "a\\u200eb\\u200fc\\u061cd"),
        ("ca\u200bt\ufeff.jpg", "ca\\u200bt\\ufeff.jpg"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_cannot_be_shown_is_an_escape(name: str, shown: str) -> None:
    assert visible(name) == shown


@given(st.text(st.characters(codec=None, categories=None)))
def test_any_string_becomes_one_line_of_valid_utf8(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name and b"/" not in name))
def test_an_address_holds_the_path_byte_for_byte(name: bytes) -> None:
    url = file_url(os.fsdecode(b"/photos/x" + name))
    assert url.isascii()
    assert unquote_to_bytes(url.removeprefix("file://")) == b"/photos/x" + name


def test_a_relative_path_is_linked_from_the_root() -> None:
    assert file_url("a b.jpg") == "file://" + file_url(os.getcwd()).removeprefix("file://") + "/a%20b.jpg"
