"""The API document says everything that the code does, and nothing that it does not."""

from __future__ import annotations

import inspect
import json
import re

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from maedal.errors import GatewayError
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.rest.api_document import examples, schemas
from maedal.rest.api_document.document import document, refusals_of
from maedal.rest.api_document.operations import OPERATIONS
from maedal.rest.api_document.words import Language, Words
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.errors import WIRE, too_large_text
from maedal.rest.field_sets import payment_of_2021
from maedal.rest.router import _HTTP_TEXTS, router
from maedal.rest.users import TOKEN_BODY_BYTES_MAX
from tests.support import shapes
from tests.support.document import DOCUMENT, hold_against_document, operation_at

LANGUAGES = list(Language)
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "null": type(None)}


def name(operation):
    return f"{operation.method} {operation.path}"


def validator(schema):
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def test_every_route_has_an_operation_and_every_operation_a_route():
    routed = {(method, handler.fn) for route in router.routes for handler in route.route_handlers
              for method in handler.http_methods if method != "OPTIONS"}  # fmt: skip
    assert {(operation.method, operation.handler.fn) for operation in OPERATIONS} == routed


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_an_operation_has_a_path_of_its_handler(operation):
    def pattern(path):
        return re.sub(r"\{\w+:path\}", ".+", re.sub(r"\{\w+:str\}", "[^/]+", path))

    assert any(re.fullmatch(pattern(path), operation.path) for path in operation.handler.paths)
    named = re.findall(r"\{(\w+)\}", operation.path)
    assert [p["name"] for p in operation.parameters if p["in"] == "path"] == named


