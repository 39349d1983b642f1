from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lookalike.images.pool import Failed, Given
from lookalike.images.urls.clock import FetchLimits
from lookalike.images.urls.fetch import fetch

from .server import Server, serving

LIMITS = FetchLimits(size=1 << 20, seconds=30, connect=10, silence=10, patience=2)


class Site(NamedTuple):
    """A server on loopback, and the URL that its paths are appended to."""

    server: Server
    url: str

    def fetch(self, *paths: str, limits: FetchLimits = LIMITS) -> list[Given | Failed]:
        return list(fetch([self.url + path for path in paths], limits))

    def reason(self, path: str, limits: FetchLimits = LIMITS) -> str:
        """Why the page is not fetched."""
        (result,) = self.fetch(path, limits=limits)
        assert isinstance(result, Failed), result
        assert result.path == self.url + path
        return result.reason


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (server, url):
        yield Site(server, url)
