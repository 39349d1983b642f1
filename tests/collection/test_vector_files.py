"""Collections of vectors from files: taken in, brought up to date, searched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.sealed import bulk, segments
from lookalike.collection.sync import vector_files
from lookalike.errors import ModelError, PictureError, VectorError
from lookalike.metric import Metric
from lookalike.vectors import VectorFile

from .conftest import Python
from .vectors import COUNT, DIM, NAMES, VECTORS, by_steps, counts, plain, require_holds, rows, write


def hdf5(path: Path) -> None:
    write(path, rows())


def numpy_beside_names(path: Path) -> None:
    pytest.importorskip("pyarrow")
    write(path, rows())


def numpy_archive(path: Path) -> None:
    np.savez(path, feats=VECTORS, filenames=np.array(NAMES))


def parquet(path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    lists = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), DIM)
    parquet.write_table(pa.table({"path": NAMES, "vector": lists}), path)


def word2vec(path: Path) -> None:
    write(path, rows())


def glove(path: Path) -> None:
    path.write_text(
        "".join(f"{name} {' '.join(map(str, row))}\n" for name, row in zip(NAMES, VECTORS.tolist(), strict=True))
    )


NAMED = {
    "v.h5": hdf5,
    "v.npy": numpy_beside_names,
    "v.npz": numpy_archive,
    "v.parquet": parquet,
    "v.vec": word2vec,
    "v.bin": word2vec,
    "glove.txt": glove,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_with_names(tmp_path: Path, name: str) -> None:
    NAMED[name](tmp_path / name)
    with Collection.create(tmp_path / name, tmp_path / "index") as collection:
        assert len(collection) == 0
        report = collection.sync()
        assert counts(report) == {"new": COUNT}
        require_holds(collection, rows())
        assert collection.info().roots == [str(tmp_path / name)]
        assert (collection.info().pending, collection.info().segments) == (0, 1)
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": COUNT}
        require_holds(collection, rows())


def fvecs(path: Path) -> None:
    record = np.empty(COUNT, [("dim", "<i4"), ("vector", "<f4", (DIM,))])
    record["dim"], record["vector"] = DIM, VECTORS
    path.write_bytes(record.tobytes())


def fbin(path: Path) -> None:
    path.write_bytes(np.array([COUNT, DIM], "<u4").tobytes() + VECTORS.tobytes())


def matrix(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["embeddings"] = VECTORS


UNNAMED = {"v.fvecs": fvecs, "v.fbin": fbin, "v.npy": lambda path: np.save(path, VECTORS), "v.h5": matrix}


@pytest.mark.parametrize("name", UNNAMED)
def test_a_file_without_names_has_its_rows_called_by_their_numbers(tmp_path: Path, name: str) -> None:
    UNNAMED[name](tmp_path / name)
    with Collection.create(tmp_path / name, tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": COUNT}
        require_holds(collection, rows([f"{name}:{i}" for i in range(COUNT)]))
        assert counts(collection.sync()) == {"unchanged": COUNT}


def test_to_read_a_file_is_to_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on where a file is read, and nowhere else."""
    now = 0.0

    def read(opened: VectorFile, *arguments: Any, of: Callable[..., Any]) -> Any:
        nonlocal now
        now += 1
        return of(opened, *arguments)

    monkeypatch.setattr("lookalike.collection.sync.report.perf_counter", lambda: now)
    for name in ("require", "rows_of"):
        monkeypatch.setattr(vector_files, name, partial(read, of=getattr(vector_files, name)))
    with Collection.create(plain(tmp_path / "v.npy", VECTORS, 0), tmp_path / "index") as collection:
        assert collection.sync().seconds["find"] == 1, "it was looked through already, to make the collection"
        plain(tmp_path / "v.npy", VECTORS[1:], 1)
        told = collection.sync()
        assert told.seconds == {"find": 2, "decode": 0, "embed": 0, "commit": 0, "seal": 0}
        assert told.elapsed == 2


