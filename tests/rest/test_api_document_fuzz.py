"""Whatever the document allows, and much that it forbids, gets a documented answer and never a server error."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from maedal.rest.api_document.operations import OPERATIONS
from tests.support.document import hold_against_document

pytestmark = pytest.mark.slow
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES_MAX = 12
OWN = [operation for operation in OPERATIONS if operation.tag != "other PGs"]
OTHERS = [operation for operation in OPERATIONS if operation.tag == "other PGs"]


@pytest.fixture(scope="module")
def api(running):
    running.issue_key("gildong_0001_1234")
    return schemathesis.openapi.from_url(f"{running.gateway}/openapi.json")


def hold(running, api, operation, mode, examples):
    described = api[operation.path][operation.method]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def holds(case):
        answer = case.call(base_url=running.gateway, headers={"Authorization": running.token()})
        # 501 is PortOne's answer for what a PG does not support; the document names it where it may come.
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=CHECKS)
        hold_against_document(
            operation.method, answer.request.path_url.partition("?")[0], answer.status_code, answer.content
        )

    holds()


@pytest.mark.parametrize("operation", OWN, ids=lambda o: f"{o.method} {o.path}")
def test_what_the_document_allows(running, api, operation):
    hold(running, api, operation, GenerationMode.POSITIVE, EXAMPLES_MAX)


@pytest.mark.parametrize("operation", [o for o in OWN if o.body], ids=lambda o: f"{o.method} {o.path}")
def test_what_the_document_forbids(running, api, operation):
    hold(running, api, operation, GenerationMode.NEGATIVE, EXAMPLES_MAX)


@pytest.mark.parametrize("operation", OTHERS, ids=lambda o: f"{o.method} {o.path}")
def test_what_belongs_to_other_pgs(running, api, operation):
    hold(running, api, operation, GenerationMode.POSITIVE, 3)
