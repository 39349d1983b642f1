"""`lookalike demo`, as a newcomer sees it."""

from __future__ import annotations

from pathlib import Path

from lookalike.demo import QUERIES

from .conftest import Run


def test_demo_prints_neighbours_and_writes_a_page(run: Run, tmp_path: Path) -> None:
    done = run("demo")
    blocks = done.stdout.strip().split("\n\n")
    assert len(blocks) == len(QUERIES)
    for block in blocks:
        head, *neighbours = block.splitlines()
        assert "compared with" in head
        distances = [float(line.split()[0]) for line in neighbours]
        assert len(distances) == 3
        assert 0.0 < distances[0] <= distances[1] <= distances[2] < 1.0
    assert "vectors of 1280 dimensions" in done.stderr
    assert "lookalike search cat.jpg ~/Pictures" in done.stderr
    page = (tmp_path / "lookalike-demo.html").read_text()
    assert page.count("data:image/") == 4 * len(QUERIES)


def test_lsh_compares_fewer_than_all(run: Run) -> None:
    heads = [line for line in run("demo", "--html", "p.html").stdout.splitlines() if "compared with" in line]
    for head in heads:
        words = head.split("compared with ")[1].split()
        assert int(words[0]) < int(words[2])


def test_page_that_cannot_be_written(run: Run) -> None:
    done = run("demo", "--html", "nowhere/p.html", code=2)
    assert "nowhere/p.html" in done.stderr
    assert done.stdout == "", "refused before any work"