@pytest.mark.parametrize("steps", [7, 16384])
def test_what_changes_in_a_file(tmp_path: Path, steps: int) -> None:
    """Changed, removed, renamed, new and reordered rows, at once and in turn."""
    file, now = tmp_path / "v.h5", rows()
    with by_steps(steps), Collection.create(write(file, now, 0), tmp_path / "index") as collection:
        collection.sync()
        ids = {hit.path: hit.id for hit in collection.search(VECTORS[0], k=COUNT)}
        for i in (0, 150, 299):
            now[NAMES[i]] = now[NAMES[i]] + 1
        write(file, now, 1)
        assert counts(collection.sync()) == {"changed": 3, "unchanged": COUNT - 3}
        require_holds(collection, now)
        for i in (0, 1, 298):
            del now[NAMES[i]]
        write(file, now, 2)
        assert counts(collection.sync()) == {"removed": 3, "unchanged": COUNT - 3}
        require_holds(collection, now)
        now = {("renamed" if name == NAMES[7] else name): row for name, row in now.items()}
        write(file, now, 3)
        assert counts(collection.sync()) == {"new": 1, "removed": 1, "unchanged": COUNT - 4}
        require_holds(collection, now)
        now = dict(reversed(now.items()))
        write(file, now, 4)
        assert counts(collection.sync()) == {"unchanged": COUNT - 3}
        now[NAMES[2]], now[NAMES[3]] = now[NAMES[3]], now[NAMES[2]]
        del now[NAMES[4]]
        now["new"] = np.ones(DIM, np.float32)
        write(file, now, 5)
        assert counts(collection.sync()) == {"new": 1, "changed": 2, "removed": 1, "unchanged": COUNT - 6}
        require_holds(collection, now)
        same = {hit.path: hit.id for hit in collection.search(VECTORS[0], k=COUNT)}
        kept = [name for name in NAMES if name in same and name not in (NAMES[150], NAMES[299], NAMES[2], NAMES[3])]
        assert [same[name] for name in kept] == [ids[name] for name in kept]
        others = same.keys() - set(kept)
        assert others >= {NAMES[2], NAMES[150], "renamed", "new"}
        assert not {same[name] for name in others} & set(ids.values()), "an id's vector never changes"


