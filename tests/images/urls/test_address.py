from __future__ import annotations

import pytest

from lookalike.errors import PictureError
from lookalike.images.urls.address import LONGEST, is_url, normal, parse, redirected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/A.jpg", "https://example.com/A.jpg"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("http://example.com?x=1", "http://example.com/?x=1"),
        ("http://h/a.jpg?w=1&h=2#part", "http://h/a.jpg?w=1&h=2"),
        ("http://h/%41%2f%zz/100%/a+b/../c", "http://h/%41%2f%zz/100%/a+b/../c"),
        ("http://h/photo@2x.jpg?to=a@b", "http://h/photo@2x.jpg?to=a@b"),
        ('http://h/a b"<>^`{|}\\.jpg?ä={1}', "http://h/a%20b%22%3C%3E%5E%60%7B%7C%7D%5C.jpg?%C3%A4=%7B1%7D"),
        ("http://h/\udcff.jpg", "http://h/%FF.jpg"),
        ("http://Bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://[0:0::1]:8080/x", "http://[::1]:8080/x"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1/x"),
    ],
)
def test_one_form(url: str, expected: str) -> None:
    assert normal(url) == expected
    assert normal(expected) == expected
    assert expected.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "photos/cat.jpg",
        "ftp://h/x",
        "//h/x",
        "http:/h/x",
        "http:///x",
        "http://h:65536/",
        "http://h:x/",
        "http://a..b/",
        f"http://{'a' * 64}.com/",
        "http://-a.com/",
        "http://evil.com\\.good.com/",
        "http://a b/",
        "http://[::1/",
        "http://[::x]/",
        "http://\udcff/",
        "http://h/a\nb",
        "http://h/a\x7f",
        " http://h/a",
        "http://h/" + "a" * LONGEST,
        "http://h/" + "ä" * (LONGEST // 4),
    ],
)
def test_what_is_none_is_refused_in_one_short_sentence(url: str) -> None:
    with pytest.raises(PictureError) as refusal:
        normal(url)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "url", ["http://me:secret@h/x", "http://me@h/", "https://:secret@h", "http://me:sec/ret@h/", "http://secret@h@h/"]
)
def test_user_names_and_passwords_are_neither_taken_nor_told(url: str) -> None:
    with pytest.raises(PictureError, match="//…@h") as refusal:
        normal(url)
    assert refusal.value.path.startswith(f"{url.partition(':')[0]}://…@h")
    assert "sec" not in refusal.value.reason


def test_what_a_url_is() -> None:
    assert is_url("http://")
    assert is_url("HttpS://x")
    assert not is_url("httpx://x")
    assert not is_url("./http://x")
    assert not is_url("photos/http://x")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("b.jpg", "http://h/a/b.jpg"),
        ("/b?c", "http://h/b?c"),
        ("//other/b", "http://other/b"),
        ("https://h", "https://h/"),
        ("/Ã¤", "http://h/%C3%A4"),  # UTF-8, as headers come
        ("/\xff", "http://h/%FF"),
    ],
)
def test_redirects(location: str, expected: str) -> None:
    assert str(redirected(parse("http://h/a/x.jpg"), location)) == expected


@pytest.mark.parametrize("location", ["file:///etc/passwd", "data:,x", "http://me:secret@h/", "http://[", "http://h:x"])
def test_redirects_to_elsewhere(location: str) -> None:
    with pytest.raises(PictureError) as refusal:
        redirected(parse("http://h/"), location)
    assert "secret" not in str(refusal.value)
