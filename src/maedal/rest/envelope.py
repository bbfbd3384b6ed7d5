"""The envelope around every answer (docs/wire/portone-v1-rest.md 2.1)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.enums import MediaType

from maedal.rest.language import Language, localized

_encoder = msgspec.json.Encoder()


def success(response: Any, status: int = 200) -> Response[bytes]:
    """Return `response` in an envelope of code 0."""
    return _answer(status, {"code": 0, "message": None, "response": response})


def refusal(status: int, code: int, message: str, language: Language) -> Response[bytes]:
    """Return a refusal; `message` is never empty and `response` is null."""
    return _answer(status, {"code": code, "message": localized(message, language), "response": None})


def _answer(status: int, body: dict[str, Any]) -> Response[bytes]:
    # Never compressed, never a redirect, never empty: old clients need exactly this.
    return Response(_encoder.encode(body), status_code=status, media_type=MediaType.JSON)
