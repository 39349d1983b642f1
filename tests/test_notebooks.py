"""The notebooks run as they are: what they say they assert themselves, and what they print is theirs alone."""

from __future__ import annotations

import importlib
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .conftest import Require

pytestmark = pytest.mark.thorough

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NEEDED = ("annoy", "ipykernel", "matplotlib", "nbclient", "nearpy")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def test_they_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["experiment", "recall"]


@every_notebook
def test_stored_without_what_it_printed(path: Path) -> None:
    assert json.loads(path.read_text())["metadata"]["kernelspec"]["name"] == "python3"
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@every_notebook
def test_links_lead_somewhere(path: Path) -> None:
    for cell in cells(path, "markdown"):
        for link in re.findall(r"\]\(([^)#]+)", "".join(cell["source"])):
            assert link.startswith("https://") or (FOLDER / link).is_file(), link


@every_notebook
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_or_skip: Require) -> None:
    require_or_skip(all(map(find_spec, NEEDED)), "needs the notebooks' libraries: pip install 'lookalike[notebooks]'")
    import nbformat
    from nbclient import NotebookClient

    importlib.import_module("matplotlib.font_manager")  # which may say, once, that it is looking for fonts
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(work)}}).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert list(work.iterdir()) == []
