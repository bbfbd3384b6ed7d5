"""Charges planned for a time, over real HTTP (docs/wire/portone-v1-rest.md 4.5.5 to 4.5.9)."""

from __future__ import annotations

import json
import math
import time
from itertools import count
from urllib.parse import quote, urlencode

import pytest

from tests.support import rows, shapes
from tests.support.receiver import receiver
from tests.support.world import world

# Lost answers, settling keys and workers are waited for in real time.
pytestmark = pytest.mark.slow

PLAN = "/subscribe/payments/schedule"
UNPLAN = "/subscribe/payments/unschedule"
FORM = "application/x-www-form-urlencoded"
DAY = 86_400
_numbers = count(1)
NOTHING = "취소할 예약결제 기록이 존재하지 않습니다."
ODD_IDS = ["with space", "a/b/c", "trailing/", "50%", "a+b", "주문-한글-1", "..", "customers", "retry", "a&b=c?d#e"]
BUYER = {
    "buyer_name": "홍길동",
    "buyer_email": "h@example.com",
    "buyer_tel": "010-1234-5678",
    "buyer_addr": "서울시 강남구",
    "buyer_postcode": "06000",
}


@pytest.fixture(scope="module")
def shop():
    with receiver() as webhooks_of:
        yield webhooks_of


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request, all_databases, tmp_path_factory, shop):
    folder = tmp_path_factory.mktemp("schedules")
    with world(all_databases.url(request.param), folder, webhook_url=f"{shop.url}/told") as everything:
        for n in range(3):
            everything.issue_key(f"c_{n}", 1_000 * n)
        yield everything


@pytest.fixture
def uid():
    return f"m_{next(_numbers)}"


@pytest.fixture
def customer(running):
    """A customer of this test alone, with a key."""
    customer_uid = f"own_{next(_numbers)}"
    running.issue_key(customer_uid)
    return customer_uid


def soon(seconds=DAY):
    """Return a whole second that is at least so many seconds away, also when this one is nearly over."""
    return math.ceil(time.time()) + seconds


def entry(merchant_uid, schedule_at=None, **more):
    return {"merchant_uid": merchant_uid, "schedule_at": schedule_at or soon(), "amount": 5_900} | more


def post(running, path, **more):
    return running.call("POST", path, **more)


def plan(running, customer_uid, *entries, **more):
    answer = post(running, PLAN, json={"customer_uid": customer_uid, "schedules": list(entries)} | more)
    return [shapes.check(s, shapes.SCHEDULE) for s in shapes.answered(answer)]


def refused_plan(running, body, code=1):
    before = rows.counts(running.settings.database_url)
    message = shapes.refused(post(running, PLAN, json=body), 200, code)
    assert rows.counts(running.settings.database_url) == before
    return message


def planned(running, merchant_uid):
    answer = running.call("GET", f"{PLAN}/{quote(merchant_uid, safe='')}")
    return shapes.check(shapes.answered(answer), shapes.SCHEDULE)


def executed(running, merchant_uid, seconds=15):
    """Return the scheduled charge once its payment has come to an end."""
    deadline = time.monotonic() + seconds
    schedule = planned(running, merchant_uid)
    while schedule["payment_status"] is None and time.monotonic() < deadline:
        time.sleep(0.1)
        schedule = planned(running, merchant_uid)
    assert schedule["schedule_status"] == "executed", schedule
    return schedule


def webhooks_of(shop, merchant_uid):
    """Return the webhook of an order."""
    deadline = time.monotonic() + 60
    found = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = [b for b in (json.loads(r.body) for r in shop.at("/told")) if b["merchant_uid"] == merchant_uid]
    [body] = found
    return body


def page(running, path, status=200, **params):
    answer = running.call("GET", path, params=params or None)
    return shapes.envelope(answer, status)["response"]


def uids(found):
    return [s["merchant_uid"] for s in found["list"]]


# -- planning


