"""Parquet; the only file that imports pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lookalike.errors import ArgumentError, MissingExtraError
from lookalike.facts.fact import PATH


def read_parquet(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row; times finer than microseconds are cut, and an index of pandas is passed over."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("Parquet needs an extra: pip install 'lookalike[parquet]'") from error
    number = 0
    try:
        with parquet.ParquetFile(file) as table:
            names = [name for name in table.schema_arrow.names if not name.startswith("__index_level_")]
            if PATH not in names or len(set(names)) < len(names):
                raise ArgumentError(
                    f"{file}: expected columns of different names, one of them {PATH!r}, received {', '.join(names)}"
                )
            for batch in table.iter_batches(columns=names):
                for record in (
                    pyarrow.Table.from_batches([batch]).cast(_plain(pyarrow, batch.schema), safe=False).to_pylist()
                ):
                    number += 1
                    yield f"row {number}", record
    except pyarrow.ArrowException as error:
        raise ArgumentError(f"{file}: expected Parquet, received {str(error).partition('. ')[0]}") from error


def _plain(pyarrow: Any, schema: Any) -> Any:
    """Times in microseconds, as Python has them; decimals as floating-point numbers."""

    def plain(kind: Any) -> Any:
        if pyarrow.types.is_timestamp(kind):
            return pyarrow.timestamp("us", kind.tz)
        if pyarrow.types.is_decimal(kind):
            return pyarrow.float64()
        return kind

    return pyarrow.schema([pyarrow.field(field.name, plain(field.type)) for field in schema])
