"""`lookalike export PATH --to FILE`: vectors and names out into a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer


def export(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    to: Annotated[str, typer.Option(metavar="FILE", help="The file: .h5, .npy, .vec (word2vec) or .bin.")],
    format: Annotated[
        Literal["hdf5", "npy", "word2vec", "word2vec-binary"] | None,
        typer.Option(help="Of the file; by default as its ending says."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    only: Annotated[
        str | None,
        typer.Option("--where", metavar="CONDITION", help='Only what has such facts: "year >= 2020".'),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="What was written as one JSON object.")] = False,
) -> int:
    """Write the vectors of an index, and their names, to a file: HDF5, .npy beside Parquet, or word2vec.

    They are written as they were indexed last: for what has changed since, call `lookalike sync PATH` before.
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import counted, print_json
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.collection.place import existing_place

    with Collection(existing_place(where)) as collection, Bar("exporting", collection.things) as bar:
        written = collection.export(to, format=format, overwrite=overwrite, where=only, progress=bar.show)
        failed = collection.info().failed
    one = collection.things.removesuffix("s")
    note(f"{counted(written.count, one)}, {written.dim} dimensions, written to {' and '.join(written.paths)}")
    if failed:
        note(f"  {counted(failed, one)} left out that could not be indexed, listed by: lookalike info {where}")
    if json:
        print_json(asdict(written) | {"failed": failed})
    return 0