def test_the_answer_is_an_array_in_the_order_of_the_request(running, uid):
    at = soon()
    answer = plan(
        running, "c_1",
        entry(f"{uid}_b", at + 5, name="1개월 정기결제예약", custom_data="kept", **BUYER), entry(f"{uid}_a", at),
    )  # fmt: skip
    assert [s["merchant_uid"] for s in answer] == [f"{uid}_b", f"{uid}_a"]
    expected = BUYER | {
        "customer_uid": "c_1", "merchant_uid": f"{uid}_b", "imp_uid": None, "customer_id": None, "schedule_at": at + 5,
        "executed_at": 0, "revoked_at": 0, "amount": 5_900, "name": "1개월 정기결제예약", "currency": "KRW",
        "schedule_status": "scheduled", "payment_status": None, "fail_reason": None, "custom_data": "kept",
        "pg_provider": None, "pg_id": None, "promotion_id": None,
    }  # fmt: skip
    assert answer[0] == expected == planned(running, f"{uid}_b")
    assert (answer[1]["name"], answer[1]["buyer_name"]) == ("정기결제", None)


def test_forms_may_number_their_entries_or_hold_them_as_json(running, uid):
    fields = {"customer_uid": "c_1"}
    for n in range(12):
        for name, value in entry(f"{uid}_{n}").items():
            fields[f"schedules[{n}][{name}]"] = value
    answer = post(running, PLAN + "/", content=urlencode(fields), headers={"Content-Type": FORM})
    assert [s["merchant_uid"] for s in shapes.answered(answer)] == [f"{uid}_{n}" for n in range(12)]
    text = urlencode({"customer_uid": "c_1", "schedules": json.dumps([entry(f"{uid}_json")])})
    answer = post(running, PLAN, content=text, headers={"Content-Type": FORM})
    assert [s["merchant_uid"] for s in shapes.answered(answer)] == [f"{uid}_json"]


def test_numbers_may_be_texts_and_absent_ones_null_or_empty(running, uid):
    odd = entry(uid, schedule_at=str(soon()), amount="5900.0", tax_free=0.0, currency=None, name="", notice_url="",
                vat=0.0, card_quota=None, extra={"naverUseCfm": "x"}, product_count="2")  # fmt: skip
    [answer] = plan(running, "c_1", odd, checking_amount=0, card_number=None, expiry="", language="ko")
    assert (answer["amount"], type(answer["amount"]), answer["name"]) == (5_900, int, "정기결제")


def test_an_unknown_customer_is_code_1_even_for_times_long_past(running, uid):
    body = {"customer_uid": "00000000", "schedules": [entry(uid, 1_478_150_985)]}
    assert refused_plan(running, body) == "등록된 고객정보가 없습니다."
    with_card = body | {"card_number": "1234-1234-1234-1234", "expiry": "2030-01", "birth": "000000"}
    assert "카드" in refused_plan(running, with_card, -1)


def test_card_data_of_a_customer_with_a_key_is_ignored(running, uid):
    [answer] = plan(running, "c_1", entry(uid), card_number="1234-1234-1234-1234", expiry="2030-01")
    assert answer["schedule_status"] == "scheduled"


def test_one_entry_in_the_way_stops_them_all(running, uid):
    plan(running, "c_1", entry(f"{uid}_waits"))
    paid = running.again("c_2", f"{uid}_paid")["response"]["merchant_uid"]
    for taken in (f"{uid}_waits", paid):
        body = {"customer_uid": "c_1", "schedules": [entry(f"{uid}_fresh"), entry(taken)]}
        assert taken in refused_plan(running, body)
    twice = {"customer_uid": "c_1", "schedules": [entry(f"{uid}_fresh"), entry(f"{uid}_fresh")]}
    refused_plan(running, twice)
    assert running.call("GET", f"{PLAN}/{uid}_fresh").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"schedule_at": 1_478_150_985}, {"schedule_at": 0}, {"schedule_at": -1}, {"schedule_at": None},
        {"schedule_at": "tomorrow"}, {"schedule_at": soon() * 1_000}, {"schedule_at": soon(6 * 366 * DAY)},
        {"schedule_at": 10**17}, {"schedule_at": True}, {"amount": 0}, {"amount": -1}, {"amount": None},
        {"amount": 10.5}, {"amount": "5,900"}, {"tax_free": 5_901}, {"currency": "USD"}, {"merchant_uid": None},
        {"merchant_uid": "x" * 41}, {"merchant_uid": "a\0b"}, {"merchant_uid": ["a"]}, {"product_count": -1},
        {"notice_url": "h" * 2_001}, {"custom_data": "x" * 100_001},
    ],
    # Not by value: some are moments, and every worker has to find the same names.
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_bad_entry_is_refused_by_name_and_plans_nothing(running, uid, change):
    body = {"customer_uid": "c_1", "schedules": [entry(f"{uid}_good"), entry(uid) | change]}
    message = refused_plan(running, body)
    assert next(iter(change)) in message


