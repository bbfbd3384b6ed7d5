"""What the server itself answers, before any route is known: in the shape that the address would have answered in."""

from __future__ import annotations

import http
import json
from collections.abc import Sequence

RETRY_AFTER_SECONDS = 5

TEXTS = {
    400: ("요청을 읽을 수 없습니다.", "The request cannot be read."),
    408: ("요청이 제때 도착하지 않았습니다.", "The request did not arrive in time."),
    413: ("요청 본문이 너무 큽니다.", "The body is too large."),
    414: ("요청 주소가 너무 깁니다.", "The address is too long."),
    429: (
        "이 주소에서 연결이 너무 많습니다. 잠시 후 다시 시도해주세요.",
        "There are too many connections from this address. Please try again shortly.",
    ),
    431: ("요청 헤더가 너무 큽니다.", "The header fields are too large."),
    503: (
        "일시적으로 요청을 처리할 수 없습니다. 잠시 후 다시 시도해주세요.",
        "The request cannot be carried out at the moment. Please try again shortly.",
    ),
}
PAGES = (b"/console", b"/checkout", b"/pay/")
PAGE = (
    '<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>{status}</title><h1>{korean}</h1><p lang="en">{english}</p></html>'
)


def answer(status: int, target: bytes, fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return a whole answer that ends its connection, to a request of which this much has been read."""
    korean, english = TEXTS[status]
    more = b""
    if target.startswith(PAGES):
        kind, content = b"text/html; charset=utf-8", PAGE.format(status=status, korean=korean, english=english)
    elif target.startswith(b"/sdk/"):
        more = b"access-control-allow-origin: *\r\n"
        kind, content = b"application/json", _json(_sdk_refusal(status, korean))
    else:
        text = english if _wants_english(fields) else korean
        kind, content = b"application/json", _json({"code": -1, "message": text, "response": None})
    if status in {429, 503}:
        more += b"retry-after: %d\r\n" % RETRY_AFTER_SECONDS
    body = content.encode()
    head = b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\ncache-control: no-store\r\n%s"
    phrase = http.HTTPStatus(status).phrase.encode()
    return head % (status, phrase, kind, len(body), more) + b"connection: close\r\n\r\n" + body


def _sdk_refusal(status: int, text: str) -> dict[str, object]:
    code = "TOO_MANY_REQUESTS" if status == 429 else "NETWORK_ERROR" if status in {408, 503} else "INVALID_PARAMETER"
    return {
        "success": False,
        "imp_success": False,
        "imp_uid": None,
        "merchant_uid": None,
        "error_code": code,
        "error_msg": text,
    }


def _json(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _wants_english(fields: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"accept-language" and value.lstrip()[:2].lower() == b"en" for name, value in fields)
