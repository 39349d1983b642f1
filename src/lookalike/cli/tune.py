"""`lookalike tune PATH QUERY...`: the recall for such queries as yours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options
from lookalike.cli.vectors import FormatOption, KeyOption, LayoutOption


def tune(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    queries: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY...", help="Folders of pictures, pictures, or files of vectors."),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="Words as a query, where the model reads text; as often as you like."),
    ] = None,
    layout: LayoutOption = None,
    format: FormatOption = None,
    key: KeyOption = None,
    model: ModelOption = None,
    weights: WeightsOption = None,
    bgr: BgrOption = False,
    device: DeviceOption = "cpu",
) -> int:
    """Measure the recall of an index with queries of yours, so that --recall is honoured for such as these.

    Better a thousand than ten. It is kept until vectors are sealed anew, as by `lookalike optimize`.
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import counted
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.collection.model import Wanted
    from lookalike.collection.place import existing_place

    wanted = Wanted(*model_options(model, weights, bgr, device).values())
    with Collection(existing_place(where), wanted) as collection:
        given = _given(queries or [], text or [], {"layout": layout, "format": format, "key": key})
        with Bar("tuning", "steps") as bar:
            tuned = collection.tune(given, bar.show)
        one = collection.things.removesuffix("s")
    if tuned.failed:
        note(f"{counted(len(tuned.failed), 'picture')} left out that could not be read:")
    for path, reason in tuned.failed:
        note(f"  {path}: {reason}")
    if tuned.vectors:
        note(
            f"the recall among {counted(tuned.vectors, one)} was measured with "
            f"{counted(tuned.queries, 'query', 'queries')}; that holds until they are sealed anew"
        )
    else:
        note(f"nothing to measure: every {one} is compared, as they are few")
    return 0


def _given(names: Sequence[str], texts: Sequence[str], how: dict[str, Any]) -> Any:
    """What `Collection.tune` takes.

    Raises:
        ArgumentError: nothing, an archive, both pictures and vectors.
        Others as by `look_at`.
    """
    import numpy as np

    from lookalike.collection import Query
    from lookalike.collection.rows import rows_of
    from lookalike.collection.sources import look_at
    from lookalike.errors import ArgumentError
    from lookalike.images.find import Found, find

    if not names and not texts:
        raise ArgumentError(
            "expected queries after PATH, received none; name a folder of pictures, pictures or a file of vectors"
        )
    found = look_at(names, how, {})
    for archive in found.archives:
        raise ArgumentError(f"expected pictures or vectors as queries, received the archive {archive}; unpack it")
    if found.opened is not None:
        vectors = np.concatenate([some for _, some in rows_of(found.opened)])
        return [*vectors, *(Query.of(text=each) for each in texts)] if texts else vectors
    pictures = [each.path for name in found.plain for each in find(name) if isinstance(each, Found)]
    return [*pictures, *(Query.of(text=each) for each in texts)]