@pytest.mark.parametrize(
    "schedules",
    [None, "", [], {}, "[]", "not json", "{}", 5, [None], ["text"], [[]], [{}], {"merchant_uid": "m"}, "5"],
    ids=repr,
)
def test_schedules_that_are_no_list_of_objects_are_refused_by_name(running, schedules):
    message = refused_plan(running, {"customer_uid": "c_1", "schedules": schedules})
    assert "schedules" in message


def test_a_call_plans_at_most_a_thousand(running, uid):
    at = soon(40 * DAY)
    entries = [{"merchant_uid": f"{uid}_{n}", "schedule_at": at, "amount": 1} for n in range(1_001)]
    refused_plan(running, {"customer_uid": "c_1", "schedules": entries})
    assert len(plan(running, "c_1", *entries[:1_000])) == 1_000
    revoked = shapes.answered(
        post(running, UNPLAN, json={"merchant_uid": [e["merchant_uid"] for e in entries[:1_000]]})
    )
    assert [s["merchant_uid"] for s in revoked] == [e["merchant_uid"] for e in entries[:1_000]]


def test_a_customer_must_be_named(running, uid):
    assert "customer_uid" in refused_plan(running, {"schedules": [entry(uid)]})


# -- execution


def test_a_planned_charge_is_made_within_seconds_and_told(running, customer, uid, shop):
    at = soon(2)
    plan(running, customer, entry(uid, at, name="월간 이용권", custom_data="{}"))
    schedule = executed(running, uid)
    assert 0 <= schedule["executed_at"] - at <= 5
    assert schedule["payment_status"] == "paid"
    assert (schedule["fail_reason"], schedule["revoked_at"], schedule["pg_id"]) == (None, 0, "TCSUBSCRIP")
    payment = shapes.check(running.payment(schedule["imp_uid"]), shapes.PAYMENT)
    expected = {
        "merchant_uid": uid, "amount": 5_900, "status": "paid", "channel": "api", "user_agent": None,
        "customer_uid": customer, "customer_uid_usage": "payment.scheduled", "name": "월간 이용권", "custom_data": "{}",
        "pay_method": "point", "apply_num": None, "pg_id": "TCSUBSCRIP",
    }  # fmt: skip
    assert {key: payment[key] for key in expected} == expected
    assert payment["imp_uid"].startswith("imps_")
    assert abs(payment["paid_at"] - payment["started_at"]) <= 1
    assert webhooks_of(shop, uid) == {"imp_uid": payment["imp_uid"], "merchant_uid": uid, "status": "paid"}
    cancelled = shapes.answered(post(running, "/payments/cancel", json={"imp_uid": payment["imp_uid"]}))
    assert cancelled["status"] == "cancelled"
    assert planned(running, uid)["payment_status"] == "cancelled"
    for path in (f"{PLAN}/{uid}/reschedule", f"{PLAN}/{uid}/retry"):
        shapes.refused(post(running, path, json={"schedule_at": soon()}), 400, -1)


def test_a_declined_one_is_told_and_may_be_retried(running, customer, uid, shop):
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    plan(running, customer, entry(uid, soon(1)))
    schedule = executed(running, uid)
    assert schedule["payment_status"] == "failed"
    assert schedule["fail_reason"].startswith("[-782]")
    assert webhooks_of(shop, uid) == {"imp_uid": schedule["imp_uid"], "merchant_uid": uid, "status": "failed"}
    payment = shapes.check(shapes.answered(post(running, f"{PLAN}/{uid}/retry")), shapes.PAYMENT)
    assert (payment["status"], payment["customer_uid_usage"]) == ("paid", "payment.scheduled")
    assert payment["imp_uid"] != schedule["imp_uid"]
    after = planned(running, uid)
    assert (after["imp_uid"], after["payment_status"], after["fail_reason"]) == (payment["imp_uid"], "paid", None)
    shapes.refused(post(running, f"{PLAN}/{uid}/retry", json={}), 400, -1)


