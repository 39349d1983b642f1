"""The app: every verb, and the options that stand before them."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike import __version__
from lookalike.cli.backup import backup
from lookalike.cli.bench import bench
from lookalike.cli.dedupe import dedupe
from lookalike.cli.demo import demo
from lookalike.cli.export import export
from lookalike.cli.index import index
from lookalike.cli.info import info
from lookalike.cli.optimize import optimize
from lookalike.cli.repair import repair
from lookalike.cli.search import search
from lookalike.cli.sync import sync
from lookalike.cli.tune import tune
from lookalike.cli.verify import verify

# The verbs import what they need when they are called: --help waits for none of it.
app = typer.Typer(
    name="lookalike",
    help="Finds what looks alike: give it a folder of pictures and a query.",
    epilog="Begin with: lookalike demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lookalike {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from; goes with every verb.")
    ] = False,
) -> None:
    """Finds what looks alike: give it a folder of pictures and a query."""


app.command()(demo)
app.command(context_settings={"allow_extra_args": True})(search)  # it says itself what was too much
app.command()(index)
app.command()(sync)
app.command()(info)
app.command()(export)
app.command()(backup)
app.command()(verify)
app.command()(repair)
app.command()(optimize)
app.command()(tune)
app.command()(dedupe)
app.command()(bench)
