"""What servers answer that mean harm, or are broken: each costs one picture, within its limits."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

import lookalike
from lookalike.images.pool import Failed, Given
from lookalike.images.urls.clock import FetchLimits
from lookalike.images.urls.fetch import fetch

from ...memory import GROWN
from .conftest import LIMITS, Site
from .server import PEM, Page, plain, serving

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = f"is larger than {LIMITS.size >> 20} MiB"
ENDS = "its server's answer ends early"
SENSELESS = "its server's answer makes no sense"
FLOOD = "its server sends too much beside the picture"
EITHER = (SENSELESS, FLOOD)  # it depends on how much comes at once
HUNG_UP = "no connection to its server (Remote end closed connection without response)"


def says(*parts: bytes) -> Page:
    """A page that is this, and then the end of the connection."""
    return lambda connection: connection.sendall(b"".join(parts))


def floods(start: bytes, more: bytes) -> Page:
    """A page that never ends."""

    def page(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(more)

    return page


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        # larger than may be
        (says(OK, b"Content-Length: 1048577\r\n\r\n"), LARGE),
        (says(OK, b"Content-Length: 1", b"0" * 4000, b"\r\n\r\n"), LARGE),
        (floods(OK + b"\r\n", bytes(1 << 16)), LARGE),
        (floods(OK + b"Content-Length: none\r\n\r\n", bytes(1 << 16)), LARGE),
        (floods(OK + b"Content-Length: -1\r\n\r\n", bytes(1 << 16)), LARGE),
        (floods(OK + b"Content-Length: 1" + b"0" * 5000 + b"\r\n\r\n", bytes(1 << 16)), LARGE),
        (floods(CHUNKED, b"10000\r\n" + bytes(1 << 16) + b"\r\n"), LARGE),
        (floods(CHUNKED + b"f" * 5000 + b"\r\n", bytes(1 << 16)), LARGE),
        # endless beside the content
        (floods(CHUNKED, b"1\r\nx\r\n" * 1000), FLOOD),
        (floods(CHUNKED, b"1;" + b"x" * 60_000 + b"\r\nx\r\n"), FLOOD),
        (floods(CHUNKED + b"0\r\n", b"trailer: x\r\n" * 1000), FLOOD),
        (floods(CHUNKED + b"-1\r\n", bytes(1 << 16)), FLOOD),
        (floods(OK, b"a: b\r\n" * 1000), EITHER),
        (floods(OK, b"a" * 60_000), EITHER),
        (floods(OK + b"a: ", b"b" * 60_000 + b"\r\n "), EITHER),
        (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), FLOOD),
        (floods(b"HTTP/1.1 200 ", b"x" * 60_000), EITHER),
        (says(b"HTTP/1.1 302 Found\r\nLocation: /" + b"a" * 60_000 + b"\r\n\r\n"), "leads to http://localhost"),
        # cut off
        (says(), HUNG_UP),
        (says(OK), "no picture"),
        (says(OK, b"Content-Length: 10\r\n\r\n12345"), "its server's answer ends 5 bytes early"),
        (says(CHUNKED, b"a\r\n12345"), ENDS),
        (says(CHUNKED, b"5\r\n12345\r\n"), ENDS),
        (says(CHUNKED, b"-5\r\n12345"), SENSELESS),
        (says(CHUNKED, b"\xff\r\n"), ENDS),
        # no HTTP
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), SENSELESS),
        (says(b"\0" * 1000), SENSELESS),
        (says(b"HTTP/9.9 200 OK\r\n\r\n"), SENSELESS),
        (says(b"HTTP/1.1 ten OK\r\n\r\n"), SENSELESS),
        # packed
        (says(plain(gzip.compress(bytes(9)), "200 OK", "Content-Encoding: gzip")), "its content is compressed"),
        (says(plain(b"x", "200 OK", "Content-Encoding: \xff")), "its content is compressed"),
        (says(OK, b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "its content is compressed"),
    ],
)
def test_an_answer_that_is_none(site: Site, page: Page, reason: str | tuple[str, ...]) -> None:
    site.server.pages = {"/bad": page, "/good": plain(b"good")}
    bad, good = site.fetch("/bad", "/good")
    if reason == "no picture":  # no head without its end: an empty one, which the decoder will refuse
        assert bad == Given(bad.path, b"")
    else:
        assert isinstance(bad, Failed)
        assert bad.reason.startswith(reason)
        assert len(bad.reason) < 300
    assert good == Given(f"{site.url}/good", b"good")


def drips(start: bytes, more: bytes) -> Page:
    """A page that never ends, and takes its time."""

    def page(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(0.02)
            connection.sendall(more)

    return page


@pytest.mark.parametrize(
    "page",
    [
        drips(b"HTTP", b"x"),
        drips(OK, b"a: b\r\n"),
        drips(OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        drips(CHUNKED, b"1\r\nx\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_slow_answer_is_ended_in_time(site: Site, page: Page) -> None:
    site.server.pages = {"/slow": page}
    assert site.reason("/slow", replace(LIMITS, seconds=0.5)) == "took more than 0.5 s to fetch"


def test_time_is_counted_through_all_redirects(site: Site) -> None:
    def slowly(connection: socket.socket) -> None:
        site.server.wait(0.4)
        connection.sendall(plain(b"", "302 Found", "Location: /slow"))

    site.server.pages = {"/slow": slowly}
    assert site.reason("/slow", replace(LIMITS, seconds=1, redirects=100)) == "took more than 1 s to fetch"
    assert len(site.server.asked) <= 3


@pytest.mark.parametrize("start", [b"", OK, OK + b"Content-Length: 9\r\n\r\n1", CHUNKED + b"5\r\n1"])
def test_silence_is_ended_in_time(site: Site, start: bytes) -> None:
    def silent(connection: socket.socket) -> None:
        connection.sendall(start)
        site.server.ended.wait()

    site.server.pages = {"/silent": silent}
    assert site.reason("/silent", replace(LIMITS, silence=0.3)) == "its server was silent for 0.3 s"


SOON = replace(LIMITS, connect=0.3)


def why_not(url: str, limits: FetchLimits = LIMITS) -> str:
    (result,) = fetch([url], limits)
    assert isinstance(result, Failed), result
    return result.reason


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses, or takes more than it says")
def test_a_server_that_does_not_answer_is_left_in_time() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # as many as are waiting, so that it takes no more
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        assert why_not(f"http://127.0.0.1:{listening.getsockname()[1]}/", SOON) == "no connection within 0.3 s"


def test_a_name_that_is_looked_up_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        ended = threading.Event()
        stack.callback(ended.set)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait() and [])
        assert why_not("http://localhost:1/", SOON) == "its host was not found within 0.3 s"


def test_the_next_place_of_a_host_is_tried(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(site.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.2", 0)) as closed:
        places = [("127.0.0.2", closed.getsockname()[1]), ("127.0.0.1", port)]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
    )
    site.server.pages = {"/a": plain(b"a")}
    assert site.fetch("/a") == [Given(f"{site.url}/a", b"a")]


# -- https


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with serving(secure=True) as (server, url):
        assert why_not(f"{url}/a") == "its server's certificate is refused (self-signed certificate)"
        assert server.asked == []


def test_a_certificate_that_is_vouched_for_is_good_for_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", PEM)
    with serving(secure=True) as (server, url):
        server.pages = {"/a": plain(bytes(1 << 19)), "/r": plain(b"", "302 Found", "Location: /a")}
        urls = [f"{url}/a", f"{url}/r", f"{url}/a"]
        assert list(fetch(urls, LIMITS, workers=1)) == [Given(each, bytes(1 << 19)) for each in urls]
        assert server.connections == 1
        assert why_not(url.replace("localhost", "127.0.0.1")).startswith("its server's certificate is refused (")
        assert len(server.asked) == 4


def test_https_is_not_spoken_by_all(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why_not(f"https://localhost:{silent.getsockname()[1]}/", SOON) == "no secure connection within 0.3 s"

    def hello() -> None:
        with listening.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=hello)
        thread.start()
        reason = why_not(f"https://localhost:{listening.getsockname()[1]}/")
        thread.join()
    assert reason.startswith("no secure connection to its server (")


def test_memory_is_bounded(site: Site) -> None:
    site.server.pages = {"/endless": floods(OK + b"\r\n", bytes(1 << 20))}
    code = f"""
import sys
from lookalike.images.urls.clock import FetchLimits
from lookalike.images.urls.fetch import fetch
{GROWN}
results = []
def work():
    results.extend(each.reason for each in fetch([sys.argv[1]] * 12, FetchLimits(size=64 << 20)))
print(grown(work))
print(*results, sep="\\n")
"""
    arguments = [sys.executable, "-W", "error", "-c", code, f"{site.url}/endless"]
    environment = os.environ | {"PYTHONPATH": str(Path(lookalike.__path__[0]).parent)}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, env=environment)
    grown, *reasons = done.stdout.splitlines()
    assert reasons == ["is larger than 64 MiB"] * 12
    assert int(grown) < 64 + 64 + 50  # beside those that wait the one that is waited for; five would be 320
