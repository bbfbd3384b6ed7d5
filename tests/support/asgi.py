"""One request to an ASGI application of this process, without the price of a whole HTTP client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote


async def ask(
    app: Any, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
) -> tuple[int, bytes]:
    """Return the status and body that `app` answers `target`, a path with its query; whatever it raises is raised."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50_000),
    }
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)
    start, *rest = answered
    return start["status"], b"".join(message.get("body", b"") for message in rest)
