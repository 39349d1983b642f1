"""Names in a Parquet file, in the column `path`: texts where all are UTF-8, else bytes."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from lookalike.vectors import names as naming
from lookalike.vectors.arrow import PATH, pyarrow_
from lookalike.vectors.draft import writing

_GROUP = 1 << 14  # names at once


@contextmanager
def names_writer(path: str, beside: str) -> Iterator[Callable[[list[str]], None]]:
    """What takes names for the file at `path`, which is written to `beside` at the end.

    The names wait in a file, 2 bytes for each in memory, for all decide whether they are texts.

    Raises:
        WriteError: the system cannot write.
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow_()
    lengths = array("H")
    texts = True
    with writing(path):
        waiting = tempfile.TemporaryFile(dir=os.path.dirname(beside))  # noqa: SIM115
    with waiting:

        def take(names: list[str]) -> None:
            nonlocal texts
            given = [naming.encode(name) for name in names]
            texts = texts and all(map(_is_utf8, given))
            lengths.extend(map(len, given))
            with writing(path):
                waiting.write(b"".join(given))

        yield take
        with writing(path):
            waiting.seek(0)
            _write(beside, waiting, lengths, texts)


def _write(beside: str, waiting: IO[bytes], lengths: array[int], texts: bool) -> None:
    pyarrow = pyarrow_()
    schema = pyarrow.schema([pyarrow.field(PATH, pyarrow.string() if texts else pyarrow.binary(), nullable=False)])
    with open(beside, "xb") as stream, pyarrow.parquet.ParquetWriter(stream, schema) as writer:
        for start in range(0, len(lengths), _GROUP):
            names = [waiting.read(length) for length in lengths[start : start + _GROUP]]
            writer.write_table(
                pyarrow.table([pyarrow.array(names, pyarrow.binary()).cast(schema.types[0])], schema=schema)
            )


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
