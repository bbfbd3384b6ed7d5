"""What the document says of requests is what the calls read: every parameter, its kind, and how long or large it may be.

The calls are made over HTTP; the readers only note down what they are asked for.
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict

import pytest
from litestar.connection.base import ASGIConnection
from litestar.datastructures import MultiDict

from maedal.rest import pages, payments, plans, prepare, schedules, subscribe, users
from maedal.rest.api_document.operations import OPERATIONS
from maedal.rest.decoding import Fields
from tests.support import shapes

UID = "gildong_0001_1234"
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
WITH_QUERY = [o for o in OPERATIONS if any(p["in"] == "query" for p in o.parameters)]
FREE = {"custom_data"}
"""Fields that may be anything."""
NUMBERS = itertools.count()


def name(operation):
    return f"{operation.method} {operation.path}"


class Noting(dict):
    """A body that notes which of its fields are looked at, also inside a list."""

    def __init__(self, content, seen, place=""):
        self._seen, self._place = seen, place
        super().__init__({key: self._inside(key, value) for key, value in content.items()})

    def _inside(self, key, value):
        if isinstance(value, dict) and key not in FREE:
            return Noting(value, self._seen, f"{self._place}{key}.")
        if isinstance(value, list):
            place = f"{self._place}{key}[]."
            return [Noting(item, self._seen, place) if isinstance(item, dict) else item for item in value]
        return value

    def get(self, key, default=None):
        self._seen.add(self._place + key)
        return super().get(key, default)

    def __getitem__(self, key):
        self._seen.add(self._place + key)
        return super().__getitem__(key)


@pytest.fixture
def seen(monkeypatch):
    """Which fields of bodies are looked at, and how: name → kinds and the longest text that is not refused."""
    looked, kinds = set(), defaultdict(set)
    for module in (users, payments, plans, prepare, subscribe, schedules):
        decode = module.decode_body
        monkeypatch.setattr(
            module, "decode_body", lambda *supplied, decode=decode: Noting(decode(*supplied), looked), raising=True
        )

    def noted(kind, read):
        def noting(self, name, **how):
            place = getattr(self._content, "_place", "")
            kinds[place + name].add((kind, None if how.get("cut") else how.get("longest")))
            return read(self, name, **how)

        return noting

    readers = {"text": "string", "addresses": "string", "whole": "integer", "seconds": "integer", "flag": "boolean"}
    for method, kind in readers.items():
        monkeypatch.setattr(Fields, method, noted(kind, getattr(Fields, method)))
    return looked, kinds


def documented(schema, place=""):
    """Return the fields of a body's schema by name, those of the entries of a list too."""
    found = {}
    for field, inner in schema["properties"].items():
        found[place + field] = inner
        if inner.get("type") == "array":
            found |= documented(inner["items"], f"{place}{field}[].")
    return found


def filled(schema, example):
    """Return a body with every field of its schema."""
    body = dict(example or {})
    for field, inner in schema["properties"].items():
        kinds = inner.get("type", "string")
        if inner.get("type") == "array":
            body[field] = [filled(inner["items"], item) for item in body[field]]
        elif field == "notice_url":
            body[field] = "http://127.0.0.1:9/"
        elif field == "merchant_uid" and isinstance(kinds, str):
            body[field] = f"fields_{next(NUMBERS)}"
        elif field not in body and "integer" in kinds:
            body[field] = max(inner.get("minimum", 0), 0)
        elif field not in body and "boolean" in kinds:
            body[field] = False
        elif field not in body:
            body[field] = (inner.get("enum") or ["x"])[0]
        if field == "schedule_at":
            body[field] = int(time.time()) + 86_400
    return body


def call(running, operation, **more):
    parts = {p["name"]: p["example"] for p in operation.parameters if p["in"] == "path"} | running.extra
    path = operation.path.format_map(parts)
    return running.call(operation.method, path, **more)


@pytest.fixture(scope="module", autouse=True)
def _key_and_payment(running):
    running.issue_key(UID)
    running.extra["imp_uid"] = running.again(UID, "fields_paid", 1_000)["response"]["imp_uid"]


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_every_field_of_a_body_is_read_and_no_other_as_it_is_documented(running, seen, operation):
    looked, kinds = seen
    fields = documented(operation.body)
    call(running, operation, json=filled(operation.body, operation.body_example))
    assert looked == set(fields)
    read = {field: {kind for kind, _ in how} for field, how in kinds.items()}
    reply = {field: {kind for kind in ("string", "integer", "boolean") if kind in _kinds(inner)}
            for field, inner in fields.items() if _kinds(inner) & {"string", "integer", "boolean"}}  # fmt: skip
    assert read == reply
    longest = {field: next(iter({most for _, most in how})) for field, how in kinds.items()}
    limits = {field: fields[field].get("maxLength") for field in longest}
    assert longest == limits


def _kinds(inner):
    kinds = inner.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


BOUNDS = [
    (operation, field, inner[bound] + step)
    for operation in WITH_BODY
    for field, inner in documented(operation.body).items()
    for bound, step in (("minimum", -1), ("maximum", 1))
    if bound in inner
]


@pytest.mark.parametrize(("operation", "field", "value"), BOUNDS, ids=lambda v: name(v) if v in OPERATIONS else str(v))
def test_a_number_beyond_its_documented_bounds_is_refused_by_name(running, operation, field, value):
    body = filled(operation.body, operation.body_example)
    *way, last = field.split("[].")
    inside = body[way[0]][0] if way else body
    inside[last] = value
    refused = shapes.envelope(call(running, operation, json=body), 200, 400)
    assert refused["code"] != 0
    assert last in refused["message"]


@pytest.mark.parametrize("operation", [o for o in WITH_BODY if "required" in o.body], ids=name)
def test_what_is_documented_as_needed_is(running, operation):
    for field in operation.body["required"]:
        body = filled(operation.body, operation.body_example)
        del body[field]
        refused = shapes.envelope(call(running, operation, json=body), 200, 400)
        assert refused["code"] != 0
        assert field in refused["message"]


@pytest.mark.parametrize("operation", WITH_QUERY, ids=name)
def test_every_parameter_of_a_query_is_read_and_no_other(running, monkeypatch, operation):
    looked = set()

    class Noted(MultiDict):
        def get(self, key, default=None):
            looked.add(key)
            return super().get(key, default)

    def listed(request, name):
        looked.add(f"{name}[]")
        return pages.read_list(request, name)

    plain = ASGIConnection.query_params.fget
    monkeypatch.setattr(ASGIConnection, "query_params", property(lambda request: Noted(plain(request).multi_items())))
    monkeypatch.setattr(payments, "read_list", listed)
    monkeypatch.setattr(subscribe, "read_list", listed)
    query = {p["name"]: p.get("example", p["schema"].get("default", 1)) for p in operation.parameters
             if p["in"] == "query"}  # fmt: skip
    call(running, operation, params=query | {"schedule_status": "scheduled"})
    assert looked == set(query)
