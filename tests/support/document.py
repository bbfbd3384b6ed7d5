"""Holds answers of the REST API against its own document: status, code, and every field with its type."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, ValidationError

from maedal.rest.api_document.document import document
from maedal.rest.language import Language, localized
from maedal.rest.router import _HTTP_TEXTS

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
    """Fail when an answer of the REST API has a status, a code, a shape or a refusal that the document does not name."""
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
        if body["code"] != 0 and (status, body["message"]) not in _not_there(raw_path):
            known = _refusals(operation["operationId"], status, body["code"])
            assert any(text.fullmatch(body["message"]) for text in known), (method, raw_path, status, body)
    assert not problems, ([text for problem in problems for text in _plain(problem)], method, raw_path, status, body)


def _plain(problem: ValidationError) -> list[str]:
    """Return what is wrong, of each field set that was tried, and not that none of them fits."""
    return [problem.message] if not problem.context else [text for one in problem.context for text in _plain(one)]


def _not_there(raw_path: str) -> set[tuple[int, str]]:
    """Return how an address is answered that only looks like one of the document.

    An encoded slash parts most addresses too, and `/payments/find` is the beginning of others, no payment called find.
    """
    begun = "/" + "/".join(part for part in raw_path.split("/") if part)
    begins_others = begun not in DOCUMENT["paths"] and any(p.startswith(f"{begun}/{{") for p in DOCUMENT["paths"])
    if not begins_others and "%2f" not in raw_path.lower():
        return set()
    return {(status, localized(_HTTP_TEXTS[status], language)) for status in (404, 405) for language in Language}


@cache
def _refusals(operation_id: str, status: int, code: int) -> list[re.Pattern[str]]:
    """Return the texts that the document names for a refusal; `…` and the example's customer_uid stand for any."""
    texts = []
    for language in Language:
        content = _operation(operation_id, language)["responses"][str(status)]["content"]["application/json"]
        texts += [e["value"]["message"] for e in content["examples"].values() if e["value"]["code"] == code]
    return [re.compile(".*".join(map(re.escape, re.split(r"…|gildong_0001_1234", text))), re.DOTALL) for text in texts]


@cache
def _operation(operation_id: str, language: Language = Language.ENGLISH) -> dict[str, Any]:
    paths = document(language)["paths"].values()
    return next(o for path in paths for o in path.values() if o["operationId"] == operation_id)


@cache
def _validator(operation_id: str, status: int) -> Draft202012Validator:
    schema = _operation(operation_id)["responses"][str(status)]["content"]["application/json"]["schema"]
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]})
