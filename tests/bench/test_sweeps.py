"""The measurements of benchmarks/ that sweep our own index, on a tiny set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import by_hand
import mixture
import stores
from lookalike.bench.datasets import Dataset, Queries, save
from lookalike.bench.truth import exact_neighbors


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of 6,000 vectors around 20 centres; the engine puts so many in buckets."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((20, 16))
    drawn = centres[random.integers(20, size=6_020)] + 0.3 * random.standard_normal((6_020, 16))
    base, queries = drawn[20:].astype(np.float32), drawn[:20].astype(np.float32)
    path = str(tmp_path_factory.mktemp("sweeps") / "tiny.hdf5")
    save(path, Dataset("tiny", "euclidean", base, Queries(queries, *exact_neighbors(base, queries, "euclidean", 10))))
    return path


def rows(text: str) -> list[list[str]]:
    """The cells of the table, without its titles."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_a_mixture_is_like_what_it_is_fitted_to() -> None:
    random = np.random.default_rng(3)
    base = np.concatenate([random.normal(m, [1, 3], (5_000, 2)) for m in (0, 20)]).astype(np.float32)
    fitted = mixture.fit(base, components=4)
    drawn = np.concatenate(list(fitted.blocks(20_000)))
    assert len(drawn) == 20_000
    assert np.array_equal(drawn, np.concatenate(list(mixture.fit(base, components=4).blocks(20_000))))
    assert drawn.dtype == np.float32
    assert drawn.min() >= base.min()
    assert drawn.max() <= base.max()
    assert np.allclose(drawn.mean(axis=0), base.mean(axis=0), atol=0.5)
    assert np.allclose(np.cov(drawn.T), np.cov(base.T), rtol=0.05)
    assert abs(np.mean(drawn[:100, 0] > 10) - 0.5) < 0.3  # in random order


def test_fewer_of_a_mixture_are_the_first_of_more() -> None:
    random = np.random.default_rng(3)
    fitted = mixture.fit(random.normal(0, 1, (1_000, 3)).astype(np.float32), components=5)
    more = list(fitted.blocks(mixture.BLOCK + 1_000))
    assert [len(block) for block in more] == [mixture.BLOCK, 1_000]
    fewer = [*fitted.blocks(mixture.BLOCK + 10)]
    assert np.array_equal(np.concatenate(fewer), np.concatenate(more)[: mixture.BLOCK + 10])
    assert not np.array_equal(next(fitted.blocks(10, seed=1)), more[0][:10])


def test_stores(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    stores.main([data, "--rounds", "1", "--plot", str(tmp_path / "stores.png")])
    found = rows(capsys.readouterr().out)
    assert [row[0] for row in found] == ["float32", "float16", "none"]
    sizes = [float(row[1]) for row in found]
    assert sizes[0] - sizes[1] == pytest.approx(32, abs=1.5)  # 16 dimensions of 2 bytes; the same sketches
    assert sizes[1] > sizes[2]
    assert (tmp_path / "stores.png").read_bytes().startswith(b"\x89PNG")


def test_by_hand(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand.main([data, "--rounds", "2"])
    found = rows(capsys.readouterr().out)
    assert [row[0] for row in found] == ["0.90", "0.95", "0.99"]
    assert all(float(row[1]) > 0.8 for row in found)
    for _, _, ours, pair, best, ratio in found:
        assert min(int(number) for number in pair.split(", ")) >= 1
        assert float(ratio) == pytest.approx(float(ours) / float(best), abs=0.02)
    with pytest.raises(SystemExit, match="called tune"):
        by_hand.main([data, "--tuned"])


def test_filters(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    filters = pytest.importorskip("filters", reason="needs hnswlib and faiss: pip install 'lookalike[bench]'")
    filters.main([data, "--rounds", "1", "--seconds", "0.01", "--keep", "0.5", "0.01"])
    found = rows(capsys.readouterr().out)
    assert [row[:2] for row in found] == [[a, b] for a in ("random", "ball") for b in ("50.0%", "1.0%")]
    assert all(float(row[4]) > 0.8 for row in found)
    with pytest.raises(SystemExit, match="at least k = 10"):
        filters.main([data, "--keep", "0.001"])


def test_what_a_filter_leaves_out_is_no_neighbour() -> None:
    filters = pytest.importorskip("filters", reason="needs hnswlib and faiss: pip install 'lookalike[bench]'")
    base = np.arange(8, dtype=np.float32)[:, None]
    queries = np.array([[0.1]], np.float32)
    data = Dataset("line", "euclidean", base, Queries(queries, *exact_neighbors(base, queries, "euclidean", 2)))
    found = filters.recall_among(data, queries, base[:, 0] % 2 == 1, 2)
    assert found(np.array([[1, 3]])) == 1
    assert found(np.array([[0, 1]])) == 0.5
    assert found(np.array([[2, -1]])) == 0
