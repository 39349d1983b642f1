from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from lookalike.cli.sources import resolve
from lookalike.errors import ArgumentError, NoPicturesError

from ..memory import GROWN
from .test_lists import started


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with photos/ in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.jpg", "photos/b.jpg", "photos/c.png", "shard-08.tar", "shard-09.tar", "shard-10.tar"):
        put(name)
    return tmp_path


def put(name: str) -> None:
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb"):
        pass


def listed(*names: str, null: bool = False, allow_urls: bool = False) -> list[str]:
    """What a list on stdin gives."""
    content = b"".join(os.fsencode(name) + (b"\0" if null else b"\n") for name in names)
    return resolve(["-"], io.BytesIO(content), null=null, allow_urls=allow_urls)


# -- words


def test_words_are_paths_in_their_order_each_once() -> None:
    words = ["photos/b.jpg", "photos", "photos/a.jpg", "photos", "./photos"]
    assert resolve(words, None) == ["photos/b.jpg", "photos", "photos/a.jpg", "./photos"]


@pytest.mark.parametrize(
    "name",
    ["*.jpg", "a?.jpg", "[a].jpg", "{a,b}.jpg", "{1..3}", "s3:x", "data:,x", "a\nb.jpg", "\udcff.jpg", "-0", "~"],
)
def test_what_is_there_is_that_path_whatever_its_characters(name: str) -> None:
    put(name)
    put("a.jpg")
    put("b.jpg")
    assert resolve([name], None) == [name]
    assert listed(name, null=True) == [name]


def test_a_path_that_looks_like_a_url_is_told_from_one() -> None:
    put("http://h/a.jpg")
    assert resolve(["http://h/a.jpg", "http:/h/a.jpg"], None) == ["./http://h/a.jpg", "http:/h/a.jpg"]
    assert listed("http://h/a.jpg") == ["./http://h/a.jpg"]


def test_patterns() -> None:
    assert resolve(["photos/*.jpg", "*.tar"], None) == [
        "photos/a.jpg",
        "photos/b.jpg",
        "shard-08.tar",
        "shard-09.tar",
        "shard-10.tar",
    ]


def test_braces() -> None:
    shards = ["shard-08.tar", "shard-09.tar", "shard-10.tar"]
    assert resolve(["shard-{08..10}.tar"], None) == shards
    assert resolve(["photos/{c,a}.*"], None) == ["photos/c.png", "photos/a.jpg"]
    assert resolve(["photos/{a,b}.jpg", "photos/a.jpg"], None) == ["photos/a.jpg", "photos/b.jpg"]
    urls = resolve(["https://h/{00..01}.tar?x={a,b}"], None, allow_urls=True)
    assert urls == [f"https://h/{number}.tar?x={x}" for number in ("00", "01") for x in "ab"]


def test_a_pattern_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(NoPicturesError, match=r"received photos/\*\.tif \(nothing matches it\); check them"):
        resolve(["photos/*.jpg", "photos/*.tif"], None)


def test_what_is_missing_is_told_at_once() -> None:
    os.symlink("nothing", "broken.jpg")
    words = ["photos", "no.jpg", "broken.jpg", "photos/a.jpg/x", "s3://bucket/*.jpg", "no/*", "shard-{07..10}.tar", ""]
    with pytest.raises(NoPicturesError) as refusal:
        resolve(words, None)
    assert str(refusal.value) == (
        "expected folders and pictures that are there, received no.jpg (No such file or directory), "
        "broken.jpg (No such file or directory), photos/a.jpg/x (Not a directory), and 4 more; check them"
    )
    with pytest.raises(NoPicturesError, match=r"a\.jpg \(No such .*, and 99,997 more; check them"):
        listed(*["a.jpg"] * 100_000)


@pytest.mark.parametrize(
    "word", ["s3://b/x.jpg", "ftp://h/x", "file:///x", "file:x", "data:image/png,x", "S3://me:pw@h"]
)
def test_other_schemes_are_no_sources(word: str) -> None:
    with pytest.raises(NoPicturesError, match=r"\(neither a path nor a URL of http or https\)") as refusal:
        resolve([word], None, allow_urls=True)
    assert "pw" not in str(refusal.value)
    with pytest.raises(NoPicturesError, match="neither a path"):
        listed(word, allow_urls=True)


