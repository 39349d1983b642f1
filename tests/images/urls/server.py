"""A server on loopback whose pages are functions, so that it can misbehave as no well-kept server does."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PEM = str(Path(__file__).with_name("localhost.pem"))
"""A key and its self-signed certificate for localhost, from 2020 to 2120."""

Page = Callable[[socket.socket], None]


class Server:
    """What is asked for, and how.

    Attributes:
        pages: by their paths; one that writes is given the connection, and returns when it is to be closed.
        asked: the heads of all requests.
        connections: how many there were.
        most: the most that were at work at once.
        ended: set once the test is over; pages that wait look at it.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Page] = {}
        self.asked: list[str] = []
        self.connections = 0
        self.most = 0
        self.ended = threading.Event()
        self._working = 0
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as lines:
            while head := b"\n".join(iter(lambda: lines.readline().strip(), b"")).decode():
                with self._lock:
                    self.asked.append(head)
                    self._working += 1
                    self.most = max(self.most, self._working)
                try:
                    page = self.pages.get(head.split()[1], plain(b"", "404 Not Found"))
                    if not isinstance(page, bytes):
                        page(connection)
                        return
                    connection.sendall(page)
                finally:
                    with self._lock:
                        self._working -= 1

    def wait(self, seconds: float) -> bool:
        """Whether the test is still on after so many seconds."""
        return not self.ended.wait(seconds)

    def paths(self) -> list[str]:
        return [head.split()[1] for head in self.asked]


def plain(content: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A well-formed answer."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", ""))
    return head.encode() + content


@contextmanager
def serving(*, secure: bool = False, port: int = 0) -> Iterator[tuple[Server, str]]:
    """A server, and the URL of its pages' folder."""
    server = Server()
    listening = socket.create_server(("127.0.0.1", port))
    number = listening.getsockname()[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    def one(connection: socket.socket) -> None:
        with suppress(OSError):
            server.serve(context.wrap_socket(connection, server_side=True) if secure else connection)

    def accept() -> None:
        while not server.ended.is_set():
            connection, _ = listening.accept()
            server.connections += 1
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server, f"{'https' if secure else 'http'}://localhost:{number}"
    finally:
        server.ended.set()
        socket.create_connection(("127.0.0.1", number)).close()  # wakes it
        thread.join()
        listening.close()
