"""A plan: what may be set aside, as a text that a person reads and edits.

    # lookalike dedupe plan, version 2
    # …                                     what it is, and how to edit it
    folder      "/home/me/Pictures"
    keep       12                  "Holiday/IMG_1.jpg"     4032 × 3024, 3.4 MB | SIZE TIME SHA-256
    set aside  12  identical file  "Copies/IMG_1 (1).jpg"  4032 × 3024, 3.4 MB | SIZE TIME SHA-256
    with it    12  XMP sidecar     "Copies/IMG_1 (1).xmp"  1.2 kB | SIZE TIME SHA-256

One line is one file; the number is that of its group. Paths are relative to the folder that holds them all.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from lookalike.dedupe.companions import belong_together
from lookalike.dedupe.lines import absolute, relative, sha256, sound
from lookalike.dedupe.quoting import QUOTED, unquoted
from lookalike.errors import NotAnIndexError

KIND, VERSION = "dedupe plan", 2

BEGINNING = b"# lookalike dedupe plan, version "
"""How every plan begins, and no undo file: only such a file may be replaced by a plan."""

BEGINNING_1 = b'{"lookalike": "dedupe plan"'
"""How plans of version 1 began."""

KEEP, ASIDE, WITH = "keep", "set aside", "with it"
FOLDER, SOURCE, REFERENCE, COLLECTION = "folder", "source", "reference", "collection"

_FILE = re.compile(
    rf"(keep|set\s+aside|with\s+it)\s+(\d{{1,9}})\s+([^\"|]*?)\s*({QUOTED})[^|]*\|\s*(\d{{1,19}})\s+(-?\d{{1,20}})\s+(\S+)"
)
_PLACE = re.compile(rf"(folder|source|reference|collection)\s+({QUOTED})")
_FIRST = re.compile(r"#\s*lookalike dedupe plan, version (\d{1,9})")


@dataclass(frozen=True)
class Planned:
    """A file as the plan knows it: its path relative to the plan's folder, and how to tell whether it is the same.

    Attributes:
        kind: what it is, in words: to the one that is kept, or of a companion to its picture.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    kind: str = ""


class Aside(NamedTuple):
    """A picture that is set aside, and what goes with it."""

    file: Planned
    companions: Sequence[Planned] = ()

    @property
    def files(self) -> list[Planned]:
        return [self.file, *self.companions]


class PlannedGroup(NamedTuple):
    """A group of a plan.

    Attributes:
        halves: the other half of the pair that the keeper is of, which is kept with it.
    """

    number: int
    keeper: Planned
    others: Sequence[Aside]
    halves: Sequence[Planned] = ()


@dataclass(frozen=True)
class Plan:
    """What `write_plan` wrote, or what a person left of it.

    Attributes:
        folder: the folder of all pictures, absolute.
        sources: the folders and files that are indexed, absolute.
        groups: those of which something is left to be set aside.
        references: of the sources those of which nothing is set aside.
        collections: the directories of the collections, absolute; they know what was given to the pictures.
        alone: companions whose picture is not set aside any more; they stay with it.
    """

    folder: str
    sources: Sequence[str]
    groups: Sequence[PlannedGroup]
    references: Sequence[str] = ()
    collections: Sequence[str] = ()
    alone: Sequence[Planned] = ()

    def where(self, file: Planned) -> str:
        """The absolute path of a file."""
        return os.path.join(self.folder, file.path)


def read_plan(path: str) -> Plan:
    """What `write_plan` wrote, after a person has edited it: with other ends of lines, a BOM, comments and blank lines.

    Raises:
        NotAnIndexError: it is not there, or no plan, or one of another version, or was changed to what no plan is;
            the sentence says in which line.
    """
    reading = _Reading(path)
    for number, line in _lines(path):
        with sound(path, KIND, number):
            reading.take(number, line)
    return reading.plan()


