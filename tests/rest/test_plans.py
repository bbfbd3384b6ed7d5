"""Plans over REST: each call, what it refuses, and that an occurrence is read by V1's own calls."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from maedal.plans.calendar import KST
from tests.support import shapes

_numbers = itertools.count(1)
BASE = "/maedal/v1"


@pytest.fixture(scope="module")
def customer(running):
    running.issue_key("plans_customer")
    return "plans_customer"


def today():
    return datetime.now(KST).date()


def ask(running, method, path, **more):
    return shapes.envelope(running.call(method, BASE + path, **more), 200, 400, 404)


@pytest.fixture
def made(running, customer):
    """Return a function that makes a plan and gives it."""

    def make(**changes):
        body = {
            "plan_uid": f"plan-{next(_numbers)}", "customer_uid": customer, "amount": 9_900, "name": "월간 이용권",
            "starts_on": str(today() + timedelta(days=10)),
        } | changes  # fmt: skip
        return ask(running, "POST", "/plans", json=body)

    return make


def test_an_occurrence_is_a_schedule_that_v1_reads(running, made):
    plan = made(buyer_name="홍길동", custom_data={"seat": 3})["response"]
    assert (plan["status"], plan["anchor_day"]) == ("active", (today() + timedelta(days=10)).day)
    found = running.call("GET", f"/subscribe/payments/schedule/{plan['next_merchant_uid']}").json()["response"]
    assert (found["amount"], found["customer_uid"], found["buyer_name"]) == (9_900, "plans_customer", "홍길동")
    assert found["schedule_at"] == plan["next_charge_at"]
    assert found["custom_data"] == '{"seat":3}'


def test_a_plan_is_read_listed_and_its_days_are_calculated(running, made):
    uids = [made()["response"]["plan_uid"] for _ in range(3)]
    assert ask(running, "GET", f"/plans/{uids[0]}")["response"]["plan_uid"] == uids[0]
    page = ask(running, "GET", "/plans", params={"limit": 2, "customer_uid": "plans_customer"})["response"]
    assert [one["plan_uid"] for one in page["list"]] == [uids[2], uids[1]]
    page = ask(running, "GET", "/plans", params={"limit": 2, "after": page["next"], "status": "active"})["response"]
    assert page["list"][0]["plan_uid"] == uids[0]
    ahead = ask(running, "GET", f"/plans/{uids[0]}/ahead", params={"limit": 3})["response"]
    assert [one["amount"] for one in ahead] == [9_900] * 3
    behind = ask(running, "GET", f"/plans/{uids[0]}/occurrences", params={"before": "2099-01-01"})["response"]
    assert [one["state"] for one in behind] == ["scheduled"]


def test_a_plan_is_paused_resumed_skipped_changed_and_ended(running, made):
    plan = made()["response"]
    path = f"/plans/{plan['plan_uid']}"
    assert ask(running, "POST", f"{path}/pause", json={"reason": "여행"})["response"]["pause_reason"] == "asked"
    assert running.call("GET", f"/subscribe/payments/schedule/{plan['next_merchant_uid']}").json()["response"][
        "schedule_status"
    ] == "revoked"  # fmt: skip
    resumed = ask(running, "POST", f"{path}/resume")["response"]
    assert resumed["next_merchant_uid"] == plan["next_merchant_uid"]
    skipped = ask(running, "POST", f"{path}/skip", json={})["response"]
    assert skipped["next_on"] > plan["next_on"]
    changed = ask(running, "POST", path, json={"not_before": "18:30", "business_day": True, "buyer_name": "김"})[
        "response"
    ]
    assert (changed["not_before"], changed["business_day"], changed["buyer_name"]) == ("18:30", True, "김")
    assert ask(running, "POST", f"{path}/end", json={})["response"]["status"] == "ended"
    assert ask(running, "POST", f"{path}/resume")["code"] == -1


def test_a_rise_waits_for_the_consent(running, made):
    plan = made()["response"]
    path = f"/plans/{plan['plan_uid']}"
    change = {"from_on": str(today()), "amount": 12_900}
    assert ask(running, "POST", f"{path}/amount", json=change)["response"]["next_amount"] == 9_900
    listed = ask(running, "GET", "/plan-notices", params={"days": 60, "limit": 100})["response"]["list"]
    assert plan["plan_uid"] in {one["plan_uid"] for one in listed}
    now = int(datetime.now(KST).timestamp()) - 5
    consent = {"kind": "price_rise", "amount": 12_900, "agreed_at": now, "proof": "메일의 동의 버튼"}
    agreed = ask(running, "POST", f"{path}/consents", json=consent)["response"]
    assert (agreed["next_amount"], agreed["needs_consent_on"]) == (12_900, None)
    [kept] = ask(running, "GET", f"{path}/consents")["response"]
    assert (kept["proof"], kept["amount"]) == ("메일의 동의 버튼", 12_900)
    assert ask(running, "POST", f"{path}/amount", json={"from_on": str(today())})["response"]["next_amount"] == 9_900


def test_holidays_are_listed_set_and_dropped(running):
    year = ask(running, "GET", "/holidays", params={"year": 2026})["response"]
    assert {"on": "2026-05-01", "name": "노동절", "closed": True, "own": False} in year["holidays"]
    assert (year["known_until"], year["as_of"]) == ("2027-12-31", "2026-11-17")
    on = str(today() + timedelta(days=3))
    assert ask(running, "POST", "/holidays", json={"on": on, "name": "임시공휴일"})["response"]["closed"] is True
    assert ask(running, "DELETE", f"/holidays/{on}")["response"] == {"on": on}
    assert ask(running, "DELETE", f"/holidays/{on}")["code"] == 1


def test_keys_without_a_charge_are_given(running):
    running.issue_key("plans_forgotten")
    found = ask(running, "GET", "/keys-without-charge", params={"test_mode": "true"})["response"]
    assert "plans_forgotten" in found["list"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"plan_uid": ""}, "plan_uid"),
        ({"plan_uid": "two words"}, "plan_uid"),
        ({"plan_uid": "x" * 32}, "plan_uid"),
        ({"amount": 0}, "amount"),
        ({"tax_free": 9_901}, "tax_free"),
        ({"currency": "USD"}, "currency"),
        ({"interval_unit": "fortnight"}, "interval_unit"),
        ({"interval_unit": "week", "anchor_day": 3}, "anchor_day"),
        ({"interval_count": 400}, "interval_count"),
        ({"starts_on": "2028-02-30"}, "starts_on"),
        ({"starts_on": "20280229"}, "starts_on"),
        ({"starts_on": "2020-01-01"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"trial_until": "2020-01-01"}, "trial_until"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"not_before": "24:00"}, "not_before"),
        ({"business_day": "perhaps"}, "business_day"),
    ],
)
def test_what_cannot_be_a_plan_is_refused_by_its_field(running, made, changes, named):
    refused = made(**changes)
    assert refused["code"] == 1
    assert named in refused["message"]


def test_what_is_not_there_is_404_and_a_place_of_nobody_400(running):
    for method, path in (("GET", ""), ("POST", "/pause"), ("GET", "/ahead"), ("GET", "/consents"), ("POST", "/end")):
        assert running.call(method, f"{BASE}/plans/nobody{path}").status_code == 404
    assert running.call("GET", f"{BASE}/plans", params={"after": "nobody"}).status_code == 400
    assert running.call("GET", f"{BASE}/plans", params={"status": "asleep"}).status_code == 400
    assert running.call("GET", f"{BASE}/plan-notices", params={"after": "x"}).status_code == 400
    assert running.call("GET", f"{BASE}/holidays", params={"year": "1999"}).status_code == 400
    assert running.call("GET", f"{BASE}/plans/%00").status_code in {400, 404}


def test_days_far_away_are_refused_and_never_an_error(running, made):
    path = f"/plans/{made()['response']['plan_uid']}"
    for on in ("9999-12-31", "0001-01-01", "2099-12-31"):
        assert ask(running, "POST", f"{path}/skip", json={"on": on})["code"] != 0
        assert ask(running, "POST", f"{path}/pause", json={"resumes_on": on})["code"] != 0
        assert ask(running, "POST", f"{path}/amount", json={"from_on": on, "amount": 100})["code"] != 0
