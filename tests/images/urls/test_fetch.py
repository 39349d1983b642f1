"""What servers answer that mean well."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from PIL import Image

import lookalike
from lookalike.errors import ArgumentError
from lookalike.fitting import Input
from lookalike.images.pool import DecoderPool, Failed, Given, Loaded
from lookalike.images.urls import traffic
from lookalike.images.urls.clock import FetchLimits
from lookalike.images.urls.fetch import _AHEAD, fetch
from lookalike.images.urls.place import Place
from lookalike.images.urls.traffic import PER_HOST

from .conftest import LIMITS, Site
from .server import Page, plain, serving


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("lookalike-url")]


def test_pictures_come_in_the_order_of_their_urls(site: Site) -> None:
    def late(connection: socket.socket) -> None:
        site.server.wait(0.2)
        connection.sendall(plain(b"late"))

    pages: dict[str, bytes | Page] = {f"/{i}": plain(b"content %d" % i) for i in range(40)}
    pages |= {"/0": late, "/empty": plain(b"")}
    site.server.pages = pages
    results = site.fetch(*pages)
    assert [result.path for result in results] == [site.url + path for path in pages]
    assert [result.data for result in results if isinstance(result, Given)] == [
        b"late",
        *(b"content %d" % i for i in range(1, 40)),
        b"",
    ]
    assert not workers()


def test_they_are_decoded(site: Site, tmp_path: Path) -> None:
    Image.new("RGB", (5, 4), (200, 0, 0)).save(tmp_path / "red.png")
    site.server.pages = {"/red.png": plain((tmp_path / "red.png").read_bytes()), "/text": plain(b"<html>")}
    with DecoderPool(1) as pool:
        given = (result for result in site.fetch("/red.png", "/text") if isinstance(result, Given))
        red, text = pool.load(given, Input(8, "pad"))
    assert isinstance(red, Loaded)
    assert (red.path, red.width) == (f"{site.url}/red.png", 5)
    assert isinstance(text, Failed)


def test_what_servers_are_told(site: Site) -> None:
    site.server.pages = {
        "/a%20b?c": plain(b"a"),
        "/r": plain(b"", "302 Found", "Location: /a%20b?c#d", "Set-Cookie: c=1"),
    }
    site.fetch("/a b?c#fragment", "/r")
    headers = [
        f"Host: {site.url.removeprefix('http://')}",
        f"User-Agent: lookalike/{lookalike.__version__}",
        "Accept: image/*, */*;q=0.1",
        "Accept-Encoding: identity",
    ]
    assert sorted(head.splitlines() for head in site.server.asked) == [
        ["GET /a%20b?c HTTP/1.1", *headers],
        ["GET /a%20b?c HTTP/1.1", *headers],
        ["GET /r HTTP/1.1", *headers],
    ]


def test_every_url_has_one_result_whatever_it_is(site: Site) -> None:
    site.server.pages = {"/a": plain(b"a"), "/gone": plain(b"", "410 Gone"), "/odd": plain(b"", "799 <b>\x1b[2J")}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://localhost:{closed.getsockname()[1]}/"
    urls = [
        f"{site.url}/a",
        f"{site.url}/no",
        f"{site.url}/gone",
        f"{site.url}/odd",
        dead,
        "http://x.invalid/",
        "ftp://h",
    ]
    results = list(fetch(urls, LIMITS))
    assert [result.path for result in results] == urls
    reasons = [result.reason for result in results if isinstance(result, Failed)]
    assert reasons[:4] == [
        "404 Not Found",
        "410 Gone",
        "an answer of status 799",
        "no connection to its server (Connection refused)",
    ]
    assert reasons[4].startswith("its host ")
    assert reasons[5].startswith("no URL of http")


def test_passwords_are_not_in_the_results() -> None:
    (result,) = fetch(["http://me:secret@localhost/a.jpg"])
    assert isinstance(result, Failed)
    assert "secret" not in result.path + result.reason


def test_arguments() -> None:
    with pytest.raises(ArgumentError, match="workers"):
        fetch([], workers=0)
    assert list(fetch([])) == []


# -- redirects


def test_redirects_are_followed_five_times(site: Site) -> None:
    site.server.pages = {f"/{i}": plain(b"body", "301 Moved", f"Location: {i - 1}") for i in range(1, 7)}
    site.server.pages["/0"] = plain(b"at last")
    assert site.fetch("/5") == [Given(f"{site.url}/5", b"at last")]
    assert site.reason("/6") == "leads on and on, to more than 5 other addresses"


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "ftp://localhost/x", "http://me:secret@localhost/", "http://["]
)
def test_redirects_to_elsewhere_are_not_followed(site: Site, where: str) -> None:
    site.server.pages = {"/r": plain(b"", "302 Found", f"Location: {where}")}
    reason = site.reason("/r")
    assert reason.startswith(f"leads to {where[:4]}")
    assert "secret" not in reason
    assert site.server.paths() == ["/r"]


def test_a_redirect_without_a_location_is_an_answer_without_content(site: Site) -> None:
    site.server.pages = {"/r": plain(b"", "302 Found"), "/304": plain(b"", "304 Not Modified")}
    assert site.reason("/r") == "302 Found"
    assert site.reason("/304") == "304 Not Modified"


def test_the_internet_does_not_lead_into_a_private_network(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "is_public", property(lambda place: place.address[0] == "127.0.0.1"))
    with socket.create_server(("127.0.0.2", 0)) as private:
        url = f"http://127.0.0.2:{private.getsockname()[1]}/"
        site.server.pages = {
            "/r": plain(b"", "302 Found", f"Location: {url}"),
            "/s": plain(b"", "302 Found", "Location: /a"),
        }
        site.server.pages["/a"] = plain(b"a")
        assert site.reason("/r") == "leads from the internet to an address that is not on it"
        assert site.fetch("/s") == [Given(f"{site.url}/s", b"a")]
        private.setblocking(False)
        with pytest.raises(BlockingIOError):
            private.accept()


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1", True),
        ("::ffff:93.184.216.34", True),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),  # site-local
        ("ff0e::1", False),  # multicast
        ("224.0.0.1", False),
        ("4000::1", False),  # nobody was given it yet
        ("::7f00:1", False),  # RFC 4291, section 2.5.5.1: in no use any more
        ("::ffff:0:7f00:1", False),  # RFC 2765
        ("64:ff9b::7f00:1", False),  # NAT64 to 127.0.0.1
        ("64:ff9b::a9fe:a9fe", False),  # and to 169.254.169.254
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::808:808", False),  # a translator of this network alone
        ("64:ff9b:2::808:808", False),
        ("2002:7f00:1::", False),  # 6to4 by 127.0.0.1
        ("2002:808:808::1", True),
        ("2001:0:808:808:0:3f:80ff:fffe", False),  # Teredo to 127.0.0.1
        ("2001:0:7f00:1::f7f7:f7f7", False),  # and by it
        ("2001:db8::1", False),
    ],
)
def test_what_is_on_the_internet(host: str, public: bool) -> None:
    assert Place(0, (host, 80)).is_public is public


# -- politeness


def test_connections_are_used_again_and_few(site: Site) -> None:
    at_work = most = 0
    lock = threading.Lock()

    def slow(connection: socket.socket) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        site.server.wait(0.02)
        with lock:  # before the answer: whoever has it may ask again at once
            at_work -= 1
        connection.sendall(plain(b"x", "200 OK", "Connection: close"))

    site.server.pages = {"/a": plain(b"a")} | {f"/{i}": slow for i in range(30)}
    assert len(site.fetch(*["/a"] * 100)) == 100
    assert site.server.connections <= PER_HOST + 1
    site.fetch(*[f"/{i}" for i in range(30)])
    assert most <= PER_HOST + 1


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(site: Site) -> None:
    def once(connection: socket.socket) -> None:
        connection.sendall(plain(b"first"))  # as if it stayed open, and then it is closed without an answer
        connection.recv(1 << 16)

    site.server.pages = {"/once": once, "/a": plain(b"second")}
    results = list(fetch([f"{site.url}/once", f"{site.url}/a"], LIMITS, workers=1))
    assert [result.data for result in results if isinstance(result, Given)] == [b"first", b"second"]
    assert site.server.connections == 2


ALONE = "its server wants to be left alone for "


def busy(site: Site, times: int, wait: str, status: str = "429 Too Many Requests") -> None:
    """/busy answers so many times that it is."""
    left = times

    def page(connection: socket.socket) -> None:
        nonlocal left
        left -= 1
        connection.sendall(plain(b"", status, f"Retry-After: {wait}") if left >= 0 else plain(b"at last"))

    site.server.pages["/busy"] = page


def test_busy_servers_are_left_alone_for_a_while(site: Site) -> None:
    free = threading.Event()

    def page(connection: socket.socket) -> None:
        connection.sendall(
            plain(b"at last") if free.is_set() else plain(b"", "429 Too Many Requests", "Retry-After: 1")
        )

    site.server.pages = {"/busy": page}
    timer = threading.Timer(0.5, free.set)
    timer.start()
    assert site.fetch("/busy") == [Given(f"{site.url}/busy", b"at last")], "three at once would all find it busy"
    timer.join()


def test_the_time_when_it_is_free_may_be_given_as_a_date(site: Site) -> None:
    busy(site, 1, format_datetime(datetime.now(UTC) + timedelta(seconds=1)), "503 Service Unavailable")
    assert site.fetch("/busy") == [Given(f"{site.url}/busy", b"at last")]
    busy(site, 1, "Thu, 01 Jan 1970 00:00:00 GMT")
    assert site.fetch("/busy") == [Given(f"{site.url}/busy", b"at last")]


@pytest.mark.parametrize(
    ("times", "wait", "reason", "asked"),
    [
        (3, "0", "429 Too Many Requests", 3),
        (1, "3600", ALONE, 1),
        (1, "9" * 4000, ALONE, 1),
        (1, "soon", "429 Too Many Requests", 1),
        (1, "", "429 Too Many Requests", 1),
        (1, "-1", "429 Too Many Requests", 1),
        (1, "²", "429 Too Many Requests", 1),
        (1, "Tue, 01 Jan 99999 00:00:00 GMT", "429 Too Many Requests", 1),
    ],
)
def test_but_neither_for_long_nor_often(site: Site, times: int, wait: str, reason: str, asked: int) -> None:
    busy(site, times, wait)
    assert site.reason("/busy").startswith(reason)
    assert len(site.server.asked) == asked


def test_all_leave_a_busy_server_alone(site: Site) -> None:
    busy(site, 1, "3600")
    site.server.pages["/a"] = plain(b"a")
    results = list(fetch([f"{site.url}/busy", f"{site.url}/a"], LIMITS, workers=1))
    assert all(isinstance(result, Failed) and result.reason.startswith(ALONE) for result in results)
    assert site.server.paths() == ["/busy"]


# -- many


def test_urls_are_read_ahead_by_a_bounded_number(site: Site) -> None:
    site.server.pages = {"/a": plain(b"a")}
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"{site.url}/a"

    results = fetch(endless(), LIMITS)
    for _ in range(20):
        assert isinstance(next(results), Given)
    assert taken <= 20 + _AHEAD + 1
    results.close()  # type: ignore[attr-defined]
    assert not workers()


def test_bytes_that_wait_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "WAITING", 4 << 20)
    asked = 0

    def late(connection: socket.socket) -> None:
        nonlocal asked
        site.server.wait(1)
        asked = len(site.server.asked)
        connection.sendall(plain(b"at last"))

    site.server.pages = {"/late": late, "/large": plain(bytes(1 << 20))}
    results = site.fetch("/late", *["/large"] * 100)
    assert 1 < asked <= 1 + 4 + PER_HOST, "so many that fill what may wait, and those that are under way"
    assert [len(result.data) for result in results if isinstance(result, Given)] == [7, *[1 << 20] * 100]


def test_a_picture_that_is_waited_for_never_waits_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where all connections to the host where it is led are taken by pictures that wait for it."""
    monkeypatch.setattr(traffic, "WAITING", 1)
    with serving() as (one, one_url), serving() as (other, other_url):
        other_url = other_url.replace("localhost", "127.0.0.1")
        all_begun = threading.Semaphore(0)

        def begun(connection: socket.socket) -> None:
            all_begun.release()
            connection.sendall(plain(bytes(1 << 19)))

        def lead(connection: socket.socket) -> None:
            for _ in range(PER_HOST):
                all_begun.acquire(timeout=20)
            connection.sendall(plain(b"", "302 Found", f"Location: {other_url}/first"))

        one.pages = {"/": lead}
        other.pages = {"/first": plain(b"first"), "/large": begun}
        results = list(fetch([f"{one_url}/", *[f"{other_url}/large"] * 20], LIMITS))
    assert results[0] == Given(f"{one_url}/", b"first")
    assert [len(result.data) for result in results[1:] if isinstance(result, Given)] == [1 << 19] * 20


