"""What the document says about one call of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from maedal.errors import GatewayError
from maedal.rest.api_document.schemas import Schema
from maedal.rest.api_document.words import Words
from maedal.rest.errors import ApiRefusal


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path; `handler` is what carries it out."""

    handler: Any
    method: str
    path: str
    tag: str
    summary: Words
    description: Words
    response: Schema | None
    """Schema of the envelope's `response`; None when the call is never carried out."""
    examples: dict[str, Any] = field(default_factory=dict)
    """Name → `response` of an answer of code 0."""
    parameters: tuple[Schema, ...] = ()
    body: Schema | None = None
    body_example: dict[str, Any] | None = None
    errors: tuple[type[GatewayError], ...] = ()
    """Errors answered as the table of `rest/errors.py` says."""
    refusals: tuple[ApiRefusal, ...] = ()
    """Answers in the endpoint's own words."""
    some_missing: bool = False
    """HTTP 207 when only some of what was asked for exists."""
    public: bool = False
    """Needs no token."""


def in_path(name: str, schema: Schema, example: str) -> Schema:
    """Return a part of the path."""
    return _parameter("path", name, schema, example, required=True)


def in_query(name: str, schema: Schema, example: Any = None, *, required: bool = False) -> Schema:
    """Return a parameter of the query."""
    return _parameter("query", name, schema, example, required=required)


def _parameter(place: str, name: str, schema: Schema, example: Any, *, required: bool) -> Schema:
    kind = {key: value for key, value in schema.items() if key != "description"}
    found = {
        "name": name,
        "in": place,
        "required": required,
        "description": schema["description"],
        "schema": kind,
    }
    if kind["type"] == "array":
        found |= {"style": "form", "explode": True}
    return found if example is None else found | {"example": example}


def body_of(fields: dict[str, Schema], *needed: str) -> Schema:
    """Return the schema of a request body. Unknown fields are ignored; null counts as absent."""
    return {"type": "object", "properties": fields} | ({"required": list(needed)} if needed else {})
