"""`Idempotency-Key`: a POST that is sent twice is carried out once, and both are answered alike.

An addition of our own; PortOne has none. It stands in front of every POST of the REST API but that of the token. The
key is claimed before the call is carried out and the answer kept, sealed, before it is given. A call that was cut off
by a crash is taken up again after `LEASE`, under the same attempt id, so that it begins nothing a second time. An
answer that says to come again (`come_again`) is not kept: the next one may know more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from maedal.flows.services import Services
from maedal.flows.sweep_idempotency_keys import KEPT
from maedal.merchants.errors import TooManyRequests
from maedal.rest.auth import AnyRequest
from maedal.rest.context import context_of
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.envelope import NOT_KEPT, refusal
from maedal.rest.errors import NO_DATABASE, ApiRefusal
from maedal.rest.language import Bilingual, language_of
from maedal.storage.errors import StoreError
from maedal.storage.idempotency.writes import BODY_PURPOSE, ClaimRequest, FinishRequest, KeptRequest, answer_context

_log = structlog.get_logger()

HEADER = "idempotency-key"
KEY_MAX = 255

LEASE = timedelta(minutes=3)
"""Longer than any request lasts: all its waits together, and the PG's timeouts, stay well below."""
POLL_SECONDS = 0.2
WAIT_SECONDS = 30.0
"""How long a repetition waits for the first, which is still being carried out."""
_UNTOUCHED = "/users/getToken"
_COME_AGAIN = "come_again"

BAD_KEY = ApiRefusal(
    400,
    -1,
    Bilingual(
        f"Idempotency-Key 헤더는 1자 이상 {KEY_MAX}자 이하의 ASCII 문자여야 합니다.",
        f"The header Idempotency-Key must be 1 to {KEY_MAX} ASCII characters.",
    ),
)
OTHER_BODY = ApiRefusal(
    422,
    -1,
    Bilingual(
        "같은 Idempotency-Key로 다른 내용의 요청이 이미 있었습니다. 새 키를 사용해주세요.",
        "This Idempotency-Key was used for another request already. Please use a new one.",
    ),
)
STILL_RUNNING = ApiRefusal(
    409,
    -1,
    Bilingual(
        "같은 Idempotency-Key의 요청을 처리하고 있습니다. 잠시 후 같은 키로 다시 시도해주세요.",
        "A request with this Idempotency-Key is being carried out. Please try again shortly, with the same key.",
    ),
)
REFUSALS = (BAD_KEY, OTHER_BODY, STILL_RUNNING)


class Answer(msgspec.Struct):
    """What was answered, as it is kept."""

    status: int
    content_type: str
    body: bytes


def attempt_id_of(request: AnyRequest) -> str | None:
    """Return the id under which this request, however often it comes, begins its one call to the PG, if it has one."""
    attempt_id: str | None = request.scope.get("state", {}).get("attempt_id")
    return attempt_id


def come_again(request: AnyRequest) -> None:
    """Note that the answer is not the last word: nothing was done yet, or what was done is still being clarified."""
    request.scope.setdefault("state", {})[_COME_AGAIN] = True


