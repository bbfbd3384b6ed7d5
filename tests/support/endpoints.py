"""docs/endpoints.md as the tests read it, and what was called of it while a test ran."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| `([A-Z, ]+) (/\S*)` \| (.+?) \| `(\S+)::(\S+)` \|$", re.MULTILINE)
TABLE = ROW.findall((ROOT / "docs" / "endpoints.md").read_text("utf-8"))
DOCUMENTED = {(method, path) for methods, path, _, _, _ in TABLE for method in methods.split(", ")}
SHOWN_BY: dict[str, set[tuple[str, str]]] = {}
"""Endpoints by the test that shows them, as `file::name` below tests/."""
for _methods, _path, _, _file, _name in TABLE:
    SHOWN_BY.setdefault(f"{_file}::{_name}", set()).update((method, _path) for method in _methods.split(", "))

_called: list[tuple[str, str]] = []


def noted(app: Any) -> Any:
    """Return an ASGI application that notes each call before `app` answers it."""

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            _called.append((scope["method"], scope["raw_path"].decode("latin-1")))
        await app(scope, receive, send)

    return noting


def forget_calls() -> None:
    """Begin anew."""
    _called.clear()


def never_called(test: str) -> list[str]:
    """Return the endpoints that docs/endpoints.md has `test` show and that nobody called since `forget_calls`."""
    wanted = SHOWN_BY.get(test, set())
    called = {_endpoint(method, path) for method, path in _called} if wanted else set()
    return sorted(" ".join(endpoint) for endpoint in wanted - called)


def _endpoint(method: str, raw_path: str) -> tuple[str, str] | None:
    """Return the documented endpoint of a call; where several fit, the most literal one, as in the router."""
    parts = [part for part in raw_path.split("/") if part]
    fitting = [path for verb, path in DOCUMENTED if verb == method and _fits(path.strip("/").split("/"), parts)]
    if not fitting:
        return None
    return method, min(fitting, key=lambda path: [part.startswith("{") for part in path.strip("/").split("/")])


def _fits(template: list[str], parts: list[str]) -> bool:
    if template == [""]:
        return not parts
    if template[-1] == "{rest}" and len(parts) > len(template):
        parts = [*parts[: len(template) - 1], "the rest"]
    return len(template) == len(parts) and all(
        name.startswith("{") or name == part for name, part in zip(template, parts, strict=True)
    )
