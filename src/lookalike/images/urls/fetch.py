"""Many pictures from the web, in the order of their URLs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from lookalike.arrays import as_count
from lookalike.errors import PictureError
from lookalike.images.pool import Failed, Given
from lookalike.images.urls.address import parse
from lookalike.images.urls.clock import DEFAULT_LIMITS, FetchLimits
from lookalike.images.urls.get import Get
from lookalike.images.urls.traffic import Traffic

_AHEAD = 256  # URLs that are taken beyond the picture that is waited for


def fetch(urls: Iterable[str], limits: FetchLimits = DEFAULT_LIMITS, *, workers: int = 8) -> Iterator[Given | Failed]:
    """The picture at each URL by its bytes, or why there is none; exactly one result a URL, in their order.

    Nothing is written to disk. Whoever calls this has asked the user: nothing else opens a connection. `urls` is read
    ahead by a bounded number; at most 64 MiB wait, beside the one picture that is waited for. Closing the iterator
    ends all that is under way.

    Servers are asked by a User-Agent that names lookalike, over at most 4 connections a host and one more, which
    are used again, without cookies and referrers; certificates are verified. One that is busy and says for how long
    (429 or 503 with Retry-After) is left alone that long, at most twice for a picture. Redirects lead only to http and
    https, and not from the internet into a private network. The environment's proxies are not used.

    Args:
        urls: best in the form of `address.normal`, by which they are called in the results, too.
        workers: the most pictures under way at once.

    Raises:
        ArgumentError: fewer than one worker.

    Example:
        >>> for picture in fetch(["https://example.com/cat.jpg"]):
        ...     print(picture.path, len(picture.data) if isinstance(picture, Given) else picture.reason)
    """
    return _fetch(urls, limits, as_count("workers", workers, 1))


def _fetch(urls: Iterable[str], limits: FetchLimits, workers: int) -> Iterator[Given | Failed]:
    traffic = Traffic(limits, most_idle=workers)
    threads = ThreadPoolExecutor(workers, thread_name_prefix="lookalike-url")
    window: deque[Future[Given | Failed]] = deque()

    def one(turn: int, url: str) -> Given | Failed:
        try:
            return Given(url, Get(limits, traffic, turn).run(parse(url)))
        except PictureError as error:
            traffic.drop(turn)
            return Failed(error.path or url, error.reason)  # its path is without what is secret

    def taken() -> Given | Failed:
        result = window.popleft().result()
        traffic.pass_on()
        return result

    try:
        for turn, url in enumerate(urls):
            window.append(threads.submit(one, turn, url))
            while window and (len(window) > _AHEAD or window[0].done()):
                yield taken()
        while window:
            yield taken()
    finally:
        traffic.end()
        threads.shutdown(cancel_futures=True)
