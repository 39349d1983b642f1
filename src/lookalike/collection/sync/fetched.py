"""Pictures at URLs: fetched once, by a user's explicit wish, and kept as they were then."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.sync.compare import File
from lookalike.collection.sync.given import GivenSync, Member
from lookalike.collection.sync.intake import Intake
from lookalike.images.given import Given
from lookalike.images.urls.address import normal
from lookalike.images.urls.fetch import fetch


class Fetch:
    """Takes in the pictures at some URLs that are not indexed yet; what could not be fetched before is tried again."""

    def __init__(self, intake: Intake, urls: Iterable[str]) -> None:
        self._intake = intake
        self._urls = urls

    def run(self) -> None:
        """Do it. PictureError, and nothing is done, where one is no URL of http or https."""
        report, catalogue = self._intake.report, self._intake.catalogue
        todo: dict[str, Item | None] = {}
        for url in dict.fromkeys(map(normal, self._urls)):
            item = catalogue.with_path(url.encode())
            if item and item.state == "indexed":
                report.unchanged += 1
            else:
                todo[url] = item
        self._intake.expect(len(todo))
        GivenSync(self._intake).take(self._fetched(todo))
        self._intake.commit()

    def _fetched(self, todo: dict[str, Item | None]) -> Iterator[Member]:
        for url, picture in zip(todo, fetch(todo), strict=True):
            size = len(picture.data) if isinstance(picture, Given) else 0
            yield File(url.encode(), url, size, time.time_ns()), todo[url], picture
