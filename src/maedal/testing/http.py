"""HTTP for tests and listeners: no proxy, no redirect, and nothing that a test may have patched for its own client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANSWER_BYTES_MAX = 8 * 1024 * 1024
PATIENCE_SECONDS = 90.0
"""Longer than the gateway waits for a lost answer to be clarified, and for a busy key before it."""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing: where a page would go next is for the test to see."""


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body read as JSON. Raises ValueError when it is none."""
        return json.loads(self.content)


def ask(
    method: str,
    url: str,
    *,
    body: Any = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """Call, with `body` as JSON or `content` as it is, and return the answer of whatever status.

    Raises OSError when nobody answers in time.
    """
    sent = dict(headers or {})
    if body is not None:
        content = json.dumps(body, ensure_ascii=False).encode()
        sent.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, content, sent, method=method)  # noqa: S310 - the caller's own address
    try:
        with _opener.open(request, timeout=seconds) as reply:
            return Answer(reply.status, dict(reply.headers), reply.read(ANSWER_BYTES_MAX))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read(ANSWER_BYTES_MAX))
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason)) from error
