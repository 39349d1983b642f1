"""What docs/metadata.md shows is run, and its grammar is the parser's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from lookalike.collection import Collection
from lookalike.demo import folder
from lookalike.facts import parse, read_sidecar

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "metadata.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_python_and_csv(tmp_path: Path) -> None:
    cats = sorted(Path(folder(), "cats").iterdir())
    (tmp_path / "photos").mkdir()
    for i, cat in enumerate(cats):
        shutil.copy(cat, tmp_path / "photos" / ("cat.jpg" if i == 0 else cat.name))
    shutil.copy(cats[1], tmp_path / "cat.jpg")
    (program,) = blocks("python")
    program = "import lookalike; photos = lookalike.open('photos')\n" + program.replace(
        "photos.search(", "assert photos.search("
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (table,) = blocks("csv")
    (tmp_path / "photos" / "labels.csv").write_text(table)
    with Collection.open(tmp_path / "photos") as photos:
        described = photos.describe(read_sidecar(str(tmp_path / "photos" / "labels.csv")))
        assert (described.pictures, len(described.unknown)) == (1, 1)
        assert photos.facts(tmp_path / "photos" / "cat.jpg")["favourite"] is True


def test_the_grammar_is_the_one_of_the_parser() -> None:
    module = sys.modules[parse.__module__]
    assert module.__doc__
    (grammar,) = blocks("text")
    assert grammar.strip() in re.sub(r"^    ", "", module.__doc__, flags=re.MULTILINE)


def test_the_conditions_of_the_page_are_some() -> None:
    conditions = re.findall(r'--where "(.*?)"', PAGE) + re.findall(
        r"^\| `(\w+ (?:=|contains|in|is) .*?)`", PAGE, re.MULTILINE
    )
    assert len(conditions) == 5
    for where in conditions:
        parse(where)
