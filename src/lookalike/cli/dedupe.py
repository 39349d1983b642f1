"""`lookalike dedupe`: look-alikes among themselves."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

_LOOKING, _ACTING = "Looking", "Acting on a plan"


def dedupe(
    where: Annotated[
        str | None, typer.Argument(metavar="WHERE", help="A folder of pictures, or what `index --to` made.")
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(help="How far from the one that is kept; 0.01 by default.", rich_help_panel=_LOOKING),
    ] = None,
    exact_only: Annotated[
        bool, typer.Option("--exact-only", help="Byte-identical files alone.", rich_help_panel=_LOOKING)
    ] = False,
    keep: Annotated[
        Literal["largest", "oldest", "first"] | None,
        typer.Option(
            help="Which of a group to keep: the largest, the oldest, or the first by path.",
            show_default="largest",
            rich_help_panel=_LOOKING,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a group.", rich_help_panel=_LOOKING)] = False,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a page to look at, too.", rich_help_panel=_LOOKING)
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a plan, to be acted on later.", rich_help_panel=_LOOKING),
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Look for new, changed and removed pictures first.", rich_help_panel=_LOOKING)
    ] = True,
    apply: Annotated[str | None, typer.Option(metavar="PLAN", help="Act on a plan.", rich_help_panel=_ACTING)] = None,
    move_to: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Move what is not kept to DIR.", rich_help_panel=_ACTING),
    ] = None,
    hard_link: Annotated[
        bool,
        typer.Option(
            "--hard-link", help="Make byte-identical files one file with several names.", rich_help_panel=_ACTING
        ),
    ] = False,
    undo: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Take back what was done, by its undo file.", rich_help_panel=_ACTING),
    ] = None,
) -> int:
    """Find pictures in WHERE that are the same, or nearly; nothing is changed.

    To set them aside: write a --plan, then --apply it with --move-to or --hard-link. Nothing is ever deleted, and
    --undo takes all of it back.
    """
    from lookalike.cli.duplicates import show_duplicates
    from lookalike.cli.setting_aside import apply_plan, undo_all
    from lookalike.errors import ArgumentError

    if sum(given is not None for given in (where, apply, undo)) != 1:
        raise ArgumentError("expected either WHERE, or --apply PLAN, or --undo FILE; see: lookalike dedupe --help")
    looking = {
        "--within": within is not None,
        "--exact-only": exact_only,
        "--keep": keep is not None,
        "--json": json,
        "--html": html is not None,
        "--plan": plan is not None,
        "--no-check": not check,
    }
    acting = {"--move-to": move_to is not None, "--hard-link": hard_link}
    for option, given in ((looking if where is None else {}) | (acting if apply is None else {})).items():
        if given:
            raise ArgumentError(f"{option} does not go with what is asked for; see: lookalike dedupe --help")
    if undo is not None:
        return undo_all(undo)
    if apply is not None:
        return apply_plan(apply, move_to, hard_link=hard_link)
    return show_duplicates(
        where or "", within, keep or "largest", exact_only=exact_only, json=json, html=html, plan=plan, check=check
    )
