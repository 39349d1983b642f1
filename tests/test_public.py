"""What is public, listed once; and what `import lookalike` brings along."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike
from lookalike import Index, Neighbors

PUBLIC = ["Collection", "Index", "Neighbors", "errors", "open"]

INDEX = [
    "add",
    "dim",
    "explain",
    "filter",
    "ids",
    "metric",
    "neighbors_of",
    "note",
    "open",
    "optimize",
    "range_search",
    "remove",
    "salvage",
    "save",
    "search",
    "snapshot",
    "store",
    "tune",
    "verify",
]

HEAVY = [
    "PIL",
    "concurrent.futures",
    "h5py",
    "jinja2",
    "multiprocessing",
    "onnxruntime",
    "pyarrow",
    "rich",
    "sqlite3",
    "subprocess",
    "torch",
    "typer",
    "watchfiles",
]


def test_the_public_names_are_listed_once_and_sorted() -> None:
    assert lookalike.__all__ == sorted(set(lookalike.__all__)) == PUBLIC
    for name in PUBLIC:
        assert getattr(lookalike, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'lookalike' has no attribute 'Indexx'"):
        lookalike.Indexx  # type: ignore[attr-defined]  # noqa: B018


def test_the_version_is_the_packages() -> None:
    project = Path(__file__).parent.parent / "pyproject.toml"
    assert re.search(r'^version = "(.+)"$', project.read_text(), re.MULTILINE)[1] == lookalike.__version__  # type: ignore[index]


def test_the_face_of_an_index() -> None:
    assert sorted(name for name in dir(Index) if not name.startswith("_")) == INDEX
    for name in INDEX:
        assert inspect.getdoc(getattr(Index, name))
    assert list(Neighbors.__dataclass_fields__) == ["ids", "distances", "recall", "candidates"]


def modules_after(code: str) -> set[str]:
    code = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "from lookalike import Index",
        "import lookalike; index = lookalike.Index(3); index.add([1.0, 2.0, 3.0]); index.search([1.0, 2.0, 3.0])",
        "from lookalike.hashing import Hyperplanes",
    ],
)
def test_an_index_brings_numpy_and_nothing_heavy(code: str) -> None:
    alone, ours = modules_after("import numpy"), modules_after(code)
    assert "numpy" in ours
    assert not {name for name in ours - alone if any(f"{name}.".startswith(f"{heavy}.") for heavy in HEAVY)}


def test_importing_brings_not_even_numpy() -> None:
    ours = {name for name in modules_after("import lookalike") if name.startswith(("lookalike", "numpy"))}
    assert ours == {"lookalike", "lookalike.errors"}


def test_an_index_brings_little_beside_numpy() -> None:
    more = modules_after("from lookalike import Index") - modules_after("import numpy")
    ours = {name for name in more if name.startswith("lookalike")}
    assert ours == {
        "lookalike",
        "lookalike._core",
        "lookalike.arrays",
        "lookalike.errors",
        "lookalike.index",
        "lookalike.index.arguments",
        "lookalike.index.explanation",
        "lookalike.index.family",
        "lookalike.index.filter",
        "lookalike.index.index",
        "lookalike.index.neighbors",
        "lookalike.index.reader",
        "lookalike.index.snapshot",
        "lookalike.index.store",
        "lookalike.index.within",
        "lookalike.metric",
    }
    assert len(more - ours) < 25


def test_type_checkers_are_told_that_we_are_typed() -> None:
    folder = Path(lookalike.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_core.pyi").is_file()
    assert (folder / "_jpeg.pyi").is_file()
