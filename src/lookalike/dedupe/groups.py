"""The groups of copies among the pictures of one collection or several, and which file of each is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.looks import Look
from lookalike.dedupe.candidates import NONE, Candidates, Picture, Source, Stages, candidates, pictures_of, silent
from lookalike.dedupe.files import File, files_of
from lookalike.dedupe.group import COPIES, Group, Kind, Other
from lookalike.dedupe.joining import Joined, Joining
from lookalike.dedupe.verify import Comparison, Verifier
from lookalike.errors import ArgumentError
from lookalike.index import Reader
from lookalike.metric import require_distance as require_of

WITHIN = 0.01
"""Cosine distance of vectors up to which different pictures are shown as similar, where that is asked for."""

Keep = Literal["largest", "oldest", "first"]
KEEP: tuple[Keep, ...] = get_args(Keep)

_RULES: dict[Keep, Callable[[File], Any]] = {
    "largest": lambda file: (-file.width * file.height, -file.size, file.mtime_ns, file.key),
    "oldest": lambda file: (file.mtime_ns, file.key),
    "first": lambda file: file.key,
}
_SUSPICIOUS: tuple[Kind, ...] = (
    "edited", "altered", "resized or recompressed", "same pixels", "identical file", "similar",
)  # fmt: skip

T = TypeVar("T")


@dataclass
class Duplicates:
    """What was found.

    Attributes:
        groups: those to be looked at with most care first, of these those that spare most.
        pictures: how many different contents were looked through.
        candidates: pairs that were proposed, and how many of them the thumbnails left to be compared.
        comparison: how many pairs were compared.
    """

    groups: list[Group] = field(default_factory=list)
    pictures: int = 0
    proposed: int = 0
    candidates: int = 0
    comparison: Comparison = field(default_factory=Comparison)


def find_duplicates(
    collections: Sequence[Collection],
    within: float = WITHIN,
    *,
    keep: Keep = "largest",
    exact_only: bool = False,
    include_edited: bool = False,
    similar: bool = False,
    references: Sequence[Collection] = (),
    progress: Stages | None = None,
) -> Duplicates:
    """The copies among the indexed pictures: models and thumbnails propose pairs, the whole pictures decide.

    Files are put in order by the rule; the first leads a group of all that are copies of it, the next that is in none
    leads another: every file of a group was compared with the one that is kept, and nothing is chained. Only regular
    files that are as they were when indexed take part: a symbolic link, a second name of the same file, or a member of
    an archive is no copy. What was compared is remembered beside the first collection's catalogue, so that a run that
    was interrupted goes on.

    Args:
        within: the largest distance of vectors of what is shown as similar.
        keep: "largest" (pixels, then bytes), "oldest" (time of the last change) or "first" (by path); a damaged file
            is kept only where there is no other, and a reference before all.
        exact_only: byte for byte alone.
        include_edited: propose those, too, that were mirrored, rotated, cropped or recoloured.
        similar: show different pictures that are near by their vectors, too.
        references: collections whose files are compared with, and never proposed.
        progress: is told of each stage, how many are done and of how many.

    Raises:
        ArgumentError: a distance below 0, or no such rule; a collection of vectors, which are in no files of their own.
        DamagedError: a collection is.
    """
    if keep not in _RULES:
        raise ArgumentError(f"expected one of {', '.join(KEEP)} as the one to keep, received {keep!r}")
    require_distance(within)
    everything = [*collections, *references]
    for collection in everything:
        _require_pictures(collection)
    tell = progress or silent
    looks = [{} if exact_only else _complete(collection, tell) for collection in everything]

    def rule(file: File) -> tuple[Any, ...]:
        return not file.reference, file.damaged, _RULES[keep](file)

    def look(found: Sequence[tuple[Reader, list[Item]]]) -> tuple[list[Picture], Candidates]:
        files = [
            file._replace(collection=number, reference=number >= len(collections))
            for number, (collection, (_, items)) in enumerate(zip(everything, found, strict=True))
            for file in files_of(items, collection.place, collection.damaged())
        ]
        pictures = pictures_of(_each_once(sorted(files, key=rule)))
        if exact_only:
            return pictures, NONE
        sources = [
            Source(collection, index, items, known)
            for collection, (index, items), known in zip(everything, found, looks, strict=True)
        ]
        return pictures, candidates(sources, pictures, within, tell)

    pictures, proposed = _examined(everything, look)
    joining = Joining(pictures, proposed, (*COPIES, "altered") if include_edited else COPIES)
    duplicates = Duplicates(pictures=len(pictures), proposed=proposed.asked, candidates=len(proposed.pairs.one))
    with Verifier(everything[0].place.directory, duplicates.comparison) as verifier:
        joining.join(verifier, within if similar else None, tell)
    joined = {
        keeper: [(pictures[other], how) for other, how in like.items()] for keeper, like in joining.joined.items()
    }
    groups = [
        _group(picture, joined.get(position, []), include_edited)
        for position, picture in enumerate(pictures)
        if position not in joining.keeper_of
    ]
    duplicates.groups = _numbered([group for group in groups if group.others])
    return duplicates


def require_distance(within: float) -> None:
    """ArgumentError for what is no distance of pictures, which all their models compare by the angle."""
    require_of("a distance", within, "cosine", 0)


def _require_pictures(collection: Collection) -> None:
    if collection.things == "vectors":
        raise ArgumentError(
            f"expected a collection of pictures, received {collection.place.directory}, which is of vectors; look for "
            "those alike by `Collection.search`"
        )


def _complete(collection: Collection, tell: Stages) -> dict[int, Look]:
    return collection.complete_looks(lambda done, total: tell("looking at pictures", done, total))


def _examined(collections: Sequence[Collection], use: Callable[[Sequence[tuple[Reader, list[Item]]]], T]) -> T:
    """What `use` makes of the indexes and items of all, each of one snapshot."""

    def nested(found: list[tuple[Reader, list[Item]]]) -> T:
        if len(found) == len(collections):
            return use(found)
        return collections[len(found)].examine(lambda index, items: nested([*found, (index, items)]))

    return nested([])


def _each_once(files: Sequence[File]) -> Iterator[File]:
    """Files that two collections have in common, once."""
    seen: set[str] = set()
    for file in files:
        if file.path not in seen:
            seen.add(file.path)
            yield file


def _group(keeper: Picture, like: Sequence[tuple[Picture, Joined]], include_edited: bool) -> Group:
    others = [Other(file, "identical file", 0.0, proposed=True) for file in keeper.files[1:]]
    for picture, (verdict, distance) in like:
        kind: Kind = "similar" if verdict.kind == "different" else verdict.kind
        may_go = kind in COPIES or (include_edited and kind == "altered")
        others += [
            Other(file, kind, distance and max(distance, 0.0), verdict.changes, verdict.region, may_go)
            for file in picture.files
        ]
    others = [other for other in others if not other.file.reference]
    others.sort(key=lambda other: (_SUSPICIOUS[::-1].index(other.kind), other.distance or 0.0, other.file.key))
    return Group(0, keeper.file, others)


def _numbered(groups: Sequence[Group]) -> list[Group]:
    def care(group: Group) -> tuple[Any, ...]:
        return min(_SUSPICIOUS.index(other.kind) for other in group.others), -group.spared, group.keeper.key

    return [Group(number, group.keeper, group.others) for number, group in enumerate(sorted(groups, key=care), 1)]
