"""Holds answers of the REST API against its own document: status, code, and every field with its type."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from maedal.rest.api_document.document import document
from maedal.rest.api_document.words import Language

DOCUMENT = document(Language.ENGLISH)
REFUSAL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "message", "response"],
    "properties": {
        "code": {"type": "integer", "not": {"const": 0}},
        "message": {"type": "string", "minLength": 1},
        "response": {"type": "null"},
    },
}
"""What an address or a method that the document does not name is answered."""
ROOMS = {path.split("/")[1] for path in DOCUMENT["paths"]}


def operation_at(method: str, raw_path: str) -> dict[str, Any] | None:
    """Return what the document says of a call, or None; where several paths fit, the most literal one counts."""
    parts = [part for part in raw_path.split("/") if part]  # several slashes are one
    fitting = [path for path in DOCUMENT["paths"] if _fits(path.strip("/").split("/"), parts)]
    if not fitting:
        return None
    nearest = min(fitting, key=lambda path: [part.startswith("{") for part in path.strip("/").split("/")])
    return DOCUMENT["paths"][nearest].get(method.lower())


def _fits(template: list[str], parts: list[str]) -> bool:
    if template[-1] == "{rest}" and len(parts) > len(template):
        parts = [*parts[: len(template) - 1], "the rest"]
    if len(template) != len(parts):
        return False
    return all(
        unquote(part).strip("/") != "" if name.startswith("{") else name == part
        for name, part in zip(template, parts, strict=True)
    )


def hold_against_document(method: str, raw_path: str, status: int, content: bytes) -> None:
    """Fail when an answer of the REST API has a status, a code or a shape that the document does not name."""
    if raw_path.strip("/").split("/")[0] not in ROOMS or method == "HEAD":
        return
    operation = operation_at(method, raw_path)
    body = json.loads(content)
    if operation is None:
        assert status in {400, 401, 404, 405}, (method, raw_path, status, body)
        problems = list(Draft202012Validator(REFUSAL).iter_errors(body))
    else:
        assert str(status) in operation["responses"], (method, raw_path, status, body)
        problems = list(_validator(operation["operationId"], status).iter_errors(body))
    assert not problems, (method, raw_path, status, body, [problem.message for problem in problems])


@cache
def _validator(operation_id: str, status: int) -> Draft202012Validator:
    operation = next(
        o for path in DOCUMENT["paths"].values() for o in path.values() if o["operationId"] == operation_id
    )
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]})