@dataclass
class _Reading:
    """A plan that is being read: its places, and the files of each group with the numbers of their lines."""

    path: str
    places: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[int, Planned] = field(default_factory=dict)
    asides: dict[int, list[Planned]] = field(default_factory=dict)
    withs: dict[int, list[Planned]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def take(self, number: int, line: str) -> None:
        """One line. ValueError for what it cannot be."""
        if place := _PLACE.fullmatch(line):
            self.places.setdefault(place[1], []).append(absolute(unquoted(place[2])))
            return
        found = _FILE.fullmatch(line)
        if found is None:
            raise ValueError(f'{line:.60}… is none of "keep", "set aside" and "with it" with all that follows these')
        action, group, kind, name, size, mtime_ns, digest = found.groups()
        file = Planned(relative(unquoted(name)), int(size), int(mtime_ns), sha256(digest), " ".join(kind.split()))
        if (before := self.lines.setdefault(os.path.normpath(file.path), number)) != number:
            raise ValueError(f"{name}, which is in line {before} already")
        if action == KEEP:
            self.kept.setdefault(int(group), file)
        else:
            (self.asides if action[0] == "s" else self.withs).setdefault(int(group), []).append(file)

    def plan(self) -> Plan:
        """All of it. NotAnIndexError where lines are missing that the others need, and for a reference set aside."""
        if not self.places.get(FOLDER):
            raise NotAnIndexError(
                f'expected a {KIND} in {self.path}, received one without its line "folder"; make it again'
            )
        folder, references = self.places[FOLDER][0], self.places.get(REFERENCE, [])
        groups: list[PlannedGroup] = []
        alone: list[Planned] = []
        for number in self.withs.keys() - self.asides.keys():
            alone += _together([self.kept[number]] if number in self.kept else [], self.withs[number])[1]
        for number, files in self.asides.items():
            with self._sound(files[0]):
                if number not in self.kept:
                    raise ValueError(f'a file of group {number}, of which no line says "keep" which file stays')
            for file in files:
                with self._sound(file):
                    _require_no_reference(os.path.join(folder, file.path), references)
            (keeper, *units), left = _together([self.kept[number], *files], self.withs.get(number, []))
            groups.append(PlannedGroup(number, keeper.file, units, keeper.companions))
            alone += left
        sources = [*self.places.get(SOURCE, []), *references]
        return Plan(folder, sources or [folder], groups, references, self.places.get(COLLECTION, []), alone)

    def _sound(self, file: Planned) -> AbstractContextManager[None]:
        """Around what is made of a file's line."""
        return sound(self.path, KIND, self.lines[os.path.normpath(file.path)])


def _together(files: Sequence[Planned], companions: Sequence[Planned]) -> tuple[list[Aside], list[Planned]]:
    """Pictures with what belongs to them, and the companions of none of them."""
    units: list[tuple[Planned, list[Planned]]] = [(file, []) for file in files]
    alone: list[Planned] = []
    for companion in companions:
        of = next((unit for unit in units if belong_together(companion.path, unit[0].path)), None)
        (alone if of is None else of[1]).append(companion)
    return [Aside(*unit) for unit in units], alone


def _require_no_reference(path: str, references: Sequence[str]) -> None:
    for reference in references:
        if os.path.commonpath([path, reference]) == reference:
            raise ValueError(f"a file of the reference {reference}, of which nothing is set aside")


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers. NotAnIndexError for what is no plan of this version."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotAnIndexError(f"expected a {KIND} at {path}, received {error.strerror!r} from the system") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # as Notepad saves "Unicode"
        data = data.decode("utf-16", "replace").encode()
    lines = [line.strip() for line in data.removeprefix(codecs.BOM_UTF8).splitlines()]
    _require_plan(path, lines)
    for number, line in enumerate(lines, 1):
        if line and not line.startswith(b"#"):
            with sound(path, KIND, number):
                text = _decoded(line)
            yield number, text


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("what is not UTF-8; let your editor save the file as UTF-8") from None


def _require_plan(path: str, lines: Sequence[bytes]) -> None:
    first = next((line for line in lines if line), b"")
    if first.startswith(BEGINNING_1):
        raise NotAnIndexError(
            f"expected a {KIND} of version {VERSION} in {path}, received one of version 1, which does not tell copies "
            "from what only looks alike; make it again with: lookalike dedupe WHERE --plan FILE"
        )
    found = next((match for line in lines if (match := _FIRST.match(line.decode("utf-8", "replace")))), None)
    if found is None:
        raise NotAnIndexError(
            f"expected a {KIND} in {path}, received another file (it does not begin with "
            f'"{BEGINNING.decode()}{VERSION}"); name one that dedupe wrote'
        )
    if int(found[1]) != VERSION:
        raise NotAnIndexError(
            f"expected a {KIND} of version {VERSION} in {path}, received one of version {found[1]}; "
            "use the lookalike that wrote it"
        )
