"""`lookalike dedupe`: copies among the pictures of folders."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

_LOOKING, _ACTING = "Looking", "Acting on a plan"


def dedupe(
    where: Annotated[
        list[str] | None,
        typer.Argument(metavar="WHERE...", help="Folders of pictures, or what `index --to` made.", show_default=False),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="Compare with the pictures of DIR, too, of which none is set aside; may be repeated.",
            rich_help_panel=_LOOKING,
        ),
    ] = None,
    include: Annotated[
        Literal["edited"] | None,
        typer.Option(
            help="Propose copies that were mirrored, rotated, cropped or recoloured, too.", rich_help_panel=_LOOKING
        ),
    ] = None,
    similar: Annotated[
        bool,
        typer.Option("--similar", help="Show pictures that only look alike, too.", rich_help_panel=_LOOKING),
    ] = False,
    within: Annotated[
        float | None,
        typer.Option(
            help="How near by the model pictures are that --similar shows; 0.01 by default.",
            rich_help_panel=_LOOKING,
        ),
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
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The model that proposes pairs, such as phash, where nothing is indexed yet.",
            rich_help_panel=_LOOKING,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a group.", rich_help_panel=_LOOKING)] = False,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a page with all groups, to look at.", rich_help_panel=_LOOKING),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write what is proposed as a text, to be edited and applied.", rich_help_panel=_LOOKING
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Look for new, changed and removed pictures first.", rich_help_panel=_LOOKING)
    ] = True,
    apply: Annotated[str | None, typer.Option(metavar="PLAN", help="Act on a plan.", rich_help_panel=_ACTING)] = None,
    move_to: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Move what the plan sets aside to DIR.", rich_help_panel=_ACTING),
    ] = None,
    hard_link: Annotated[
        bool,
        typer.Option(
            "--hard-link", help="Make byte-identical files one file with several names.", rich_help_panel=_ACTING
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.", rich_help_panel=_ACTING)] = False,
    undo: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Take back what was done, by its undo file.", rich_help_panel=_ACTING),
    ] = None,
) -> int:
    """Find pictures in WHERE that are copies of one another; nothing is changed.

    To set them aside: write a --plan, read it, then --apply it with --move-to or --hard-link, which asks first. Nothing
    is ever deleted, and --undo takes all of it back.
    """
    from lookalike.cli.duplicates import Looking, show_duplicates
    from lookalike.cli.setting_aside import apply_plan, undo_all
    from lookalike.errors import ArgumentError

    if sum((bool(where), apply is not None, undo is not None)) != 1:
        raise ArgumentError("expected either WHERE, or --apply PLAN, or --undo FILE; see: lookalike dedupe --help")
    looking = {
        "--reference": bool(reference),
        "--include": include is not None,
        "--similar": similar,
        "--within": within is not None,
        "--exact-only": exact_only,
        "--keep": keep is not None,
        "--model": model is not None,
        "--json": json,
        "--html": html is not None,
        "--plan": plan is not None,
        "--no-check": not check,
    }
    acting = {"--move-to": move_to is not None, "--hard-link": hard_link, "--yes": yes}
    for option, given in (({} if where else looking) | (acting if apply is None else {})).items():
        if given:
            raise ArgumentError(f"{option} does not go with what is asked for; see: lookalike dedupe --help")
    if undo is not None:
        return undo_all(undo)
    if apply is not None:
        return apply_plan(apply, move_to, hard_link=hard_link, yes=yes)
    kinds = include is not None, similar, exact_only
    asked = Looking(where or [], reference or [], within, keep or "largest", *kinds, model)
    return show_duplicates(asked, json=json, html=html, plan=plan, check=check)
