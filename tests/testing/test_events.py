"""Every event of `maedal trigger` happens for real: V1's API shows the status that its name says."""

from __future__ import annotations

import pytest

from maedal.testing.events import EVENTS, EventOptions
from maedal.testing.shop import Refused

ENDS = {
    "payment.ready": "ready",
    "payment.paid": "paid",
    "payment.failed": "failed",
    "payment.left": "failed",
    "payment.cancelled": "cancelled",
    "payment.partly-cancelled": "cancelled",
    "key.issued": "paid",
    "charge.paid": "paid",
    "charge.failed": "failed",
    "charge.lost": "paid",
    "schedule.executed": "paid",
    "schedule.failed": "failed",
}
PLANS = {
    "schedule.scheduled": "scheduled",
    "schedule.executed": "executed",
    "schedule.failed": "executed",
    "schedule.revoked": "revoked",
}
REPORTED = {
    "payment.paid": ["paid"],
    "payment.cancelled": ["paid", "cancelled"],
    "payment.partly-cancelled": ["paid", "cancelled"],
    "key.issued": ["paid"],
    "charge.paid": ["paid"],
    "charge.lost": ["paid"],
    "schedule.executed": ["paid"],
    "schedule.failed": ["failed"],
}
KEYS = ["key.deleted", "key.ended"]


def test_there_is_a_test_for_every_event():
    assert set(EVENTS) == set(ENDS) | set(PLANS) | set(KEYS)


@pytest.mark.parametrize("name", [*ENDS, *(plan for plan in PLANS if plan not in ENDS)])
def test_an_event_happens_and_is_told_as_v1_tells_it(shop, name):
    uses_key = name.partition(".")[0] in {"charge", "schedule"}
    customer = shop.issue_key(merchant_uid="issue") if uses_key else None
    happened = EVENTS[name].happen(shop, EventOptions(customer_uid=customer, merchant_uid="wanted", amount=2_000))
    assert happened["merchant_uid"] == "wanted"
    if name in ENDS:
        payment = shop.payment("wanted")
        assert (payment["status"], payment["imp_uid"]) == (ENDS[name], happened["imp_uid"])
    if name in PLANS:
        assert shop.planned("wanted")["schedule_status"] == happened["schedule_status"] == PLANS[name]
    for status in REPORTED.get(name, []):
        shop.webhooks.wait(merchant_uid="wanted", status=status)
    assert sorted(w.status for w in shop.webhooks.find(merchant_uid="wanted")) == sorted(REPORTED.get(name, []))


def test_a_key_is_deleted(shop):
    happened = EVENTS["key.deleted"].happen(shop, EventOptions(customer_uid=shop.issue_key()))
    with pytest.raises(Refused):
        shop.customer(happened["customer_uid"])


def test_a_key_is_ended_by_its_buyer_without_a_word(shop):
    customer = shop.issue_key()
    EVENTS["key.ended"].happen(shop, EventOptions(customer_uid=customer))
    assert shop.customer(customer)
    assert shop.charge(customer)["status"] == "failed"


@pytest.mark.parametrize("name", ["charge.failed", "charge.lost"])
def test_a_failure_that_did_not_come_about_is_not_left_for_the_next_charge(shop, name):
    somebody_elses = shop.fail_next("slow", operation="cancel", seconds=1)
    with pytest.raises(Refused):
        EVENTS[name].happen(shop, EventOptions(customer_uid="nobody"))
    assert [str(fault["id"]) for fault in shop.simulate("GET", "/faults")] == [somebody_elses]


@pytest.mark.slow
def test_a_charge_without_a_key_issues_one_and_leaves_the_clock_alone(shop):
    """The gateway waits in real time until the new key has settled."""
    ahead = shop.control("GET", "/clock")["ahead_seconds"]
    assert EVENTS["charge.paid"].happen(shop, EventOptions())["status"] == "paid"
    assert shop.control("GET", "/clock")["ahead_seconds"] == ahead