def test_closing_ends_all_that_is_under_way(site: Site) -> None:
    def silent(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        site.server.ended.wait()

    busy(site, 1, "2")
    site.server.pages |= {"/a": plain(b"a"), "/silent": silent}
    results = fetch(
        [f"{site.url}{path}" for path in ("/a", *["/silent"] * 9, "/busy", "/a")], FetchLimits(silence=3600)
    )
    assert isinstance(next(results), Given)
    assert workers()
    results.close()  # type: ignore[attr-defined]
    assert not workers()


def test_an_error_of_the_list_ends_it_all(site: Site) -> None:
    site.server.pages = {"/a": plain(b"a")}

    def broken() -> Iterator[str]:
        yield f"{site.url}/a"
        raise RuntimeError("as it is")

    with pytest.raises(RuntimeError, match="as it is"):
        list(fetch(broken(), LIMITS))
    assert not workers()


def test_ctrl_c_ends_it(site: Site) -> None:
    def silent(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        site.server.ended.wait()

    site.server.pages = {"/a": plain(b"a"), "/silent": silent}
    code = """
import sys
from lookalike.images.urls.fetch import fetch
for picture in fetch([sys.argv[1] + path for path in ("/a", "/silent", "/silent")]):
    print(picture.data, flush=True)
"""
    arguments = [sys.executable, "-W", "error", "-c", code, site.url]
    environment = os.environ | {"PYTHONPATH": str(Path(lookalike.__path__[0]).parent)}
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "b'a'\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT
        assert process.stderr.read().splitlines()[-1] == "KeyboardInterrupt"
