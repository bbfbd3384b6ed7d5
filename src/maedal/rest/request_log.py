"""Each call with an API key, noted for the log of calls: method, pattern of the address, status, time; nothing sent."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import cast

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from maedal.flows.keep_requests import Called, note_request
from maedal.rest.auth import CALLER, AnyRequest, Caller
from maedal.rest.context import context_of
from maedal.rest.scopes import pattern_of

REFUSED_AS = "api_refused_as"
DONE = b'{"code":0,'
"""How the body begins of an answer to a call that was carried out."""
UNNAMED = "REFUSED"


def refused_as(request: AnyRequest, name: str) -> None:
    """Note by which code of an error a call is refused."""
    request.scope.setdefault("state", {})[REFUSED_AS] = name


def logged(app: ASGIApp) -> ASGIApp:
    """Return `app` with each call noted once it is answered, if it is known whose it was."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        began = time.perf_counter()
        status, done = 0, False

        async def noting(message: Message) -> None:
            nonlocal status, done
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not done:
                done = cast("bytes", message.get("body", b"")).startswith(DONE)
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            state = scope.get("state", {})
            caller: Caller | None = state.get(CALLER)
            if caller is not None and status:
                pattern = pattern_of(scope["method"], scope["path_template"], scope["raw_path"])
                note_request(
                    context_of(Request(scope))[0],
                    Called(
                        caller.merchant_id,
                        caller.api_key,
                        scope["method"],
                        pattern,
                        status,
                        None if done else state.get(REFUSED_AS) or UNNAMED,
                        timedelta(seconds=time.perf_counter() - began),
                    ),
                )

    return middleware