def test_a_deleted_key_is_a_failed_payment_that_is_told(running, customer, uid, shop):
    plan(running, customer, entry(uid, soon(2)))
    shapes.answered(running.call("DELETE", f"/subscribe/customers/{customer}"))
    assert planned(running, uid)["schedule_status"] == "scheduled"
    schedule = executed(running, uid)
    assert (schedule["payment_status"], schedule["fail_reason"]) == ("failed", "등록되지 않은 구매자입니다.")
    payment = shapes.check(running.payment(schedule["imp_uid"]), shapes.PAYMENT)
    assert (payment["status"], payment["fail_reason"]) == ("failed", "등록되지 않은 구매자입니다.")
    assert webhooks_of(shop, uid) == {"imp_uid": schedule["imp_uid"], "merchant_uid": uid, "status": "failed"}
    shapes.refused(post(running, f"{PLAN}/{uid}/retry", json={}), 404, -1)


def test_a_buyer_that_was_not_given_is_taken_from_the_key(running, uid):
    opened = running.open_window(f"issue {uid}", customer_uid=f"known {uid}", **BUYER)
    assert running.finish(opened)["result"]["success"]
    plan(running, f"known {uid}", entry(uid, soon(1), buyer_name="다른 이름"))
    payment = running.payment(executed(running, uid)["imp_uid"])
    assert {name: payment[name] for name in BUYER} == BUYER | {"buyer_name": "다른 이름"}


# -- revoking


def test_what_was_revoked_is_given_in_the_order_asked_for(running, customer, uid):
    plan(running, customer, *(entry(f"{uid}_{n}", soon(DAY + n)) for n in range(5)))
    some = {"customer_uid": customer, "merchant_uid": [f"{uid}_3", "unknown", f"{uid}_0"]}
    revoked = shapes.answered(post(running, UNPLAN, json=some))
    assert [s["merchant_uid"] for s in revoked] == [f"{uid}_3", f"{uid}_0"]
    assert {shapes.check(s, shapes.SCHEDULE)["schedule_status"] for s in revoked} == {"revoked"}
    assert all(abs(s["revoked_at"] - time.time()) < 60 for s in revoked)
    assert planned(running, f"{uid}_3") == revoked[0]
    one = shapes.answered(post(running, f"{UNPLAN}/", json={"merchant_uid": f"{uid}_1"}))
    assert [s["merchant_uid"] for s in one] == [f"{uid}_1"]
    form = urlencode({"customer_uid": customer, "merchant_uid[]": f"{uid}_2"})
    by_form = shapes.answered(post(running, UNPLAN, content=form, headers={"Content-Type": FORM}))
    assert [s["merchant_uid"] for s in by_form] == [f"{uid}_2"]
    everything = shapes.answered(post(running, UNPLAN, json={"customer_uid": customer, "merchant_uid": None}))
    assert [s["merchant_uid"] for s in everything] == [f"{uid}_4"]
    assert shapes.refused(post(running, UNPLAN, json={"customer_uid": customer}), 200, 1) == NOTHING


@pytest.mark.parametrize(
    "body",
    [{}, None, {"customer_uid": "nobody"}, {"merchant_uid": "nothing"}, {"customer_uid": "", "merchant_uid": ""},
     {"customer_uid": "c_0", "merchant_uid": "nothing"}],
)  # fmt: skip
def test_nothing_to_revoke_is_code_1_in_the_known_words(running, body):
    assert shapes.refused(post(running, UNPLAN, json=body), 200, 1) == NOTHING


@pytest.mark.parametrize("empty", [[], [""], [None]])
def test_an_empty_selection_revokes_nothing(running, customer, uid, empty):
    plan(running, customer, entry(uid))
    answer = post(running, UNPLAN, json={"customer_uid": customer, "merchant_uid": empty})
    assert shapes.refused(answer, 200, 1) == NOTHING
    assert planned(running, uid)["schedule_status"] == "scheduled"


def test_a_revoked_order_may_be_planned_again(running, customer, uid):
    plan(running, customer, entry(uid))
    shapes.answered(post(running, UNPLAN, json={"customer_uid": customer}))
    [again] = plan(running, customer, entry(uid, amount=7_000))
    assert (again["amount"], again["schedule_status"], again["revoked_at"]) == (7_000, "scheduled", 0)


