"""What the catalogue calls the items that a user names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.file_facts import shown
from lookalike.collection.place import Place
from lookalike.errors import ArgumentError
from lookalike.names import is_possible, visible

_FILE = "file://"


class Keys:
    """The keys of items by their paths; of vectors in files by their names.

    Links are followed to the folder alone, for the picture may be one.
    """

    def __init__(self, place: Place, catalogue: Catalogue) -> None:
        """Within a snapshot or a transaction of the catalogue."""
        self._place = place
        self._catalogue = catalogue
        containers = catalogue.containers.all()
        self._archives = {each.path for each in containers if each.kind == "archive"}
        self._vectors = [each.path for each in containers if each.kind == "vectors"]
        self._places: dict[str, bytes] = {}  # to follow the links of each once

    def of(self, path: str) -> bytes:
        """The key of a path or a name. ArgumentError for what no file can be called."""
        if not is_possible(path):
            raise ArgumentError(f"expected a path, received {path!r:.80}, which no file can have")
        if self._vectors:
            rows = [keys.of_row(file, path) for file in self._vectors]
            return next((row for row in rows if self._catalogue.has_path(row)), rows[0])
        if keys.is_url(os.fsencode(path)):
            return os.fsencode(path)
        if self._archives and (member := self._member(path)):
            return member
        folder, name = os.path.split(os.path.abspath(path))
        return os.path.normpath(os.path.join(self._relative(folder), os.fsencode(name)))

    def find(self, path: str) -> Item | None:
        """The item that a path means as anything here shows it: as `of` takes it, else relative to the collection's
        folder (the fact `path`) or to a source (pages), with escapes for what cannot be shown, or as a page's link.

        Raises:
            ArgumentError: no file can be called so, or several items are shown so.
        """
        key = self.of(path)
        if self._vectors or self._catalogue.has_path(key):
            return self._catalogue.with_path(key)
        alike = [item for _, item in sorted(self._catalogue.at([*self._elsewhere(path)]).items())] or self._shown(path)
        if len(alike) > 1:
            two = " and ".join(visible(self._place.absolute(each.path)) for each in alike[:2])
            raise ArgumentError(
                f"expected the path of one picture, received {path}, as {len(alike):,} are shown, {two} among them; "
                "give more of the path, or the id"
            )
        return alike[0] if alike else self._catalogue.with_path(key)

    def _shown(self, path: str) -> list[Item]:
        """Those that are shown as a path: by the index of names, but for one that may have escapes."""
        name = os.path.basename(path)
        if "\\" in name:
            escaped = (key for key in self._catalogue.paths() if path in self._names(key))
            return list(self._catalogue.at(list(escaped)).values())
        return [each for each in self._catalogue.named(os.fsencode(name)) if path in self._names(each.path)]

    def _elsewhere(self, path: str) -> Iterator[bytes]:
        """What else a path may be the key of."""
        if path.startswith(_FILE):
            yield self.of(os.fsdecode(unquote_to_bytes(path.removeprefix(_FILE))))
        elif not os.path.isabs(path):
            is_within = ".." not in path.split("/")  # else it leads out of an archive, to a file beside it
            for root in (b".", *self._catalogue.roots()):
                if is_within or root not in self._archives:
                    yield self.of(os.path.join(self._place.absolute(root), path))

    def _names(self, key: bytes) -> tuple[str, ...]:
        """What an item is shown as."""
        path = self._place.absolute(key)
        return visible(path), shown(key), visible(os.path.basename(path))

    def _member(self, path: str) -> bytes | None:
        """The key of what is in an archive: by the very name, which in Parquet may be any, else as of a path."""
        likely = None
        end = path.find("/", 1)
        while end > 0:
            archive, name = self._relative(path[:end]), path[end + 1 :]
            end = path.find("/", end + 1)
            if archive not in self._archives:
                continue
            parts = [part for part in name.split("/") if part not in ("", ".")]
            possible = [name] if ".." in parts else [name, "/".join(parts)]
            for key in (keys.of_member(archive, each) for each in possible):
                if self._catalogue.has_path(key):
                    return key
                likely = key if ".." not in parts else None
        return likely

    def _relative(self, place: str) -> bytes:
        if place not in self._places:
            self._places[place] = self._place.relative(place)
        return self._places[place]
