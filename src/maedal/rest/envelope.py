"""The envelope around every answer (docs/wire/portone-v1-rest.md 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from maedal.rest.language import Language, localized

# Buyers' data stand in answers: nothing between us and the caller keeps one, and no browser takes one for a page.
NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NOT_KEPT = [(name.lower().encode(), value.encode()) for name, value in NOT_KEPT.items()]
_encoder = msgspec.json.Encoder()


def success(response: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return `response` in an envelope of code 0."""
    return _answer(status, {"code": 0, "message": None, "response": response}, headers)


def refusal(status: int, code: int, message: str, language: Language) -> Response[bytes]:
    """Return a refusal; `message` is never empty and `response` is null."""
    return _answer(status, {"code": code, "message": localized(message, language), "response": None})


class _Sent(ASGIResponse):
    """An answer as it goes out: its head and its body, made once."""

    __slots__ = ("head",)

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.body = body
        self.status_code = status
        self.head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *_NOT_KEPT]
        self.head += [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.head})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class Envelope(Response[bytes]):
    """An answer of the REST API, which has no cookies, no encodings and nothing that a layer adds.

    Litestar's own way to put those together costs more than encoding a payment does.
    """

    def to_asgi_response(self, app: object, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:  # noqa: ARG002
        """Return what is sent."""
        assert self.status_code is not None, "given by whoever made it"
        return _Sent(self.content, self.status_code, self.headers)


def _answer(status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Envelope:
    # Never compressed, never a redirect, never empty: old clients need exactly this.
    return Envelope(_encoder.encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)
