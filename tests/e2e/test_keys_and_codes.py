"""Billing keys in number, their payments, the code tables, and what belongs to other PGs (4.6 to 4.8)."""

from __future__ import annotations

import pytest

from maedal.rest.unsupported import TABLE
from tests.support.world import world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request, all_databases, tmp_path_factory):
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("keys")) as everything:
        everything.issue_key("c_1", 9_900)
        everything.issue_key("c_2")
        everything.extra["charged"] = everything.again("c_1", "m_1")["response"]
        yield everything


def test_several_keys_are_given_in_the_order_asked_for(running):
    answer = running.call("GET", "/subscribe/customers?customer_uid[]=c_2&customer_uid[]=c_1")
    assert (answer.status_code, [k["customer_uid"] for k in answer.json()["response"]]) == (200, ["c_2", "c_1"])
    for missing in ("nobody", "no\0body"):
        some = running.call("GET", "/subscribe/customers", params={"customer_uid[]": ["c_1", missing]})
        assert (some.status_code, [k["customer_uid"] for k in some.json()["response"]]) == (207, ["c_1"])
    for path in ("/subscribe/customers?customer_uid[]=nobody", "/subscribe/customers"):
        none = running.call("GET", path)
        assert (none.status_code, none.json()["response"]) == (404, None)


def test_the_payments_of_a_key_are_its_issue_and_its_charges(running):
    page = running.call("GET", "/subscribe/customers/c_1/payments?page=0").json()["response"]
    assert (page["total"], page["previous"], page["next"]) == (2, 0, 0)
    assert [p["customer_uid_usage"] for p in page["list"]] == ["payment", "issue"]
    assert page["list"][0] == running.extra["charged"]
    nobody = running.call("GET", "/subscribe/customers/nobody/payments")
    assert (nobody.status_code, nobody.json()["response"]["list"]) == (200, [])


def test_codes_are_given_one_by_one_and_all_together(running):
    for path, code, name in (
        ("/cards", "361", "BC카드"),
        ("/cards", "370", "씨티카드"),
        ("/banks", "004", "국민은행"),
        ("/banks", "023", "SC은행"),
    ):
        entry = {"code": code, "name": name}
        assert running.call("GET", f"{path}/{code}").json()["response"] == entry
        assert entry in running.call("GET", path).json()["response"]


def test_an_unknown_code_is_404(running):
    for path in ("/cards/000", "/banks/xxx"):
        answer = running.call("GET", path)
        assert (answer.status_code, answer.json()["message"]) == (404, "존재하지 않는 코드입니다.")


def test_what_belongs_to_other_pgs_says_so_and_asks_for_the_token_first(running):
    for entry in TABLE:
        path = (
            entry.path.replace("{rest:path}", "a/b")
            .replace(":str}", "}")
            .format(imp_uid="imp_000000000000", merchant_uid="m", tier_code="ABC", code="x")
        )
        for method in entry.methods:
            without = running.http.request(method, running.gateway + path)
            assert (without.status_code, without.json()["message"]) == (401, "Unauthorized"), entry
            answer = running.call(method, path, json={"anything": [1, 2]})
            assert answer.status_code == entry.status, entry
            assert answer.json() == {"code": -1, "message": entry.message, "response": None}, entry


def test_a_payment_that_exists_gets_the_other_answer(running):
    imp_uid = running.extra["charged"]["imp_uid"]
    answer = running.call("GET", f"/escrows/logis/{imp_uid}")
    assert (answer.status_code, answer.json()["message"]) == (400, "현재 지원되지 않는 PG사입니다.")
