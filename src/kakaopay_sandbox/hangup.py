"""Closing the connection instead of answering, as a lost reply looks to the caller."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send

_WANTED = "kakaopay_sandbox.hangup"


class Hangup(Response[None]):
    """A response that sends nothing; `HangupLitestar` then breaks the connection."""

    def __init__(self) -> None:
        super().__init__(None)

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        del args, kwargs

        async def send_nothing(scope: Scope, receive: Receive, send: Send) -> None:
            del receive, send
            scope["state"][_WANTED] = True

        return send_nothing


class HangupLitestar(Litestar):
    """Litestar that can abort the TCP connection of a request.

    uvicorn's `send` belongs to an object that holds the transport; aborting it resets the connection,
    and no byte of an answer is sent. Under a test client there is no transport: ConnectionResetError
    reaches the caller instead.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        if not (scope["type"] == "http" and scope.get("state", {}).get(_WANTED)):
            return
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("the simulator dropped this connection as arranged")
        transport.abort()
        # uvicorn takes an unanswered request for a bug unless it has seen the connection go.
        while (await receive())["type"] != "http.disconnect":
            pass


AnyRequest = Request[Any, Any, Any]
