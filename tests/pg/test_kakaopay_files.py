"""KakaoPay's file API: where a file lies, and what makes it one (docs/wire/kakaopay.md 12)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from maedal.payments.attempt import Method
from maedal.pg.driver import FileAccount, PgReply, Unreadable
from maedal.pg.kakaopay.driver import KakaoPay
from maedal.reconciliation.settlement import Action, NotYet
from tests.support.network import reply
from tests.support.settlement import BUCKET, FILE_KEY, a_file, a_row

DRIVER = KakaoPay()
ACCOUNT = FileAccount(BUCKET, None, FILE_KEY)
DAY = date(2026, 10, 1)
AT = datetime(2026, 10, 1, 0, 0, 2, tzinfo=UTC)
TID = "T5b04e1907c22d9f41b0"


def read(file, status=200):
    return DRIVER.read_file(ACCOUNT, DAY, reply(file, status))


def test_the_first_call_names_day_and_bucket_and_carries_the_key():
    request = DRIVER.file_place_request(ACCOUNT, DAY)
    assert request.method == "GET"
    assert request.url == (
        f"https://biz-dapi.kakaopay.com/files/v1/payments/history?target_date=20261001&bucket_id={BUCKET}"
    )
    assert request.headers["Authorization"] == f"PG_BIZAPI_KEY {FILE_KEY}"
    assert FILE_KEY not in repr(request) + repr(ACCOUNT)


def test_the_second_goes_where_the_first_was_told():
    url = "https://biz-file.kakaopay.com/a/b.json?signature=x"
    place = DRIVER.read_file_place(ACCOUNT, reply({"url": url, "expires_at": "2026-10-02T09:00:00"}))
    assert DRIVER.file_request(ACCOUNT, place).url == url


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_day_without_a_file_is_not_yet(status):
    answer = DRIVER.read_file_place(ACCOUNT, reply({"message": "no uploaded file!"}, status))
    assert answer == NotYet("no uploaded file!")


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/file.json",
        "http://biz-file.kakaopay.com/file.json",
        "https://biz-file.kakaopay.com.elsewhere.test/file.json",
        "https://biz-file.kakaopay.com@elsewhere.test/file.json",
        "https://elsewhere.test/.kakaopay.com",
        "https://evilkakaopay.com/file.json",
        "https://biz-file.kakaopay.com:8443/file.json",
        "https://biz-file.kakaopay.com:port/file.json",
        "file:///etc/passwd",
        "//biz-file.kakaopay.com/file.json",
        "",
    ],
)
def test_the_key_goes_to_kakaopays_own_hosts_alone(url):
    with pytest.raises(Unreadable):
        DRIVER.read_file_place(ACCOUNT, reply({"url": url}))


def test_the_simulators_file_is_asked_for_where_the_simulator_is():
    account = FileAccount(BUCKET, "http://127.0.0.1:8081", FILE_KEY)
    answer = reply({"url": "https://public.test/files/x.json?y=1"})
    assert DRIVER.read_file_place(account, answer) == "http://127.0.0.1:8081/files/x.json?y=1"


@pytest.mark.parametrize(
    "answer",
    [PgReply(200, b""), PgReply(200, b"<html>"), reply({}), reply({"url": 3}), reply({"message": "x"}, 401)],
    ids=["empty", "html", "no url", "url is no text", "401"],
)
def test_an_answer_that_tells_no_place_proves_nothing(answer):
    with pytest.raises(Unreadable):
        DRIVER.read_file_place(ACCOUNT, answer)


def test_a_file_is_read_row_by_row():
    issued = a_row("o-0", TID, 0, AT, "ISSUED_SID")
    paid = a_row("o-1", TID, 9_900, AT, extra="ignored")
    back = a_row("o-1", TID, 900, AT, "CANCEL", payment_method_type="CARD")
    file = read(a_file(DAY, issued, paid, back))
    assert [(r.action, r.amount, r.order_id) for r in file.rows] == [
        (Action.ISSUE, 0, "o-0"),
        (Action.PAYMENT, 9_900, "o-1"),
        (Action.CANCEL, 900, "o-1"),
    ]
    row = file.rows[1]
    assert (row.pg_merchant_id, row.pg_tid, row.pg_aid, row.method) == ("TCSUBSCRIP", TID, paid["aid"], Method.MONEY)
    assert row.happened_at == AT
    assert (file.day, file.created_at) == (DAY, datetime(2026, 10, 1, 22, 30, tzinfo=UTC))
    assert file.whole


def test_a_cancel_may_be_told_with_a_minus():
    back = a_row("o-1", TID, -900, AT, "CANCEL")
    assert read(a_file(DAY, back)).rows[0].amount == 900


def test_whether_an_issue_counts_among_the_payments_does_not_matter():
    rows = (a_row("o-0", TID, 0, AT, "ISSUED_SID"), a_row("o-1", TID, 9_900, AT))
    sums = {"payment": {"count": 2, "amount": 9_900}, "cancel": {"count": 0, "amount": 0}}
    assert len(read(a_file(DAY, *rows, statistics=sums)).rows) == 2


@pytest.mark.parametrize(
    "at", [datetime(2026, 9, 30, 14, 59, 58, tzinfo=UTC), datetime(2026, 10, 1, 15, 0, 1, tzinfo=UTC)]
)
def test_at_midnight_a_row_may_be_told_a_second_or_two_in_another_day(at):
    """On b4fe9d1 the whole file is refused."""
    assert len(read(a_file(DAY, a_row("o-1", TID, 9_900, at))).rows) == 1


def test_a_day_without_anything_is_a_file():
    assert read(a_file(DAY)).rows == ()


ROW = a_row("o-1", TID, 9_900, AT)
NO_FILE = {
    "another bucket": a_file(DAY, ROW, bucket_id="B2"),
    "another day": a_file(date(2026, 10, 2)),
    "a payment of another day": a_file(DAY, a_row("o-1", TID, 9_900, AT.replace(day=3))),
    "a row less than it says": a_file(DAY, ROW) | {"data": []},
    "a row more than it says": a_file(DAY) | {"data": [ROW]},
    "another sum than it says": a_file(DAY, ROW) | {"data": [ROW | {"amount": 9_901}]},
    "an aid twice": a_file(DAY, ROW, ROW),
    "no statistics": {k: v for k, v in a_file(DAY, ROW).items() if k != "statistics"},
    "no rows": {k: v for k, v in a_file(DAY).items() if k != "data"},
    "rows that are none": a_file(DAY) | {"data": ["x"]},
    "an amount in a text": a_file(DAY, ROW) | {"data": [ROW | {"amount": "9900"}]},
    "an amount with a fraction": a_file(DAY, ROW) | {"data": [ROW | {"amount": 9900.5}]},
    "a negative payment": a_file(DAY, a_row("o-1", TID, -9_900, AT)),
    "a payment of nothing": a_file(DAY, a_row("o-1", TID, 0, AT)),
    "an issue with money": a_file(DAY, a_row("o-1", TID, 5, AT, "ISSUED_SID")),
    "dollars": a_file(DAY, a_row("o-1", TID, 9_900, AT, currency="USD")),
    "an action that nobody knows": a_file(DAY, a_row("o-1", TID, 9_900, AT, "TRANSFER")),
    "no order number": a_file(DAY, a_row("", TID, 9_900, AT)),
    "a NUL": a_file(DAY, a_row("o\0", TID, 9_900, AT)),
    "no tid": a_file(DAY, a_row("o-1", "", 9_900, AT)),
    "a time that is none": a_file(DAY, ROW | {"approved_at": "2026-10-01"}),
    "a list": [a_file(DAY, ROW)],
}


@pytest.mark.parametrize("file", NO_FILE.values(), ids=NO_FILE)
def test_what_contradicts_itself_or_us_is_no_file(file):
    with pytest.raises(Unreadable):
        DRIVER.read_file(ACCOUNT, DAY, PgReply(200, json.dumps(file).encode()))


def test_no_beginning_of_a_file_passes_as_one():
    whole = json.dumps(a_file(DAY, ROW)).encode()
    for length in range(len(whole)):
        with pytest.raises(Unreadable):
            DRIVER.read_file(ACCOUNT, DAY, PgReply(200, whole[:length]))
    assert len(DRIVER.read_file(ACCOUNT, DAY, PgReply(200, whole)).rows) == 1


def test_an_error_is_no_file():
    with pytest.raises(Unreadable):
        read(a_file(DAY, ROW), 500)


@pytest.mark.parametrize(
    ("created_at", "whole"),
    [("2026-10-02T00:00:00", True), ("2026-10-02 07:30:00", True), ("2026-10-01T23:59:59", False), ("?", False)],
)
def test_silence_counts_only_in_a_file_that_was_written_after_its_day(created_at, whole):
    assert read(a_file(DAY, ROW, file_created_at=created_at)).whole is whole
