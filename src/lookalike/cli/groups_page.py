"""The page of copies: thumbnails by the decoders as it is written, laid out by `lookalike.pages`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from lookalike.cli.bar import Bar
from lookalike.cli.listing import about, beside, counted_kind, counts, summary
from lookalike.cli.output import counted, size
from lookalike.cli.page import below
from lookalike.collection import Collection
from lookalike.dedupe import Belongings, Group, Kind, Other
from lookalike.dedupe.files import File
from lookalike.dedupe.kinds import TITLES, described, kind_of, suspicious_first
from lookalike.images.pool import DecoderPool, Failed
from lookalike.pages import Alike, Count, Picture, Section, Shape, State, Tile, groups_page, write_page

SIDES: dict[Shape, int] = {"square": 480, "wide": 1200, "tall": 960, "small": 200}
"""Pixels of a thumbnail's longer side. Nobody has to judge the small ones."""

SIDES_OF_MANY: dict[Shape, int] = {"square": 320, "wide": 800, "tall": 640, "small": 160}
MANY = 1_000
"""From so many pictures on thumbnails are smaller, so that a browser opens the page in seconds."""

_LONG = 2.1  # times as long as wide, or as wide as long, from which a picture gets more room
_SURE: tuple[Kind, ...] = ("same pixels", "identical file")
_LEAD = (
    "Nothing was changed. “Set aside” is what a plan proposes, “stays” is only shown; numbers are those of the plan."
)


def write_groups(html: str, collections: Sequence[Collection], found: Belongings) -> None:
    """Write all groups as a page. WriteError where it cannot be written."""
    groups = suspicious_first(found.groups)
    with DecoderPool() as pool, Bar("drawing the page") as bar:
        drawing = _Drawing(groups, found, [root for each in collections for root in each.info().roots], pool, bar.show)
        names = [
            os.path.basename(os.path.abspath(collections[0].info().roots[0])),
            *([] if len(collections) == 1 else ["more"]),
        ]
        facts = [
            ("Pictures", f"{sum(map(len, collections)):,}"),
            ("Groups", f"{len(groups):,}"),
            ("To be set aside", summary(found)),
        ]
        write_page(
            groups_page(drawing.sections(), f"Copies in {' and '.join(names)}", _LEAD, _counts(groups), facts), html
        )


def _counts(groups: Sequence[Group]) -> list[Count]:
    sections = {kind_of(group) for group in groups}
    found = []
    for kind, count in counts(groups).items():
        group = next(group for group in groups if any(other.kind == kind for other in group.others))
        link = _name(kind) if kind in sections else f"group-{group.number}"
        becomes = "only shown" if not count.proposed else "to be set aside"
        if 0 < count.proposed < count.files:
            becomes = f"{count.proposed:,} to be set aside, the others only shown"
        found.append(Count(link, counted_kind(count.files, kind), f"{size(count.bytes)}, {becomes}"))
    return found


def _name(kind: Kind) -> str:
    return kind.replace(" ", "-")


class _Drawing:
    """The groups as the page shows them, with thumbnails that are made a little ahead of it."""

    def __init__(
        self,
        groups: Sequence[Group],
        found: Belongings,
        roots: Sequence[str],
        pool: DecoderPool,
        progress: Callable[[int, int], None],
    ) -> None:
        self._groups = groups
        self._found = found
        self._roots = roots
        self._progress = progress
        self._shapes = [_shape(group) for group in groups]
        paths: dict[Shape, list[str]] = {shape: [] for shape in SIDES}
        for group, shape in zip(groups, self._shapes, strict=True):
            paths[shape] += [file.path for file in _drawn(group)]
        self._total = sum(map(len, paths.values()))
        self._done = 0
        sides = SIDES if self._total < MANY else SIDES_OF_MANY
        self._thumbnails = {shape: pool.thumbnails(paths[shape], side) for shape, side in sides.items()}

    def sections(self) -> Iterator[Section]:
        """All of it, to be gone through once, in order."""
        pairs = zip(self._groups, self._shapes, strict=True)
        totals = {kind: len(list(same)) for kind, same in groupby(self._groups, key=kind_of)}
        for kind, same in groupby(pairs, key=lambda pair: kind_of(pair[0])):
            title = f"{TITLES[kind]}: {counted(totals[kind], 'group')}"
            yield Section(_name(kind), title, (self._alike(group, shape) for group, shape in same))

    def _alike(self, group: Group, shape: Shape) -> Alike:
        keeper = self._picture(group.keeper, "kept", shape)
        shown = [self._other(other, shape) for other in group.others if other.kind != "identical file"]
        copies = [self._other(other) for other in group.others if other.kind == "identical file"]
        return Alike(group.number, keeper, shown, copies, shape)

    def _other(self, other: Other, shape: Shape | None = None) -> Picture:
        state: State = "aside" if other.proposed else "stays"
        picture = self._picture(other.file, state, shape)._replace(kind=described(other), region=other.region)
        distance = other.distance if other.kind == "similar" else None
        return picture._replace(tile=picture.tile._replace(distance=distance))

    def _picture(self, file: File, state: State, shape: Shape | None) -> Picture:
        thumbnail = None if shape is None else next(self._thumbnails[shape])
        if shape is not None:
            self._done += 1
            self._progress(self._done, self._total)
        reason = thumbnail.reason if isinstance(thumbnail, Failed) else ""
        picture = None if isinstance(thumbnail, Failed) else thumbnail
        notes = [beside(self._found.companions.get(file.path, ())), self._found.held.get(file.path, "")]
        if file.reference:
            notes.append("of the reference")
        tile = Tile(below(file.path, self._roots), file.path, picture, reason=reason)
        text = about(file).replace(" ", "\u00a0").replace(",\u00a0", ", ")
        return Picture(tile, state, text, "", [note for note in notes if note], (file.width, file.height))


def _drawn(group: Group) -> list[File]:
    """The files of which a thumbnail is shown, in this order."""
    return [group.keeper, *(other.file for other in group.others if other.kind != "identical file")]


def _shape(group: Group) -> Shape:
    if all(other.kind in _SURE for other in group.others):
        return "small"
    width, height = group.keeper.width, group.keeper.height
    return "wide" if width > _LONG * height else "tall" if height > _LONG * width else "square"