# -- reading


@pytest.mark.parametrize("merchant_uid", ODD_IDS)
def test_any_merchant_uid_is_found_by_its_encoded_path(running, uid, merchant_uid):
    merchant_uid = f"{merchant_uid}{running.settings.database_url[:2]}"
    [answer] = plan(running, "c_2", entry(merchant_uid))
    assert planned(running, merchant_uid) == answer
    path = f"{PLAN}/{quote(merchant_uid, safe='')}/"
    assert shapes.answered(running.call("GET", path)) == answer
    moved = shapes.answered(running.call("PUT", path, json={"schedule_at": soon(2 * DAY)}))
    assert moved["merchant_uid"] == merchant_uid


def test_an_unknown_one_is_404(running):
    for method, path in (("GET", "/nothing"), ("PUT", "/nothing"), ("POST", "/nothing/reschedule"),
                         ("POST", "/nothing/retry"), ("GET", "/a/b"), ("GET", "/nothing/")):  # fmt: skip
        answer = running.call(method, PLAN + path, json={"schedule_at": soon()})
        assert shapes.refused(answer, 404, -1) == "존재하지 않는 결제예약입니다."


def test_methods_and_addresses_that_do_not_exist_are_refused_in_the_envelope(running, uid):
    for method, path, status in (("DELETE", f"/{uid}", 405), ("POST", f"/{uid}", 405), ("POST", f"/{uid}/x", 404),
                                 ("PUT", "", 405), ("PATCH", f"/{uid}", 405)):  # fmt: skip
        shapes.refused(running.call(method, PLAN + path), status, -1)
    assert running.http.get(f"{running.gateway}{PLAN}/{uid}").status_code == 401
    assert running.http.post(f"{running.gateway}{PLAN}", json={}).status_code == 401


def test_every_list_gives_pages_newest_first_under_every_spelling(running, customer, uid):
    start = soon(100 * DAY)
    plan(running, customer, *(entry(f"{uid}_{n}", start + n) for n in range(5)))
    shapes.answered(post(running, UNPLAN, json={"merchant_uid": f"{uid}_1"}))
    of_all, of_one = PLAN, f"{PLAN}/customers/{customer}"
    same = f"/subscribe/customers/{customer}/schedules/"
    newest_first = [f"{uid}_{n}" for n in (4, 3, 2, 1, 0)]
    for path in (of_all, f"{of_all}/", of_one, same):
        for names in (("schedule_from", "schedule_to"), ("from", "to")):
            span = dict(zip(names, (start, start + 5), strict=True))
            found = page(running, path, **span)
            assert (found["total"], found["previous"], found["next"]) == (5, 0, 0)
            assert uids(found) == newest_first
            assert uids(page(running, path, sorting="scheduled", **span)) == newest_first[::-1]
            second = page(running, path, page=2, limit=2, **span)
            assert (uids(second), second["previous"], second["next"]) == ([f"{uid}_2", f"{uid}_1"], 1, 3)
            assert uids(page(running, path, page=0, limit=1, **span)) == [f"{uid}_4"]
            for status in ("schedule_status", "schedule-status"):
                assert uids(page(running, path, **{status: "revoked"}, **span)) == [f"{uid}_1"]
                assert page(running, path, **{status: ""}, **span)["total"] == 5
                assert page(running, path, **{status: "executed"}, **span)["total"] == 0
    for listed in page(running, of_one, **{"from": start, "to": start + 5})["list"]:
        assert shapes.check(listed, shapes.SCHEDULE) == planned(running, listed["merchant_uid"])


def test_a_span_holds_its_beginning_and_not_its_end(running, customer, uid):
    start = soon(200 * DAY)
    plan(running, customer, entry(f"{uid}_first", start), entry(f"{uid}_last", start + 60))
    found = page(running, f"{PLAN}/customers/{customer}", **{"from": start, "to": start + 60})
    assert uids(found) == [f"{uid}_first"]
    assert page(running, f"{PLAN}/customers/{customer}", **{"from": start, "to": start})["total"] == 0


