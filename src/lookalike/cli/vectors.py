"""The options that say how a file of vectors is to be read."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

PANEL = "Files of vectors"

LayoutOption = Annotated[
    Literal["rows", "columns"] | None,
    typer.Option("--layout", help="Which way round a matrix lies, where that cannot be told.", rich_help_panel=PANEL),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="Of the files, where content and name do not tell it.", rich_help_panel=PANEL),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="The dataset, array or column of the vectors; of Parquet with pictures theirs.",
        rich_help_panel=PANEL,
    ),
]