def test_rows_without_names_are_what_is_at_their_numbers(tmp_path: Path) -> None:
    file = plain(tmp_path / "v.npy", VECTORS, 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        plain(file, VECTORS[5:], 1)
        assert counts(collection.sync()) == {"changed": COUNT - 5, "removed": 5}
        require_holds(collection, rows([f"v.npy:{i}" for i in range(COUNT - 5)], VECTORS[5:]))


def test_a_file_that_is_only_touched(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        generation = collection._catalogue.about().generation
        write(file, rows(), 1)
        assert counts(collection.sync()) == {"unchanged": COUNT}
        assert collection._catalogue.about().generation == generation + 1
        assert counts(collection.sync()) == {"unchanged": COUNT}
        assert collection._catalogue.about().generation == generation + 1


def test_a_file_whose_end_changed_is_told_though_its_size_and_time_were_put_back(tmp_path: Path) -> None:
    many = np.random.default_rng(5).standard_normal((20_000, DIM)).astype(np.float32)
    file = plain(tmp_path / "v.npy", many, 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        many[-1] += 1
        plain(file, many, 0)
        assert counts(collection.sync()) == {"changed": 1, "unchanged": len(many) - 1}
        assert counts(collection.sync()) == {"unchanged": len(many)}
        many[len(many) // 2] += 1
        plain(file, many, 0)
        assert counts(collection.sync()) == {"unchanged": len(many)}, "which nobody can see"


def test_a_file_that_an_earlier_version_took_in_gets_its_mark(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        with collection._access.writer(0) as catalogue, catalogue.writing():
            catalogue.containers.marks.drop(b"v.h5")
        for _ in range(2):
            assert counts(collection.sync()) == {"unchanged": COUNT}
        (mark,) = collection._catalogue.containers.marks.all()
        assert mark.items == COUNT
        assert Collection.verify(tmp_path / "index") == []


def test_several_files_are_one_set(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")  # for names beside .npy
    first = write(tmp_path / "a.h5", rows(NAMES[:200], VECTORS[:200]), 0)
    second = write(tmp_path / "b.npy", rows(NAMES[200:], VECTORS[200:]), 0)
    with Collection.create([first, second], tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": COUNT}
        require_holds(collection, rows())
        assert sorted(collection.info().roots) == [str(first), str(second)]
        write(second, rows(NAMES[200:250], VECTORS[200:250]), 1)
        assert counts(collection.sync()) == {"removed": 50, "unchanged": 250}
        require_holds(collection, rows(NAMES[:250], VECTORS[:250]))
        first.unlink()
        report = collection.sync()
        assert counts(report) == {"kept": 200, "unchanged": 50, "lost": 1}
        assert report.lost[0].path == str(first)
        require_holds(collection, rows(NAMES[:250], VECTORS[:250]))


def test_a_file_that_is_added_later_may_have_names_of_the_first(tmp_path: Path) -> None:
    """Each file has its own; what is asked by a name is told of the first file."""
    first = write(tmp_path / "a.h5", rows(NAMES[:9], VECTORS[:9]))
    second = write(tmp_path / "b.h5", rows(NAMES[5:15], VECTORS[105:115]))
    with Collection.create(first, tmp_path / "index") as collection:
        collection.sync()
    with Collection.create(second, tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": 10, "unchanged": 9}
        assert sorted(collection.paths()) == sorted([*NAMES[:9], *NAMES[5:15]])
        assert np.array_equal(collection.vector(NAMES[7]), VECTORS[7])
        assert np.array_equal(collection.vector(NAMES[12]), VECTORS[112])
        assert {hit.path for hit in collection.search(VECTORS[107], k=1)} == {NAMES[7]}
        assert Collection.verify(tmp_path / "index") == []
        first.unlink()
        write(second, rows(NAMES[5:14], VECTORS[105:114]), 1)
        assert counts(collection.sync()) == {"removed": 1, "unchanged": 9, "kept": 9, "lost": 1}


def test_a_file_by_two_names_is_one(tmp_path: Path) -> None:
    file = write(tmp_path / "a.h5", rows())
    (tmp_path / "link.h5").symlink_to(file)
    with Collection.create([file, tmp_path / "link.h5", f"{tmp_path}/./a.h5"], tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": COUNT}
        assert collection.info().roots == [str(file)]


def test_a_zero_vector_fails_under_cosine_until_it_is_another(tmp_path: Path) -> None:
    now = rows()
    now[NAMES[3]] = np.zeros(DIM, np.float32)
    now[NAMES[4]] = np.full(DIM, 1e-20, np.float32)
    file = write(tmp_path / "v.h5", now, 0)
    with Collection.create(file, tmp_path / "index") as collection:
        report = collection.sync()
        assert counts(report) == {"new": COUNT - 2, "failed": 2, "newly_failed": 2}
        assert report.found == COUNT
        assert {failure.path for failure in report.failed} == {NAMES[3], NAMES[4]}
        assert collection.failed() == report.failed
        assert "no direction" in report.failed[0].reason
        assert collection.info().failed == 2
        require_holds(collection, {name: row for name, row in now.items() if name not in NAMES[3:5]})
        with pytest.raises(PictureError):
            collection.vector(NAMES[3])
        for retry in (False, True):
            assert counts(collection.sync(retry=retry)) == {"unchanged": COUNT - 2, "failed": 2}
        write(file, now, 1)
        assert counts(collection.sync()) == {"unchanged": COUNT - 2, "failed": 2}
        now[NAMES[3]] = VECTORS[3]
        write(file, now, 2)
        assert counts(collection.sync()) == {"new": 1, "unchanged": COUNT - 2, "failed": 1}
        now[NAMES[4]] = VECTORS[4]
        now[NAMES[5]] = np.zeros(DIM, np.float32)
        write(file, now, 3)
        assert counts(collection.sync()) == {"new": 1, "unchanged": COUNT - 2, "failed": 1, "newly_failed": 1}
        require_holds(collection, {name: row for name, row in now.items() if name != NAMES[5]})
        del now[NAMES[5]]
        write(file, now, 4)
        assert counts(collection.sync()) == {"unchanged": COUNT - 1}


def test_zero_vectors_are_compared_by_other_metrics(tmp_path: Path) -> None:
    now = rows() | {NAMES[3]: np.zeros(DIM, np.float32)}
    with Collection.create(write(tmp_path / "v.h5", now), tmp_path / "index", metric="euclidean") as collection:
        assert counts(collection.sync()) == {"new": COUNT}
        require_holds(collection, now)


def test_zero_vectors_alone(tmp_path: Path) -> None:
    with Collection.create(plain(tmp_path / "v.npy", np.zeros((5, 3))), tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"failed": 5, "newly_failed": 5}
        assert collection.search(np.ones(3)) == []
        assert Collection.verify(tmp_path / "index") == []


def test_facts_stay_with_a_name(tmp_path: Path) -> None:
    now = rows()
    file = write(tmp_path / "v.h5", now, 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        described = collection.describe({name: {"number": i} for i, name in enumerate(NAMES[:6])} | {"none": {"x": 1}})
        assert (described.pictures, described.unknown) == (6, ["none"])
        now[NAMES[0]] = now[NAMES[0]] + 1
        now[NAMES[1]] = np.zeros(DIM, np.float32)
        del now[NAMES[2]]
        write(file, now, 1)
        assert counts(collection.sync())["changed"] == 1
        assert collection.facts(NAMES[0])["number"] == 0
        assert collection.given(NAMES[:6]) == {NAMES[i]: {"number": i} for i in (0, 1, 3, 4, 5)}
        now[NAMES[1]] = VECTORS[1]
        now[NAMES[2]] = VECTORS[2]
        write(file, now, 2)
        assert counts(collection.sync())["new"] == 2
        assert collection.paths("number < 4") == [NAMES[i] for i in (3, 0, 1)], "in the order of their ids"
        hits = collection.search(VECTORS[1], k=9, where="number >= 1 and name != '4.jpg'")
        assert {hit.path for hit in hits} == {NAMES[1], NAMES[3], NAMES[5]}


def test_what_is_known_of_a_vector(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        facts = collection.facts(NAMES[17])
        assert facts == {
            "path": "photos/17.jpg",
            "folder": "photos",
            "name": "17.jpg",
            "ext": "jpg",
            "size": 4 * DIM,
            "modified": "2023-11-14T22:13:20",
        }
        (hit,) = collection.search(VECTORS[17], k=1)
        assert collection.facts_of([hit.id]) == {hit.id: facts}
        assert collection.paths("path = 'photos/17.jpg'") == [NAMES[17]]
        assert len(collection.search(VECTORS[0], k=COUNT, where="folder = 'photos' and ext = 'jpg'")) == COUNT
        info = collection.info()
        assert (info.things, info.model, info.model_hash, info.dim) == ("vectors", "vectors", "", DIM)
        assert (info.metric, info.failed, info.read_only) == ("cosine", 0, None)
        assert repr(collection) == f"<Collection of 300 vectors in {tmp_path / 'index'}>"


def test_a_query_is_a_vector(tmp_path: Path, folder: Path) -> None:
    with Collection.create(write(tmp_path / "v.h5", rows()), tmp_path / "index") as collection:
        collection.sync()
        hits = collection.search(VECTORS[5], k=3)
        cosines = 1 - VECTORS @ VECTORS[5] / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(VECTORS[5])
        assert [hit.path for hit in hits] == [NAMES[i] for i in np.argsort(cosines)[:3]]
        np.testing.assert_allclose([hit.distance for hit in hits], np.sort(cosines)[:3], atol=1e-6)
        assert collection.search(VECTORS[5], k=10**6, max_distance=0.1)[0].path == NAMES[5]
        with pytest.raises(VectorError, match="7 numbers"):
            collection.search(np.ones(DIM + 1))
        with pytest.raises(ModelError, match="came from files"):
            collection.search(folder / "0.png")
        with pytest.raises(PictureError, match="nobody"):
            collection.vector("nobody")


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "sqeuclidean", "dot"])
def test_a_metric(tmp_path: Path, metric: Metric) -> None:
    with Collection.create(write(tmp_path / "v.h5", rows()), tmp_path / "index", metric=metric) as collection:
        collection.sync()
        assert collection.info().metric == metric
        apart = VECTORS - VECTORS[5]
        norms = np.linalg.norm(VECTORS, axis=1)
        distances = {
            "cosine": 1 - VECTORS @ VECTORS[5] / norms / norms[5],
            "euclidean": np.linalg.norm(apart, axis=1),
            "sqeuclidean": (apart * apart).sum(axis=1),
            "dot": -VECTORS @ VECTORS[5],
        }[metric]
        hits = collection.search(VECTORS[5], k=9)
        np.testing.assert_allclose([hit.distance for hit in hits], np.sort(distances)[:9], atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, np.int64, ">f4"])
def test_numbers_of_other_types_are_kept_in_float32(tmp_path: Path, dtype: Any) -> None:
    given = (VECTORS * 50).astype(np.uint8 if dtype is np.uint8 else dtype)
    with Collection.create(plain(tmp_path / "v.npy", given, 0), tmp_path / "index", metric="euclidean") as collection:
        collection.sync()
        require_holds(collection, rows([f"v.npy:{i}" for i in range(COUNT)], given.astype(np.float32)))
        plain(tmp_path / "v.npy", given, 1)
        assert counts(collection.sync()) == {"unchanged": COUNT}


def test_how_a_file_is_read_is_remembered(tmp_path: Path) -> None:
    """Of two matrices that are as wide as high, the second, by columns, with names of its own."""
    square = np.random.default_rng(5).standard_normal((DIM, DIM)).astype(np.float32)
    words = [f"word{i}" for i in range(DIM)]

    def save(time: int, of: np.ndarray) -> None:
        with h5py.File(tmp_path / "v.h5", "w") as file:
            file["feats"], file["filenames"] = VECTORS[:DIM], [f"other{i}" for i in range(DIM)]
            file["more"], file["words"] = of, words
        shutil.copyfile(tmp_path / "v.h5", tmp_path / "w.h5")
        write(tmp_path / "touched.h5", rows(), time)
        for name in ("v.h5", "w.h5"):
            shutil.copystat(tmp_path / "touched.h5", tmp_path / name)

    save(0, square)
    with Collection.create(
        tmp_path / "v.h5", tmp_path / "index", key="more", layout="columns", names="words"
    ) as collection:
        assert counts(collection.sync()) == {"new": DIM}
        require_holds(collection, rows(words, square.T))
    square[:, 2] = 9
    save(1, square)
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"changed": 1, "unchanged": DIM - 1}
        require_holds(collection, rows(words, square.T))
    with Collection.create(tmp_path / "w.h5", tmp_path / "index", key="feats", layout="rows") as collection:
        assert counts(collection.sync()) == {"new": DIM, "unchanged": DIM}, "another file has options of its own"
    with Collection.create(
        tmp_path / "v.h5", tmp_path / "index", key="more", layout="rows", names="words"
    ) as collection:
        assert counts(collection.sync())["changed"] == DIM, "and those of a file may be given anew"
        assert np.array_equal(collection.vector("word1"), square[1])


def test_nothing_is_read_of_a_file_that_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = rows() | {NAMES[0]: np.zeros(DIM, np.float32)}
    with Collection.create(write(tmp_path / "v.h5", now, 0), tmp_path / "index") as collection:
        collection.sync()
        read: list[object] = []
        select = Catalogue._one  # every item that is made of a row passes one of these

        def one(*given: Any) -> Any:
            read.append("an item")
            return select(*given)

        for name in ("items", "under", "at", "between"):
            monkeypatch.setattr(Catalogue, name, lambda *given, name=name: read.append(name))
        monkeypatch.setattr(vector_files, "open_vectors", lambda *given, **how: read.append("the file"))
        monkeypatch.setattr(Catalogue, "_one", one)
        assert counts(collection.sync()) == {"unchanged": COUNT - 1, "failed": 1}
        assert read == []


def test_a_first_sync_does_not_read_twice_what_was_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, looked = write(tmp_path / "v.h5", rows(), 0), 0

    def require(*given: Any) -> None:
        nonlocal looked
        looked += 1

    monkeypatch.setattr(vector_files, "require", require)
    with Collection.create(file, tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": COUNT}
        assert looked == 0
        write(file, rows(), 1)
        assert counts(collection.sync()) == {"unchanged": COUNT}
        assert looked == 1
    with Collection.create(file, tmp_path / "other") as collection:
        write(file, rows(), 2)
        assert counts(collection.sync()) == {"new": COUNT}
        assert looked == 2, "it was another by then"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 16 vectors, and segments of 64."""
    monkeypatch.setattr(bulk, "_PART", 16)
    monkeypatch.setattr(bulk, "MOST_PARTS", 4)


@pytest.mark.usefixtures("small_blocks")
def test_many_blocks_become_one_segment(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)
    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        seen: list[tuple[int, int]] = []
        report = collection.sync(lambda done, total: seen.append((done, total)))
        assert counts(report) == {"new": COUNT}
        assert seen == [(done, COUNT) for done in range(0, COUNT + 1, 50)]
        require_holds(collection, rows())
        assert (collection.info().segments, collection.info().pending) == (1, 0)
        assert len(list((tmp_path / "index" / "segments").iterdir())) == 1
        now = rows(vectors=VECTORS + 1)
        write(file, now, 1)
        assert counts(collection.sync()) == {"changed": COUNT}
        require_holds(collection, now)
        assert len(list((tmp_path / "index" / "segments").iterdir())) == collection.info().segments == 1


@pytest.mark.usefixtures("small_blocks")
def test_an_interrupted_sync_goes_on_where_it_was(tmp_path: Path) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)

    def stop(done: int, total: int) -> None:
        if done == 250:
            raise KeyboardInterrupt

    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        with pytest.raises(KeyboardInterrupt):
            collection.sync(stop)
        there = len(collection)
        assert there == 200
        assert len(list((tmp_path / "index" / "segments").iterdir())) == collection.info().segments == 2
        assert counts(collection.sync()) == {"new": COUNT - there, "unchanged": there}
        require_holds(collection, rows())
        assert len(list((tmp_path / "index" / "segments").iterdir())) == collection.info().segments == 1


@pytest.mark.usefixtures("small_blocks")
def test_a_merge_that_was_stopped_is_done_by_the_next_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "v.h5", rows(), 0)

    def stop(*given: object, **how: object) -> None:
        raise KeyboardInterrupt

    with by_steps(50), Collection.create(file, tmp_path / "index") as collection:
        with monkeypatch.context() as patch:
            patch.setattr(segments, "_write_anew", stop)
            with pytest.raises(KeyboardInterrupt):
                collection.sync()
        assert collection.info().segments == 3
        require_holds(collection, rows())
        assert counts(collection.sync()) == {"unchanged": COUNT}
        assert collection.info().segments == 1
        require_holds(collection, rows())


def test_few_changes_of_many_do_not_write_all_anew(tmp_path: Path) -> None:
    file, now = tmp_path / "v.h5", rows()
    with Collection.create(write(file, now, 0), tmp_path / "index") as collection:
        collection.sync()
        (first,) = (tmp_path / "index" / "segments").iterdir()
        inode = first.stat().st_ino
        for time in range(1, 9):
            now[NAMES[time]] = now[NAMES[time]] + 1
            write(file, now, time)
            assert counts(collection.sync()) == {"changed": 1, "unchanged": COUNT - 1}
            assert collection.info().segments <= 5
        assert first.stat().st_ino == inode
        require_holds(collection, now)


SEARCH = """
import sys
import numpy as np
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    print(len(collection), collection.read_only is not None, collection.search(np.ones(7), k=1)[0].path)
"""


def test_another_process_searches_what_is_committed(tmp_path: Path, python: Python) -> None:
    sync = "import sys; from lookalike.collection import Collection; Collection.open(sys.argv[1]).sync()"
    file = write(tmp_path / "v.h5", rows(), 0)
    with Collection.create(file, tmp_path / "index") as reader:
        assert python(sync, tmp_path / "index").returncode == 0
        require_holds(reader, rows())
        now = rows(vectors=VECTORS + 1)
        write(file, now, 1)
        assert python(sync, tmp_path / "index").returncode == 0
        require_holds(reader, now)
        assert python(SEARCH, tmp_path / "index").stdout.startswith("300 False ")


def test_a_collection_that_may_only_be_read(tmp_path: Path, python: Python, unprivileged: tuple[str, ...]) -> None:
    with Collection.create(write(tmp_path / "v.h5", rows()), tmp_path / "index") as collection:
        collection.sync()
    paths = [tmp_path / "index", *(tmp_path / "index").rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = python(SEARCH, tmp_path / "index", prefix=unprivileged)
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.stdout.startswith("300 True "), done.stderr


def test_optimize(tmp_path: Path) -> None:
    file, now = tmp_path / "v.h5", rows()
    with Collection.create(write(file, now, 0), tmp_path / "index") as collection:
        collection.sync()
        now[NAMES[0]] = now[NAMES[0]] + 1
        write(file, now, 1)
        collection.sync()
        assert collection.info().segments == 2
        collection.optimize()
        assert collection.info().segments == 1
        assert list(collection._catalogue.removed()) == []
        require_holds(collection, now)
