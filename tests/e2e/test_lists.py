"""Reading many payments (docs/wire/portone-v1-rest.md 4.2)."""

from __future__ import annotations

import pytest

from tests.support.world import world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request, all_databases, tmp_path_factory):
    """Three registrations, one paid, one failed, one open window; made once, only read."""
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("lists")) as everything:
        for n in range(3):
            everything.issue_key(f"c_{n}")
        everything.extra["paid"] = everything.again("c_0", "order/with slash 한글")["response"]
        everything.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
        everything.extra["failed"] = everything.again("c_1", "m_failed")["response"]
        everything.extra["ready"] = everything.open_window("m_ready", 500)["imp_uid"]
        yield everything


def get(running, path, status=200, **params):
    answer = running.call("GET", path, params=params or None)
    assert answer.status_code == status, answer.text
    return answer.json()["response"]


def test_several_are_given_newest_first_and_missing_ones_make_it_207(running):
    paid, failed = running.extra["paid"], running.extra["failed"]
    both = get(running, "/payments", **{"imp_uid[]": [paid["imp_uid"], failed["imp_uid"]]})
    assert both == [failed, paid]
    assert get(running, f"/payments/?imp_uid%5B0%5D={paid['imp_uid']}&merchant_uid[]=m_failed") == [failed, paid]
    assert get(running, "/payments", 207, **{"imp_uid[]": [paid["imp_uid"], "imp_000000000000"]}) == [paid]
    assert get(running, "/payments", 404, **{"imp_uid[]": "imp_000000000000"}) is None
    assert get(running, "/payments", 404) is None
    assert get(running, "/payments", 207, **{"imp_uid[]": [paid["imp_uid"], "a\0b"]}) == [paid]
    assert get(running, "/payments", 400, **{"imp_uid[]": [f"imp_{n}" for n in range(101)]}) is None


def test_the_total_of_all_is_the_sum_of_the_statuses(running):
    totals = {
        s: get(running, f"/payments/status/{s}")["total"] for s in ("all", "ready", "paid", "failed", "cancelled")
    }
    assert totals == {"all": 6, "ready": 1, "paid": 4, "failed": 1, "cancelled": 0}


def test_pages_hold_exactly_what_was_asked_for(running):
    first = get(running, "/payments/status/all", limit=4, page=0)
    assert (first["total"], first["previous"], first["next"], len(first["list"])) == (6, 0, 2, 4)
    second = get(running, "/payments/status/all", limit=4, page=2)
    assert (second["previous"], second["next"], len(second["list"])) == (1, 0, 2)
    everything = get(running, "/payments/status/all", sorting="started")["list"]
    assert [p["imp_uid"] for p in everything] == [p["imp_uid"] for p in [*first["list"], *second["list"]]][::-1]
    assert get(running, "/payments/status/all", 400, limit=4, page=3) is None


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 1001}, {"limit": "x"}, {"page": -1}, {"sorting": "amount"}, {"from": "yesterday"},
        {"from": 1, "to": 90 * 86_400 + 2}, {"from": 5, "to": 4},
    ],
)  # fmt: skip
def test_what_a_list_cannot_mean_is_400(running, params):
    assert get(running, "/payments/status/all", 400, **params) is None


def test_an_unknown_status_is_400_in_the_known_words(running):
    for path in (
        "/payments/status/123",
        "/payments/status/undefined",
        "/payments/find/m_failed/123",
        "/payments/findAll/m_failed/123",
    ):
        answer = running.call("GET", path)
        assert (answer.status_code, answer.json()["message"]) == (400, "지원되지 않는 상태값입니다.")


def test_the_span_counts_the_time_of_the_final_status_inclusively(running):
    paid_at = running.extra["paid"]["paid_at"]
    inside = get(running, "/payments/status/paid", **{"from": paid_at, "to": paid_at})
    assert running.extra["paid"]["imp_uid"] in [p["imp_uid"] for p in inside["list"]]
    before = get(running, "/payments/status/paid", **{"from": paid_at - 100_000, "to": paid_at - 90_000})
    assert (before["total"], before["list"]) == (0, [])


def test_find_all_gives_every_row_of_an_order(running):
    page = get(running, "/payments/findAll/order%2Fwith%20slash%20%ED%95%9C%EA%B8%80/")
    assert (page["total"], page["list"]) == (1, [running.extra["paid"]])
    assert get(running, "/payments/findAll/m_failed/failed")["list"] == [running.extra["failed"]]
    assert get(running, "/payments/findAll/m_failed/paid", 404) is None
    assert get(running, "/payments/findAll/nothing", 404) is None
    assert get(running, "/payments/findAll/m_failed", 400, page=2) is None


def test_a_balance_is_not_shown_for_kakaopay(running):
    answer = running.call("GET", f"/payments/{running.extra['paid']['imp_uid']}/balance")
    assert (answer.status_code, answer.json()["code"]) == (404, -1)
    assert "PAYCO" in answer.json()["message"]