def test_a_name_that_no_file_can_have(here: Path) -> None:
    with pytest.raises(ArgumentError, match=r"received one that can be none \(File name too long\)"):
        resolve(["x" * 256], None)
    with pytest.raises(ArgumentError, match=r"received one that can be none \(embedded null byte\)"):
        resolve(["a\0b"], None)
    with pytest.raises(ArgumentError, match=r"received number 2 of the list that can be none \(File name too long\)"):
        listed("photos", "x" * 256)


# -- lists


def test_names_in_a_list_are_taken_as_they_are() -> None:
    assert listed("photos/b.jpg", "photos", "photos/b.jpg") == ["photos/b.jpg", "photos"]
    put("-")
    assert listed("-") == ["-"]
    for name in ("photos/*.jpg", "shard-{08..10}.tar"):
        with pytest.raises(NoPicturesError, match="No such file"):
            listed(name)


def test_a_list_stands_where_its_word_does() -> None:
    words = ["photos/c.png", "-", "photos/a.jpg", "-"]
    assert resolve(words, io.BytesIO(b"photos/b.jpg\nphotos/a.jpg\n")) == [
        "photos/c.png",
        "photos/b.jpg",
        "photos/a.jpg",
    ]


def test_nul_without_a_list_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="expected `-` among the sources with --null"):
        resolve(["photos"], io.BytesIO(b"photos"), null=True)


def test_a_million_names_take_their_own_memory() -> None:
    """Beside a text of each, and where it is in the table, nothing is kept."""
    code = f"""
import os, sys
from lookalike.cli.sources import resolve
os.stat = lambda name: None  # so many files take too long to make
{GROWN}
def work():
    global names
    names = resolve(["-"], sys.stdin.buffer)
print(grown(work), len(names), sum(map(sys.getsizeof, names)) >> 20)
"""
    with started(code) as process:
        out, error = process.communicate(b"".join(b"photos/2024/%07d.jpg\n" % i for i in range(1_000_000)))
    grown, count, texts = map(int, out.split())
    assert (count, error) == (1_000_000, b"")
    assert grown < texts + 120


# -- URLs


def test_urls_need_to_be_allowed() -> None:
    with pytest.raises(ArgumentError, match=r"received https://h/a\.jpg; give --allow-urls"):
        resolve(["photos", "https://h/a.jpg"], None)
    with pytest.raises(ArgumentError, match="received http://h/a%20b; give --allow-urls"):
        listed("photos", "http://h/a b#c")


def test_urls_come_in_their_one_form() -> None:
    urls = ["HTTP://Host:80/a b.jpg#x", "http://host/a%20b.jpg", "https://host/*.jpg?x=[1]"]
    expected = ["http://host/a%20b.jpg", "https://host/*.jpg?x=[1]"]
    assert resolve(urls, None, allow_urls=True) == expected
    assert listed(*urls, allow_urls=True) == expected
    assert listed("http://host/{a,b}", "http://host/a\r", allow_urls=True) == ["http://host/%7Ba,b%7D", "http://host/a"]


def test_urls_that_are_none_are_told_with_what_is_missing() -> None:
    names = ["photos", "no.jpg", "http://", "http://h:x/", "https://me:secret@h/a.jpg", "http://h/" + "ä" * 2000]
    with pytest.raises(NoPicturesError) as refusal:
        listed(*names, allow_urls=True)
    assert "secret" not in str(refusal.value)
    assert "no.jpg (No such file or directory), http:// (a URL without the name" in str(refusal.value)
    assert str(refusal.value).endswith(", and 2 more; check them")
    with pytest.raises(NoPicturesError, match="a user name or a password") as refusal:
        resolve(["https://me:secret@h/a.jpg"], None)
    assert "secret" not in str(refusal.value)