def idempotent(app: ASGIApp) -> ASGIApp:
    """Return `app` with repetitions answered from what was answered first; without the header it is left alone."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or scope["path"] == _UNTOUCHED:
            await app(scope, receive, send)
            return
        found = [value for name, value in scope["headers"] if name.lower() == HEADER.encode()]
        if not found:
            await app(scope, receive, send)
            return
        await _once(app, scope, receive, send, found)

    return middleware


async def _once(app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send, found: list[bytes]) -> None:
    request: AnyRequest = Request(scope)
    services, tokens, _ = context_of(request)
    try:
        merchant_id = await tokens.merchant_id(request)
    except (ApiRefusal, TooManyRequests):
        # Whoever has no token is told so by the call itself, and nothing is kept.
        await app(scope, receive, send)
        return
    if len(found) != 1 or not 0 < len(found[0]) <= KEY_MAX or not all(0x20 < sign < 0x7F for sign in found[0]):
        await _give(scope, receive, send, _refused(request, BAD_KEY))
        return
    body = await _whole(receive)
    if body is None:
        # Too large: answered by the call itself.
        await app(scope, _replayed(b"\0" * (BODY_BYTES_MAX + 1)), send)
        return
    now = services.clock.now()
    digest = hashlib.sha256(
        b"\0".join((scope["method"].encode(), scope["raw_path"], _content_type(request), body))
    ).hexdigest()
    claim = ClaimRequest(
        merchant_id=merchant_id,
        key=found[0].decode("ascii"),
        digest=services.vault.keep(BODY_PURPOSE, digest, merchant_id, found[0].decode("ascii")),
        attempt_id=services.ids.row(now),
        lease_id=services.ids.row(now),
        now=now,
        leased_until=now + LEASE,
        kept_since=now - KEPT,
    )
    kept = await _claimed(services, claim, digest)
    if isinstance(kept, ApiRefusal):
        await _give(scope, receive, send, _refused(request, kept))
    elif kept.lease_id == claim.lease_id:
        await services.background.finish(_carry_out(app, scope, body, send, services, claim, kept))
    else:
        assert kept.sealed_answer is not None, "it is answered, or it is ours"
        opened = services.vault.open(kept.sealed_answer, *answer_context(claim.merchant_id, claim.key))
        answer = msgspec.json.decode(opened, type=Answer)
        response = Response(
            answer.body,
            status_code=answer.status,
            media_type=answer.content_type,
            headers={"Idempotent-Replayed": "true", **NOT_KEPT},
        )
        await _give(scope, receive, send, response)


async def _claimed(services: Services, claim: ClaimRequest, digest: str) -> KeptRequest | ApiRefusal:
    """Return the request as ours to carry out, or as answered; or why it is neither.

    What is kept of a body is sealed, so that the same body looks different each time: one that proves to be the same is
    claimed again as it is kept.
    """
    waited = 0.0
    while True:
        try:
            kept = await services.store.write(claim)
        except StoreError as error:
            _log.error("idempotency_key_not_claimed", kind=type(error).__name__)
            return ApiRefusal(503, -1, NO_DATABASE)
        if kept.digest != claim.digest:
            if not services.vault.matches(BODY_PURPOSE, digest, kept.digest, claim.merchant_id, claim.key):
                return OTHER_BODY
            claim = replace(claim, digest=kept.digest)
            if kept.sealed_answer is None:
                continue
        if kept.lease_id == claim.lease_id or kept.sealed_answer is not None:
            return kept
        if waited >= WAIT_SECONDS:
            return STILL_RUNNING
        await services.clock.sleep(POLL_SECONDS)
        waited += POLL_SECONDS


async def _carry_out(
    app: ASGIApp, scope: HTTPScope, body: bytes, send: Send, services: Services, claim: ClaimRequest, kept: KeptRequest
) -> None:
    """Carry the request out, keep its answer, and only then give it; goes on when the caller hangs up."""
    messages: list[Message] = []

    async def listen(message: Message) -> None:
        messages.append(message)

    scope.setdefault("state", {})["attempt_id"] = kept.attempt_id
    await app(scope, _replayed(body), listen)
    start: Any = messages[0]
    headers = {name.lower(): value for name, value in start["headers"]}
    content = b"".join(message.get("body", b"") for message in messages[1:])  # type: ignore[misc]
    sealed: bytes | None = None
    if start["status"] < 500 and not scope["state"].get(_COME_AGAIN):
        answer = Answer(start["status"], headers.get(b"content-type", b"application/json").decode(), content)
        sealed = services.vault.seal(
            msgspec.json.encode(answer).decode(), *answer_context(claim.merchant_id, claim.key)
        )
    try:
        await services.store.write(FinishRequest(claim.merchant_id, claim.key, claim.lease_id, sealed))
    except StoreError as error:
        # The call was carried out; a repetition takes it up under the same attempt id and begins nothing anew.
        _log.error("idempotent_answer_not_kept", kind=type(error).__name__)
    for message in messages:
        await send(message)


def _refused(request: AnyRequest, error: ApiRefusal) -> Response[bytes]:
    return refusal(error.status, error.code, error.message, language_of(request))


async def _give(scope: Scope, receive: Receive, send: Send, response: Response[bytes]) -> None:
    request: AnyRequest = Request(scope)
    await response.to_asgi_response(None, request)(scope, receive, send)


async def _whole(receive: Receive) -> bytes | None:
    """Return the whole body, or None when it is larger than any call takes."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(pieces)
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return b"".join(pieces)


def _replayed(body: bytes) -> Callable[[], Awaitable[Any]]:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _content_type(request: AnyRequest) -> bytes:
    return request.headers.get("content-type", "").encode()
