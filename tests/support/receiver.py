"""A merchant's server: keeps what it is sent, and answers what it is told to."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS_MAX = 15


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """What arrived, and what is answered: by path, otherwise 200 and `OK`. Those that hang do so until `released`."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], list[bytes]]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    resets: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, status: int, *pieces: bytes, **headers: str) -> str:
        """Answer `path` so from now on, the body piece by piece; gives the whole address."""
        self.answers[path] = (status, headers, list(pieces))
        return self.url + path

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int = 1) -> list[Received]:
        """Return what arrived at `path` once there are `count` of it."""
        deadline = time.monotonic() + SECONDS_MAX
        while len(self.at(path)) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.at(path)) == count, self.received
        return self.at(path)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver on this machine until the block ends."""
    running = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            running.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(running.delays.get(self.path, 0))
            if self.path in running.hanging:
                running.released.wait()
            if self.path in running.resets:
                # Closed at once and with what is unsent thrown away: the caller sees a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            status, headers, pieces = running.answers.get(self.path, (200, {}, [b"OK"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(sum(map(len, pieces))))
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(0.05 * (len(pieces) > 1))

        def log_message(self, *_):
            pass

        def handle(self):
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError, ValueError, OSError):
                pass  # the caller had waited long enough

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.released.set()
            server.shutdown()
            thread.join()
