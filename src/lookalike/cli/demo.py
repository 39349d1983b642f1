"""`lookalike demo`."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    html: Annotated[str, typer.Option(metavar="FILE", help="Where to write the page.")] = "lookalike-demo.html",
) -> int:
    """Find look-alikes among pictures that ship with lookalike, and show what each step takes."""
    from lookalike.cli.demonstration import demonstrate

    demonstrate(html)
    return 0
