"""A receiver of webhooks on this machine: keeps what arrives, and passes it on as it came."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, overload
from urllib.parse import parse_qsl

from maedal.testing.http import Answer, ask

FORWARD_SECONDS_MAX = 30.0
"""As long as the gateway itself waits for a receiver (docs/wire/portone-v1-rest.md 5.4)."""
ARRIVAL_SECONDS_MAX = 20.0
OURS_ALONE = {
    "host", "content-length", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
    "proxy-authorization", "proxy-authenticate", "accept-encoding",
}  # fmt: skip
"""Headers of one hop; all others belong to the message."""
TAKEN = Answer(200, {}, b"OK")
NOBODY = Answer(410, {}, b"this test is over")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request of the gateway: the body as it was sent, and what V1 says in it, JSON or form."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """Return `imp_uid`, `merchant_uid`, `status` and, of a cancel, `cancellation_id`."""
        try:
            if "json" in self.headers.get("content-type", ""):
                read = json.loads(self.body)
                return read if isinstance(read, dict) else {}
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except (ValueError, RecursionError):
            return {}

    @property
    def imp_uid(self) -> str:
        return str(self.fields.get("imp_uid", ""))

    @property
    def merchant_uid(self) -> str:
        return str(self.fields.get("merchant_uid", ""))

    @property
    def status(self) -> str:
        """Return V1's status: `paid`, `failed`, `cancelled`, or `ready` of a test call."""
        return str(self.fields.get("status", ""))

    @property
    def id(self) -> str:
        """Return the name of the news, the same in every try; empty when webhooks are not signed."""
        return self.headers.get("webhook-id", "")


def forward(webhook: Webhook, url: str) -> Answer:
    """Post a webhook as it came, signature and all, and return the answer. Raises OSError when none comes."""
    headers = {name: value for name, value in webhook.headers.items() if name not in OURS_ALONE}
    try:
        return ask("POST", url, content=webhook.body, headers=headers, seconds=FORWARD_SECONDS_MAX)
    except http.client.HTTPException as error:
        raise OSError(f"what answered does not speak HTTP ({type(error).__name__})") from error


class Inbox(Sequence[Webhook]):
    """The webhooks that one merchant was sent, oldest first. `answer` is what the gateway hears: 200 unless changed.

    With `forward_to` each goes on to that address as it came, and the gateway hears what that answers, or 502.
    """

    def __init__(self) -> None:
        self._arrived: list[Webhook] = []
        self._changed = threading.Condition()
        self.answer: int = 200
        self.forward_to: str | None = None

    @overload
    def __getitem__(self, at: int) -> Webhook: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Webhook]: ...
    def __getitem__(self, at: int | slice) -> Webhook | Sequence[Webhook]:
        with self._changed:
            return self._arrived[at]

    def __len__(self) -> int:
        return len(self._arrived)

    def __repr__(self) -> str:
        return f"<Inbox {[(webhook.merchant_uid, webhook.status) for webhook in list(self)]}>"

    def find(self, **wanted: str) -> list[Webhook]:
        """Return those whose fields are as wanted: `status="paid"`, `merchant_uid=…`, `imp_uid=…`."""
        return [
            webhook
            for webhook in list(self)
            if all(str(webhook.fields.get(name, "")) == value for name, value in wanted.items())
        ]

    def wait(self, *, seconds: float = ARRIVAL_SECONDS_MAX, **wanted: str) -> Webhook:
        """Return the newest that is as wanted, once there is one. Raises AssertionError with what did arrive."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := self.find(**wanted)):
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(
                        f"no webhook with {wanted} came within {seconds:g} seconds; there are {self!r}"
                    )
            return found[-1]

    def clear(self) -> None:
        """Forget what has arrived."""
        with self._changed:
            self._arrived.clear()

    def take(self, webhook: Webhook) -> Answer:
        """Keep a webhook and return what the gateway is to hear."""
        answer = TAKEN if self.answer == TAKEN.status else Answer(self.answer, {}, b"")
        if self.forward_to is not None:
            try:
                answer = forward(webhook, self.forward_to)
            except (OSError, ValueError) as error:
                answer = Answer(502, {}, f"not forwarded: {error}".encode())
        with self._changed:
            self._arrived.append(webhook)
            self._changed.notify_all()
        return answer


Take = Callable[[Webhook], Answer]


@contextlib.contextmanager
def receiving(take: Take, *, port: int = 0) -> Iterator[str]:
    """Serve a receiver on 127.0.0.1 until the block ends, and give its origin. `take` runs in threads of its own.

    What has arrived by the end is answered first.
    """
    under_way = 0
    changed = threading.Condition()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_POST(self) -> None:
            """Take one webhook."""
            nonlocal under_way
            with changed:
                under_way += 1
            try:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._answer(take(Webhook(self.path, headers, content)))
            finally:
                with changed:
                    under_way -= 1
                    changed.notify_all()

        def do_GET(self) -> None:
            """Say that somebody listens here."""
            self._answer(TAKEN)

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in OURS_ALONE | {"date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def handle(self) -> None:
            """Serve a connection; a caller who has gone away is nobody's failure."""
            with contextlib.suppress(OSError, ValueError):
                super().handle()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            with changed:
                changed.wait_for(lambda: under_way == 0, FORWARD_SECONDS_MAX)
