"""The law of imports: down only, siblings do not know each other, each third party has one door."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "lookalike"

LAYERS = [  # from the top; those in one row do not import each other
    {"__main__"},
    {"cli"},
    {"pages", "demo", "dedupe"},
    {"collection", "neighbors", "bench"},
    {"index", "models", "images", "facts", "vectors"},
    {"hashing"},
    {"metric", "arrays", "names", "durable", "memory", "fitting"},
    {"errors", "_core", "_jpeg"},
]
FACADE = {"__init__"}  # lookalike/__init__.py names what is public; nobody below it may ask it for anything
FROM_FACADE = {"__version__"}  # except for this

DOORS: dict[
    str, str | tuple[str, ...]
] = {  # where a third party, or a costly part of the standard library, may be imported
    "PIL": "images/",
    "pi_heif": "images/",
    "pillow_jxl": "images/jxl.py",
    "av": "images/video.py",
    "onnxruntime": "models/onnx.py",
    "torch": "models/networks/",
    "torchvision": "models/networks/torchvision.py",
    "timm": "models/networks/timm.py",
    "open_clip": "models/networks/clip.py",
    "safetensors": "models/networks/weights.py",
    "huggingface_hub": "models/networks/downloads.py",
    "sqlite3": "collection/catalogue/database",
    "watchfiles": "collection/sync/signs.py",
    "jinja2": "pages/",
    "markupsafe": "pages/",
    "typer": "cli/",
    "rich": "cli/",
    "subprocess": ("images/process.py", "bench/machine.py"),
    "http": "images/urls/",  # whatever may open a connection: that is promised to be done only on demand
    "socket": "images/urls/",
    "ssl": "images/urls/",
    "pyarrow": ("facts/parquet.py", "vectors/arrow", "images/archives/parquet.py"),  # facts, a matrix, pictures
    "h5py": "vectors/hdf5",
    "matplotlib": "bench/plot.py",
    "annoy": "bench/competitors/annoy.py",
    "datasketch": "bench/competitors/datasketch.py",
    "faiss": "bench/competitors/faiss.py",
    "hnswlib": "bench/competitors/hnswlib.py",
    "nearpy": "bench/competitors/nearpy.py",
    "numba": "bench/competitors/pynndescent.py",
    "pynndescent": "bench/competitors/pynndescent.py",
    "rabitqlib": "bench/competitors/rabitqlib.py",
    "scann": "bench/competitors/scann.py",
    "svs": "bench/competitors/svs.py",
    "usearch": "bench/competitors/usearch.py",
    "voyager": "bench/competitors/voyager.py",
    "threadpoolctl": "bench/competitors/threads.py",
    "sklearn": ("neighbors/", "bench/competitors/sklearn.py"),
    "scipy": "neighbors/",
    "joblib": "neighbors/",
    "numpy": "",  # everywhere
}

FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def imports(file: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, also those in functions and for type checkers."""
    package = ["lookalike", *file.split("/")[:-1]]
    for node in ast.walk(ast.parse((SOURCE / file).read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def part(file: str) -> str:
    return file.removesuffix(".py").split("/")[0]


def layer(name: str) -> int:
    return next(depth for depth, row in enumerate(LAYERS) if name in row)


def test_every_file_has_a_place() -> None:
    assert {part(file) for file in FILES} == set.union(*LAYERS) - {"_core", "_jpeg"} | FACADE


@pytest.mark.parametrize("file", FILES)
def test_imports_go_down_only(file: str) -> None:
    if file == "__init__.py":
        return
    for line, name in imports(file):
        top, _, rest = name.partition(".")
        if top != "lookalike":
            continue
        what = rest.split(".")[0]
        if what == part(file) or what in FROM_FACADE:
            continue
        assert what in set.union(*LAYERS), f"{file}:{line} asks the package itself for {name}"
        assert layer(part(file)) < layer(what), f"{file}:{line} imports {name}, which is not below it"


@pytest.mark.parametrize("file", FILES)
def test_each_third_party_has_one_door(file: str) -> None:
    for line, name in imports(file):
        top = name.split(".")[0]
        if top in DOORS:
            assert file.startswith(DOORS[top]), f"{file}:{line} imports {top}, whose door is {DOORS[top]}"
        else:
            assert top == "lookalike" or top in sys.stdlib_module_names, (
                f"{file}:{line} imports {top}, which has no door"
            )


def test_no_door_without_a_house() -> None:
    used = {name.split(".")[0] for file in FILES for _, name in imports(file)}
    assert DOORS.keys() <= used


CPP = sorted(
    path
    for folder in ("kernels", "engine", "pictures", "bindings")
    for path in (ROOT / "cpp" / folder).rglob("*.[ch]pp")
)
ENGINE = ("base", "rows", "projection", "hash", "sketch", "recall", "router", "segment", "search", "sealing", "index")
"""The rooms of the engine: each may include those before it, and the numbers of tuning.hpp, which includes none."""
MAY_INCLUDE = (
    {  # in quotation marks, beside the files of the same folder
        "kernels": (),
        "engine": (),  # tuning.hpp
        "pictures": ("pictures/",),
        "bindings": ("bindings/", "engine/", "pictures/", "kernels/dispatch.hpp"),
    }
    | {
        room: (
            *(f"engine/{other}/" for other in ENGINE[: floor + 1]),
            "engine/tuning.hpp",
            "kernels/dispatch.hpp",
            "xxhash.h",
        )
        for floor, room in enumerate(ENGINE)
    }
)


@pytest.mark.parametrize("path", CPP, ids=lambda path: path.relative_to(ROOT / "cpp").as_posix())
def test_includes_go_down_only(path: Path) -> None:
    for quote, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', path.read_text(), re.MULTILINE):
        if quote == '"':
            assert (path.parent / name).is_file() or name.startswith(MAY_INCLUDE[path.parent.name]), name
        elif name.startswith(("nanobind", "Python")):
            assert path.parent.name == "bindings", name
        elif name.startswith("numpy"):
            assert path.name == "numpy.cpp", name
