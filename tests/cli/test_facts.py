"""`--metadata` and `--where`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run

CSV = "path,stars,label\nphotos/{fruit},5,apple\nphotos/{cat},2,\nphotos/gone.png,1,x\n"


def some(photos: Path, kind: str) -> str:
    return f"{kind}/{sorted(p.name for p in (photos / kind).iterdir())[1]}"


def test_facts_from_a_file_are_searched_by(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    fruit, cat = some(photos, "fruit"), some(photos, "cats")
    (tmp_path / "facts.csv").write_text(CSV.format(fruit=fruit, cat=cat))
    done = run("index", "photos", "--metadata", "facts.csv")
    assert "facts given to 2 pictures" in done.stderr
    assert "1 path with facts but without a picture here:" in done.stderr
    assert str(photos / "gone.png") in done.stderr
    rows = run("search", picture, "photos", "--where", "stars >= 1").stdout.splitlines()
    assert {row.split("  ")[-1] for row in rows} == {f"photos/{fruit}", f"photos/{cat}"}
    line = run("search", picture, "photos", "--where", "label = 'apple' and width > 1", "--json").stdout
    facts = json.loads(line)["facts"]
    assert (facts["stars"], facts["label"], facts["folder"]) == (5, "apple", "fruit")
    none = run("search", picture, "photos", "--where", "stars = 3", code=1)
    assert none.stderr.strip().endswith("among the other pictures in photos of which stars = 3")


def test_a_condition_that_is_wrong_is_said_before_anything_is_indexed(run: Run, photos: Path, picture: Path) -> None:
    done = run("search", picture, "photos", "--where", "year => 2020", code=2)
    assert done.stderr.strip().endswith("received '>' at character 7: year =▸> 2020")
    assert len(done.stderr.splitlines()) == 1
    assert not (photos / ".lookalike").exists()


def test_a_name_that_is_wrong_is_met_by_those_there_are(run: Run, photos: Path, picture: Path) -> None:
    run("index", "photos")
    done = run("search", picture, "photos", "--where", "yeer = 2020", code=2)
    assert "did you mean year?" in done.stderr
    assert "camera, damaged, day, ext, folder" in done.stderr


def test_a_name_in_another_case_is_met_by_the_one_that_was_meant(
    run: Run, photos: Path, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "facts.csv").write_text(f"path,Focal length\n{picture},50\n")
    run("index", "photos", "--metadata", "facts.csv")
    for name, meant in (("YEAR", "year"), ("Kamera", "camera"), ("focal_length", '"Focal length"')):
        done = run("search", picture, "photos", "--where", f"{name} > 1", code=2)
        assert done.stderr.endswith(f"; did you mean {meant}?\n")
    done = run("search", picture, "photos", "--where", "colour = 1", code=2)
    assert "did you mean" not in done.stderr


def test_info_lists_the_names_that_conditions_may_use(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.ndjson").write_text(json.dumps({"path": str(picture), "labels": ["a"], "year": "none"}))
    run("index", "photos", "--metadata", "facts.ndjson")
    (line,) = [line for line in run("info", "photos").stdout.splitlines() if line.startswith("facts ")]
    assert "path, folder, name, ext, size, width, height, modified, taken, year," in line
    assert "longitude, media, pages, damaged, labels; search by them with --where" in line
    kinds = json.loads(run("info", "photos", "--json").stdout)["facts"]
    assert (kinds["labels"], kinds["year"], kinds["width"]) == (["list"], ["number", "text"], ["number"])


def test_the_page_says_the_condition(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    run("search", picture, "photos", "--where", "width > 1 and name != '<b>'", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "only pictures of which width &gt; 1 and name != &#39;&lt;b&gt;&#39;" in page
    run("search", picture, "photos", "--html", "page.html")
    assert "only pictures" not in (tmp_path / "page.html").read_text()


def test_a_file_of_facts_that_is_wrong_is_said_before_anything_is_indexed(
    run: Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "facts.csv").write_text("path,stars\na.png,1,2\n")
    assert "facts.csv, line 2: expected 2 cells" in run("index", "photos", "--metadata", "facts.csv", code=2).stderr
    assert "received No such file" in run("index", "photos", "--metadata", "no.csv", code=2).stderr
    assert not (photos / ".lookalike").exists()


def test_a_sync_gives_facts_too(run: Run, photos: Path, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text(f"path,liked\n{picture},true\n")
    assert "facts given to 1 picture\n" in run("sync", photos, "--metadata", tmp_path / "facts.csv").stderr
    found = run("search", next((photos / "cats").iterdir()), photos, "--where", "liked = true", "--json").stdout
    assert json.loads(found)["path"] == str(picture)
    assert "without --watch" in run("sync", photos, "--watch", "--metadata", tmp_path / "facts.csv", code=2).stderr