def test_no_operation_is_there_twice():
    assert len({name(operation) for operation in OPERATIONS}) == len(OPERATIONS)
    ids = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_who_reads_a_body_says_so(operation):
    handler = inspect.getsource(operation.handler.fn)
    if "schedules.scheduled_charge" in f"{operation.handler.fn.__module__}.{operation.handler.fn.__name__}":
        reads = operation.path.endswith("/reschedule") or operation.method == "PUT"
    else:
        reads = "request.body()" in handler
    assert (operation.body is not None) is reads


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_valid_openapi(language):
    found = document(language)
    assert found["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(json.loads(json.dumps(found))).validate()
    for schema in found["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_example_is_what_its_schema_says(operation):
    found = DOCUMENT["paths"][operation.path][operation.method.lower()]
    for parameter in found["parameters"]:
        if "example" in parameter:
            validator(parameter["schema"]).validate(parameter["example"])
    if operation.body is not None:
        for content in found["requestBody"]["content"].values():
            validator(content["schema"]).validate(content["example"])
    for response in found["responses"].values():
        content = response["content"]["application/json"]
        Draft202012Validator.check_schema(content["schema"])
        assert content["examples"]
        for example in content["examples"].values():
            validator(content["schema"]).validate(example["value"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_every_error_named_is_one_of_the_wire(operation):
    assert set(operation.errors) <= set(WIRE)
    assert all(issubclass(error, GatewayError) for error in operation.errors)
    assert all(refusal.message and "{message}" not in refusal.message for refusal in refusals_of(operation).values())
    assert all(refusal.code != 0 for refusal in refusals_of(operation).values())


def test_the_text_of_a_body_that_is_too_large_is_the_one_that_is_answered():
    named = {name(o): refusals_of(o)["too_large"].message for o in OPERATIONS if o.body is not None}
    assert named.pop("POST /users/getToken") == too_large_text(TOKEN_BODY_BYTES_MAX)
    assert set(named.values()) == {_HTTP_TEXTS[413]}
    assert f"{BODY_BYTES_MAX // 1024} KiB" in _HTTP_TEXTS[413]


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        (schemas.PAYMENT, shapes.PAYMENT),
        (schemas.CANCELLATION, shapes.CANCELLATION),
        (schemas.CUSTOMER, shapes.CUSTOMER),
        (schemas.SCHEDULE, shapes.SCHEDULE),
        (schemas.CHANNEL, shapes.CHANNEL),
        (schemas.TOKEN, shapes.TOKEN),
        (schemas.page_of("Payment"), shapes.PAGE),
    ],
    ids=["payment", "cancellation", "customer", "schedule", "channel", "token", "page"],
)
def test_a_schema_says_the_same_as_the_shape_that_the_tests_know(schema, shape):
    def types(field):
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        return {TYPES[kind] for kind in kinds}

    assert {key: types(field) for key, field in schema["properties"].items()} == {k: set(v) for k, v in shape.items()}
    assert set(schema["required"]) == set(shape)
    assert schema["additionalProperties"] is False


def test_the_fields_of_2021_are_documented_without_a_mixture():
    full = validator(DOCUMENT["components"]["schemas"]["Payment"])
    cancelled = examples.CANCELLED
    assert full.is_valid(cancelled)
    assert full.is_valid(payment_of_2021(cancelled))
    assert not full.is_valid(payment_of_2021(cancelled) | {"sandbox": True})
    assert not full.is_valid(payment_of_2021(cancelled) | {"cancel_history": cancelled["cancel_history"]})


def test_both_languages_say_the_same_things_in_other_words():
    korean, english = (json.dumps(document(language), ensure_ascii=False) for language in LANGUAGES)

    def bare(tree):
        # A refusal's text has its two languages too; what PortOne fixes is alike in both.
        drop = {"description", "summary", "message"}
        if isinstance(tree, dict):
            return {key: bare(value) for key, value in tree.items() if key not in drop}
        return [bare(value) for value in tree] if isinstance(tree, list) else tree

    assert bare(json.loads(korean)) == bare(json.loads(english))
    texts = [json.loads(json.dumps(document(language)["paths"])) for language in LANGUAGES]
    for path, operations in texts[1].items():
        for method, operation in operations.items():
            for part in ("summary", "description"):
                korean_text = texts[0][path][method][part]
                assert re.search("[가-힣]", korean_text), korean_text
                assert not re.search("[가-힣]", operation[part]), operation[part]
    assert all(isinstance(o.summary, Words) and isinstance(o.description, Words) for o in OPERATIONS)


def test_the_served_document_is_this_one_in_both_languages(running):
    for query, language in (("", "ko"), ("?lang=ko", "ko"), ("?lang=en", "en"), ("?lang=xx", "ko")):
        answer = running.http.get(f"{running.gateway}/openapi.json{query}")
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        assert answer.json() == json.loads(json.dumps(document(Language(language))))


def test_the_page_runs_no_script_but_its_own_files(running):
    answer = running.http.get(f"{running.gateway}/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"<script(?![^>]* src=)", answer.text)
    assert "://" not in answer.text
    for file in re.findall(r'(?:src|href)="(/openapi/static/[^"]+)"', answer.text):
        found = running.http.get(running.gateway + file)
        assert found.status_code == 200
    shapes.refused(running.http.get(f"{running.gateway}/openapi/static/page.html"), 404, -1)
    assert 'lang="en"' in running.http.get(f"{running.gateway}/?lang=en").text


def test_every_call_can_be_made_as_its_examples_say(running):
    """The answers are held against the document by the client itself; with a key, some of them are carried out."""
    running.issue_key("gildong_0001_1234")
    carried_out = set()
    for operation in OPERATIONS:
        parts = {p["name"]: p["example"] for p in operation.parameters if "example" in p}
        path = operation.path.format_map(parts)
        query = {p["name"]: p["example"] for p in operation.parameters if p["in"] == "query" and "example" in p}
        answer = running.call(operation.method, path, params=query, json=operation.body_example)
        body = shapes.envelope(answer, 200, 207, 400, 401, 404, 501)
        if body["code"] == 0:
            carried_out.add(name(operation))
    assert {"POST /users/getToken", "POST /subscribe/payments/again", "GET /subscribe/customers/{customer_uid}",
            "POST /payments/prepare", "GET /cards/{code}", "GET /users/pg"} <= carried_out  # fmt: skip


def test_a_path_is_found_by_its_most_literal_template():
    assert operation_at("GET", "/payments/find/x/")["operationId"] == "getPaymentsFindMerchantUid"
    assert operation_at("GET", "/payments/find/balance")["operationId"] == "getPaymentsFindMerchantUid"
    assert operation_at("GET", "/payments/imp_1/balance")["operationId"] == "getPaymentsImpUidBalance"
    assert operation_at("GET", "/payments/cancel") is None
    assert operation_at("POST", "/kcpquick/a/b/c")["operationId"] == "postKcpquickRest"
    assert operation_at("GET", "/payments/find/a/b/c") is None


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/payments/imp_1", 404, "존재하지 않는 결제예약입니다."),
        ("/payments/imp_1", 404, "존재하지 않는 API입니다."),
        ("/payments/find/x", 400, "merchant_uid 파라메터가 누락되었습니다."),
        ("/payments/status/all", 400, "page 파라메터가 올바르지 않습니다."),
        ("/subscribe/payments/schedule", 400, "조회 기간이 올바르지 않습니다."),
    ],
)
def test_a_refusal_that_the_document_does_not_name_is_noticed(path, status, message):
    body = json.dumps({"code": -1, "message": message, "response": None}).encode()
    with pytest.raises(AssertionError, match=message):
        hold_against_document("GET", path, status, body)


def test_get_token_can_be_tried_with_the_demo_pair_as_it_stands():
    example = next(o for o in OPERATIONS if o.path == "/users/getToken").body_example
    assert example == {"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}