def test_a_span_may_have_three_months_of_any_length(running):
    for days, status in ((0, 200), (89, 200), (90, 200), (92, 200), (100, 400), (366, 400)):
        page(running, PLAN, status, schedule_from=soon(0), schedule_to=soon(0) + days * DAY)


SPAN = {"from": 1, "to": 60}


@pytest.mark.parametrize(
    "params",
    [
        {}, {"from": 1}, {"to": 1}, {"from": 5, "to": 4}, {"from": "x", "to": 5}, SPAN | {"schedule_status": "paid"},
        SPAN | {"sorting": "amount"}, SPAN | {"limit": 1_001}, SPAN | {"page": -1}, SPAN | {"page": 2},
    ],
)  # fmt: skip
def test_what_a_list_cannot_mean_is_400(running, params):
    for path in (PLAN, f"{PLAN}/customers/c_1", "/subscribe/customers/c_1/schedules"):
        assert page(running, path, 400, **params) is None


def test_an_unknown_customer_has_an_empty_list(running):
    for path in (f"{PLAN}/customers/nobody", "/subscribe/customers/nobody/schedules"):
        found = page(running, path, **{"from": soon(0), "to": soon()})
        assert found == {"total": 0, "previous": 0, "next": 0, "list": []}


# -- changing


def test_a_waiting_one_is_moved_by_put(running, customer, uid):
    [before] = plan(running, customer, entry(uid))
    at = soon(3 * DAY)
    for body in ({"json": {"schedule_at": at}}, {"json": {"schedule_at": str(at)}},
                 {"content": f"schedule_at={at}", "headers": {"Content-Type": FORM}}):  # fmt: skip
        moved = shapes.answered(running.call("PUT", f"{PLAN}/{uid}", **body))
        assert moved == before | {"schedule_at": at} == planned(running, uid)
    shapes.refused(post(running, f"{PLAN}/{uid}/reschedule", json={"schedule_at": at}), 400, -1)
    shapes.refused(post(running, f"{PLAN}/{uid}/retry", json={}), 400, -1)


@pytest.mark.parametrize("body", [{}, None, {"schedule_at": 1_478_150_985}, {"schedule_at": "x"}, {"schedule_at": -1}])
def test_a_bad_time_is_400_and_changes_nothing(running, customer, uid, body):
    waits, revoked = f"{uid}_waits", f"{uid}_revoked"
    plan(running, customer, entry(waits), entry(revoked))
    shapes.answered(post(running, UNPLAN, json={"merchant_uid": revoked}))
    before = [planned(running, waits), planned(running, revoked)]
    shapes.refused(running.call("PUT", f"{PLAN}/{waits}", json=body), 400, -1)
    shapes.refused(post(running, f"{PLAN}/{revoked}/reschedule", json=body), 400, -1)
    assert [planned(running, waits), planned(running, revoked)] == before


def test_a_revoked_one_is_put_back_by_reschedule_or_charged_by_retry(running, customer, uid):
    plan(running, customer, entry(f"{uid}_back"), entry(f"{uid}_now"))
    shapes.answered(post(running, UNPLAN, json={"customer_uid": customer}))
    shapes.refused(running.call("PUT", f"{PLAN}/{uid}_back", json={"schedule_at": soon()}), 400, -1)
    at = soon(5 * DAY)
    back = shapes.answered(post(running, f"{PLAN}/{uid}_back/reschedule", json={"schedule_at": at}))
    assert back == planned(running, f"{uid}_back")
    assert (back["schedule_status"], back["schedule_at"], back["revoked_at"]) == ("scheduled", at, 0)
    payment = shapes.answered(post(running, f"{PLAN}/{uid}_now/retry/", content=b""))
    assert (payment["status"], payment["user_agent"], payment["channel"]) == ("paid", None, "api")


def test_a_retry_whose_answer_is_lost_is_never_called_failed(running, customer, uid):
    plan(running, customer, entry(uid))
    shapes.answered(post(running, UNPLAN, json={"merchant_uid": uid}))
    running.fault("subscription", "drop_after")
    payment = shapes.answered(post(running, f"{PLAN}/{uid}/retry", json={}))
    assert payment["status"] == "paid"
    assert len(shapes.answered(running.call("GET", "/payments", params={"merchant_uid[]": uid}))) == 1
