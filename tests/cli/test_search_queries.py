"""What one may search by, as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough

Pipe = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    """As `run`, with something on stdin."""

    def pipe(data: bytes, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        words = [command(), *map(str, arguments)]
        done = subprocess.run(words, input=data, capture_output=True, cwd=tmp_path, timeout=120, check=False)
        assert done.returncode == code, done.stderr
        return subprocess.CompletedProcess(words, code, done.stdout.decode(), done.stderr.decode())

    return pipe


@pytest.fixture
def indexed(photos: Path) -> Path:
    lookalike.open(photos).close()
    return photos


def paths(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.split("  ")[-1] for line in done.stdout.splitlines()]


def first(folder: Path, kind: str, number: int = 0) -> Path:
    return sorted((folder / kind).iterdir())[number]


# -- one example ---------------------------------------------------------------------------------------


def test_a_picture_on_stdin(run: Run, pipe: Pipe, photos: Path, picture: Path) -> None:
    piped = pipe(picture.read_bytes(), "search", "-", "photos", "-k", "3")
    assert "pictures indexed" in piped.stderr
    assert paths(piped) == [
        str(picture.relative_to(photos.parent)),
        *paths(run("search", picture, "photos", "-k", "2")),
    ]


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "received none"), (b"some words, no picture", "<stdin>: not a picture")]
)
def test_stdin_without_a_picture(pipe: Pipe, photos: Path, data: bytes, reason: str) -> None:
    assert reason in sentence(pipe(data, "search", "-", "photos", code=2).stderr)
    assert not (photos / ".lookalike").exists(), "refused before anything was indexed"


def test_no_stdin_at_all(photos: Path) -> None:
    closed = subprocess.run(
        ["bash", "-c", f"'{command()}' search - '{photos}' <&-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert closed.returncode == 2
    assert "received nothing; pipe it" in sentence(closed.stderr)
    ours, theirs = os.openpty()
    terminal = subprocess.run(
        [command(), "search", "-", photos], stdin=theirs, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert "received a terminal; pipe it" in sentence(terminal.stderr)


def test_by_id_and_by_path(run: Run, indexed: Path, picture: Path) -> None:
    hit = json.loads(run("search", picture, "photos", "-k", "1", "--json").stdout)
    by_id = run("search", "--id", str(hit["id"]), "photos", "-k", "4")
    assert paths(by_id) == paths(run("search", "--id", hit["path"], "photos", "-k", "4"))
    assert paths(by_id) == paths(run("search", "photos", "-k", "4", "--id", hit["path"])), "in any order"
    assert os.path.relpath(hit["path"], indexed.parent) not in paths(by_id)
    assert "99999" in sentence(run("search", "--id", "99999", "photos", code=2).stderr)
    assert "indexed picture" in sentence(run("search", "--id", "no.png", "photos", code=2).stderr)


def test_that_the_query_itself_is_left_out_is_said(run: Run, indexed: Path, picture: Path, tmp_path: Path) -> None:
    own = str(picture.relative_to(tmp_path))
    said = f"left out: {own}, which was searched by\n"
    done = run("search", picture, "photos", "-k", "2", "--html", "page.html", "--json")
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert said in done.stderr
    assert [hit["left_out"] for hit in hits] == [[str(picture)]] * 2
    assert said.strip() in " ".join((tmp_path / "page.html").read_text().replace("<wbr>", "").split())
    assert said in run("search", "--id", str(picture), "photos").stderr
    other = first(indexed, "cats")
    both = run("search", picture, "photos", "--more", other).stderr
    assert ", which were searched by" in both
    assert all(each in both for each in (own, str(other.relative_to(tmp_path))))
    (tmp_path / "elsewhere.png").write_bytes(picture.read_bytes())
    assert "left out" not in run("search", "elsewhere.png", "photos").stderr
    assert "left out" not in run("search", picture, "photos", "--where", f"name != '{picture.name}'").stderr


def test_by_vector(run: Run, pipe: Pipe, indexed: Path, picture: Path, tmp_path: Path) -> None:
    with lookalike.Collection.open(indexed) as collection:
        vector = collection.vector(picture)
    np.save(tmp_path / "v.npy", vector)
    np.save(tmp_path / "several.npy", np.stack([vector] * 7))
    np.save(tmp_path / "short.npy", vector[:5])
    own = str(picture.relative_to(tmp_path))
    expected = [own, *paths(run("search", picture, "photos", "-k", "2"))]
    assert paths(run("search", "--vector", "v.npy", "photos", "-k", "3")) == expected
    for text in (json.dumps(vector.tolist()), " ".join(map(str, vector)), ",\n".join(map(str, vector)) + "\n"):
        assert paths(pipe(text.encode(), "search", "--vector", "-", "photos", "-k", "3")) == expected
    assert "received 7; save the one" in sentence(run("search", "--vector", "several.npy", "photos", code=2).stderr)
    assert "1280 numbers" in sentence(run("search", "--vector", "short.npy", "photos", code=2).stderr)
    assert "no such file" in sentence(run("search", "--vector", "gone.npy", "photos", code=2).stderr)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "none"),
        (b"1 2 three", "'three'"),
        (b"[1, 2", "others"),
        (b"\xff\xfe", "others"),
        (b"1 2 3", "1280 numbers"),
    ],
)
def test_numbers_that_are_none(pipe: Pipe, photos: Path, data: bytes, reason: str) -> None:
    assert reason in sentence(pipe(data, "search", "--vector", "-", "photos", code=2).stderr)
    assert not (photos / ".lookalike").exists(), "refused before anything was indexed"


def test_a_word_that_the_default_model_does_not_know_is_refused_before_anything_is_indexed(
    run: Run, photos: Path
) -> None:
    for arguments in (["--text", "sunflower", "photos"], ["sunflower", "photos"]):
        assert "the nearest that it knows: flower, daisy" in sentence(run("search", *arguments, code=2).stderr)
    assert not (photos / ".lookalike").exists()
    assert "some words" in sentence(run("search", "--text", " ", "photos", code=2).stderr)


def test_a_part_of_a_picture(run: Run, indexed: Path, tmp_path: Path) -> None:
    """Two pictures side by side; each half finds its own."""
    both = [first(indexed, "cats"), first(indexed, "clocks")]
    sheet = Image.new("RGB", (400, 200), "white")
    for x, path in zip((0, 200), both, strict=True):
        with Image.open(path) as image:
            rgba = image.convert("RGBA").resize((200, 200))
            sheet.paste(rgba, (x, 0), rgba)
    sheet.save(tmp_path / "sheet.png")
    for box, path in zip(("0,0,200,200", "200,0,200,200"), both, strict=True):
        assert paths(run("search", "sheet.png", "photos", "--crop", box, "-k", "1")) == [
            str(path.relative_to(tmp_path))
        ]
    assert "within its 400 x 200" in sentence(
        run("search", "sheet.png", "photos", "--crop", "300,0,200,200", code=2).stderr
    )


@pytest.mark.parametrize("crop", ["1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "1.5,0,5,5", ""])
def test_a_crop_that_is_none(run: Run, photos: Path, picture: Path, crop: str) -> None:
    assert "expected" in sentence(run("search", picture, "photos", f"--crop={crop}", code=2).stderr)
    assert not (photos / ".lookalike").exists()


# -- several -------------------------------------------------------------------------------------------


def test_more_and_less(run: Run, indexed: Path) -> None:
    cats, clock = [first(indexed, "cats", i) for i in (0, 1)], first(indexed, "clocks")
    found = paths(run("search", "photos", "--more", cats[0], "--more", f"{cats[1]}:0.5", "--less", clock, "-k", "3"))
    assert all("/cats/" in path for path in found)
    assert not {os.path.relpath(path, indexed.parent) for path in cats} & set(found), "examples are left out"
    assert found == paths(run("search", cats[0], "photos", "--more", f"{cats[1]}:0.5", "--less", clock, "-k", "3"))
    weighted = paths(run("search", cats[0], "photos", "--more", f"{clock}:20", "-k", "3"))
    assert all("/clocks/" in path for path in weighted), "a weight pulls"


def test_a_name_that_ends_like_a_weight(run: Run, indexed: Path, tmp_path: Path) -> None:
    cat, clock = first(indexed, "cats"), first(indexed, "clocks")
    shutil.copy(clock, tmp_path / "a:20")
    shutil.copy(cat, tmp_path / "a")
    assert "/clocks/" in paths(run("search", "photos", "--more", "a:20", "-k", "1"))[0]
    (tmp_path / "a:20").unlink()
    assert "/cats/" in paths(run("search", "photos", "--more", "a:20", "-k", "1"))[0]
    shutil.copy(clock, tmp_path / "b:9")
    assert "/clocks/" in paths(run("search", cat, "photos", "--more", "b:9:9", "-k", "1"))[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--more", "gone.png"], "gone.png: the query is not there"),
        (["--more", "gone.png:0.5"], "gone.png: the query is not there"),
        (["--more", "gone.png:half"], "gone.png:half: the query is not there"),
        (["--more", "{picture}:0"], "above 0"),
        (["--more", "{picture}:nan"], "above 0"),
        (["--more", "{picture}:-1"], "above 0"),
        (["--less", "{picture}"], "something to look for"),
        (["--more", "-", "--less", "-"], "once"),
        (["--more", "photos"], "is a folder"),
        (["--crop", "0,0,5,5", "--more", "{picture}"], "a picture to crop"),
    ],
    ids=str,
)
def test_examples_that_are_none(run: Run, photos: Path, picture: Path, options: list[str], reason: str) -> None:
    words = [word.format(picture=picture) for word in options]
    assert reason in sentence(run("search", "photos", *words, code=2).stderr)
    assert not (photos / ".lookalike").exists(), "refused before anything was indexed"


def test_an_example_that_is_no_picture(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("these are notes, not a picture\n" * 10)
    assert "notes.jpg: not" in sentence(run("search", picture, "photos", "--less", "notes.jpg", code=2).stderr)
    assert not (photos / ".lookalike").exists()


# -- QUERY and WHERE -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "received nothing; name a picture and the folder"),
        (["{picture}"], "received only"),
        (["photos"], "something to look for in photos"),
        (["{picture}", "{picture}", "photos"], "received 3 names; give further pictures by --more"),
        (["photos", "{picture}"], "is a folder; name a picture, and last the folder"),
        (["--id", "3"], "received nothing; name a picture and the folder"),
        (["--", "--id", "photos"], "--id: the query is not there"),
        (["--what", "photos"], "No such option"),
    ],
    ids=str,
)
def test_words_that_are_not_query_and_where(
    run: Run, photos: Path, picture: Path, words: list[str], reason: str
) -> None:
    done = run("search", *(word.format(picture=picture) for word in words), code=2)
    assert reason in sentence(done.stderr)
    assert not (photos / ".lookalike").exists()


def test_a_picture_whose_name_begins_with_a_dash(run: Run, indexed: Path, picture: Path, tmp_path: Path) -> None:
    shutil.copy(picture, tmp_path / "-odd.png")
    assert paths(run("search", "-k", "1", "--", "-odd.png", "photos")) == [str(picture.relative_to(tmp_path))]


# -- how sure ------------------------------------------------------------------------------------------


def test_noise_is_no_good_match(run: Run, indexed: Path, picture: Path, tmp_path: Path) -> None:
    Image.effect_noise((640, 480), 90).save(tmp_path / "noise.png")
    done = run("search", "noise.png", "photos", "-k", "3")
    assert len(done.stdout.splitlines()) == 3
    assert all(float(line.split()[1]) < 0.1 for line in done.stdout.splitlines())
    assert done.stderr.startswith("no good match: the nearest are farther away than 9")
    hits = [json.loads(line) for line in run("search", "noise.png", "photos", "--json").stdout.splitlines()]
    assert {hit["match"] for hit in hits} == {False}
    assert all(0 < hit["score"] < 0.1 for hit in hits)
    assert "no good match" not in run("search", picture, "photos").stderr


def test_of_few_pictures_nothing_is_told(run: Run, tmp_path: Path, indexed: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        shutil.copy(first(indexed, "cats", number), few)
    Image.effect_noise((640, 480), 90).save(tmp_path / "noise.png")
    done = run("search", "noise.png", "few")
    assert [len(line.split("  ")) for line in done.stdout.splitlines()] == [2] * 3
    assert "no good match" not in done.stderr
    for line in run("search", "noise.png", "few", "--json").stdout.splitlines():
        assert (json.loads(line)["score"], json.loads(line)["match"]) == (None, None)


# -- the page ------------------------------------------------------------------------------------------


def test_the_page_shows_what_was_searched_by(run: Run, indexed: Path, picture: Path, tmp_path: Path) -> None:
    def page(*words: str | Path) -> str:
        run("search", *words, "photos", "-k", "2", "--html", "page.html")
        return (tmp_path / "page.html").read_text()

    several = page(picture, "--more", f"{first(indexed, 'cats')}:0.5", "--less", first(indexed, "clocks"))
    assert "3 examples" in several
    assert [several.count(f">{sign}</span>") for sign in ("+", "+ 0.5", "−")] == [1, 1, 1]
    assert several.count("data:image/") == 3 + 2
    crop = page(picture, "--crop", "5,6,70,80")
    assert f"{picture.name}: 70 × 80 pixels at 5, 6" in crop
    assert "and 1 more" not in crop
    hit = json.loads(run("search", picture, "photos", "-k", "1", "--json").stdout)
    assert f"Look-alikes of {Path(hit['path']).name}" in page("--id", str(hit["id"]))
    with lookalike.Collection.open(indexed) as collection:
        np.save(tmp_path / "v.npy", collection.vector(picture))
    vector = page("--vector", "v.npy")
    assert "1,280 numbers" in vector
    assert vector.count("data:image/") == 2
    Image.effect_noise((640, 480), 90).save(tmp_path / "noise.png")
    assert "no good match" in page("noise.png")
