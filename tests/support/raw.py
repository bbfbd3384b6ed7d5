"""Requests exactly as written: the path as it is, any header, any body, whole or in chunks."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.document import hold_against_document

SECONDS_MAX = 30


@dataclass(frozen=True)
class RawAnswer:
    """An answer with the names that httpx gives its own."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.content)


def raw(
    origin: str, method: str, path: str, body: bytes | Iterable[bytes] = b"", headers: dict[str, str] | None = None
) -> RawAnswer:
    """Send one request on a connection of its own; a body that is no bytes goes out in chunks."""
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=SECONDS_MAX)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        else:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            _send_chunks(connection, body)
        answer = connection.getresponse()
        content = answer.read()
        hold_against_document(method, path.partition("?")[0], answer.status, content)
        return RawAnswer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)
    finally:
        connection.close()


def _send_chunks(connection: http.client.HTTPConnection, chunks: Iterable[bytes]) -> None:
    try:
        for chunk in chunks:
            connection.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        connection.send(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server has heard enough and answered
