"""Figures by month and files of every list: a shop's three months, with a refund, a failure and a customer who left."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from maedal.app import open_gateway
from maedal.flows.count_months import count_months
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission, Role, may
from tests.console.conftest import Site
from tests.console.people import Fields, Person, asked, in_a_thread, make_operator, text_of
from tests.support.clock import HandClock
from tests.support.databases import ENGINES
from tests.support.sealed_zip import open_sealed
from tests.support.world import world

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
START = datetime(2026, 1, 5, 3, tzinfo=UTC)  # noon in Seoul
FORMULA = "=1+1"


@pytest.fixture(scope="module", params=ENGINES)
def shop(request, all_databases, tmp_path_factory):
    """January: three customers are charged. February: one again, one fails, one is gone. March has begun."""
    clock = HandClock(START)
    options = {"gateway_options": {"clock": clock, "with_worker": False}, "webhook_url": "http://127.0.0.1:9/hook"}
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("figures"), **options) as shop:

        def wait(**span):
            clock.add(timedelta(**span).total_seconds())
            shop._token = None

        for number, (name, method) in enumerate((("ann", "CARD"), ("bob", "MONEY"), ("cho", "MONEY"))):
            shop.issue_key(name, method=method)
            wait(seconds=5)
            paid = shop.again(name, f"jan_{name}", 10_000 * (number + 1), name=FORMULA)["response"]
            wait(seconds=5)
        shop.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"], "amount": 4_000, "reason": "=2+2"})
        wait(days=31)
        shop.again("ann", "feb_ann", 11_000)
        shop.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
        shop.again("bob", "feb_bob", 20_000)
        wait(days=31)
        later = int((clock.now() + timedelta(days=3)).timestamp())
        plans = [
            {"merchant_uid": f"plan_{n}", "schedule_at": later, "amount": 1_000 + n, "name": FORMULA} for n in range(3)
        ]
        body = {"customer_uid": "ann", "schedules": plans}
        assert shop.call("POST", "/subscribe/payments/schedule", json=body).json()["code"] == 0

        async def count() -> None:
            async with open_gateway(shop.settings, serving=False) as gateway:
                assert await count_months(replace(gateway.services, clock=clock)) == 3

        in_a_thread(count())
        yield Site(shop, {role: make_operator(shop, role.value, role) for role in Role})
        while Person.browsers:
            Person.browsers.pop().close()


@pytest.fixture
def owner(shop) -> Person:
    return shop.person()


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the cells of a table's months, by the month."""
    rows = re.findall(r'<tr data-month="([^"]+)">(.*?)</tr>', page, re.DOTALL)
    return {
        month: [text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for month, row in rows
    }


def test_customers_and_recurring_revenue_by_month(owner):
    page = owner.see(f"{OF}/figures")
    rows = rows_of(page)
    assert list(rows)[:3] == ["2026-03", "2026-02", "2026-01"]
    assert len(rows) == 12
    assert rows["2026-01"] == ["60,000원", "3", "3", "0", "0", "0", "0", "0", "0", "–", "0", "0"]
    # One came again; of the others one failed, and of one nobody asked anything.
    assert rows["2026-02"] == ["11,000원", "1", "0", "0", "2", "0", "1", "0", "1", "66.7%", "0", "0"]
    # The month that runs says nothing of who is gone, and what is planned in it is expected.
    assert rows["2026-03"][:4] == ["0원", "0", "0", "0"]
    assert rows["2026-03"][4] == "–"
    assert "예상 MRR 3,003원" in text_of(page)
    assert rows_of(owner.see(f"{OF}/figures?mode=live"))["2026-01"][0] == "0원"
    assert list(rows_of(owner.see(f"{OF}/figures?since=2026-02&until=2026-02&mode=test"))) == ["2026-02"]
    # Whatever an address says, there is a page.
    for odd in ("since=2026-13&until=x", "since=2099-01&until=2000-01", "since=0000-00", "mode=%00&method=x&use=y"):
        assert owner.open(f"{OF}/figures/months?{odd}").status_code == 200


def test_monthly_sums_by_method(owner):
    rows = rows_of(owner.see(f"{OF}/figures/months"))
    assert rows["2026-01"] == ["60,000원", "3", "4,000원", "1", "56,000원", "10,000원", "50,000원"]
    assert rows["2026-02"] == ["11,000원", "1", "0원", "0", "11,000원", "11,000원", "0원"]
    rows = rows_of(owner.see(f"{OF}/figures/months?method=money&use=payment"))
    assert rows["2026-01"] == ["50,000원", "2", "4,000원", "1", "46,000원", "50,000원"]
    page = owner.see(f"{OF}/figures/months")
    assert "71,000원" in text_of(re.search(r"<tfoot>.*</tfoot>", page, re.DOTALL)[0])


def test_cohorts_by_the_month_of_the_first_charge(owner):
    rows = rows_of(owner.see(f"{OF}/figures/cohorts"))
    assert rows == {"2026-01": ["3", "33%", "0%"]}
    owner.http.cookies.set("maedal_language", "en", domain="127.0.0.1")
    page = owner.see(f"{OF}/figures/cohorts?since=2026-01&until=2026-02")
    assert rows_of(page) == {"2026-01": ["3", "33%"]}
    assert "First charge" in page


def exported(person, name, query="", **fields):
    action = f"{OF}/exports/{name}" + (f"?{query}" if query else "")
    form = Fields(action)
    page = person.see(action).replace("&amp;", "&")
    form.feed(page)
    answer = person.http.post(action, data=form.found | fields, headers={"Origin": person.origin})
    assert answer.status_code == 200, answer.text
    progress = text_of(person.see(f"{OF}/exports/{name}/{form.found['export_id']}"))
    return answer, progress


def lines_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


LISTS = {
    # list: filters, what the file is called, how many lines, and cells of the first
    "schedules": ("tab=waiting&sort=soonest", "예약", 3, {"merchant_uid": "plan_0", "주문명": "'=1+1", "금액": "1000"}),
    "billing-keys": ("method=money", "빌링키", 2, {"customer_uid": "cho", "상태": "사용 중", "이번 달 결제 건수": "0"}),
    "webhooks": ("days=90&told=paid", "웹훅 기록", 7, {"이벤트": "결제완료"}),
    "cancels": (
        "since=2026-01-01",
        "취소 내역",
        1,
        {"취소 금액": "4000", "취소 사유": "'=2+2", "merchant_uid": "jan_cho"},
    ),
    "months": ("since=2026-01", "월별 합계", 3, {"월": "2026-01", "결제 금액": "60000", "순매출": "56000"}),
    "customers-by-month": ("since=2026-02", "월별 고객 지표", 2, {"월": "2026-02", "이탈": "2", "이탈률": "66.7%"}),
    "cohorts": ("since=2026-01", "코호트", 3, {"첫 결제 월": "2026-01", "결제한 고객": "3", "유지율": "100.0%"}),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_written_out_with_its_filters(shop, owner, monkeypatch, name):
    for subject in ("schedules", "billing_keys", "webhooks", "payments"):
        # A part of a list has one row, so that each begins where the one before has ended.
        monkeypatch.setattr(f"maedal.console.{subject}.files.AT_ONCE", 1)
    query, title, count, first = LISTS[name]
    answer, progress = exported(owner, name, query, format="csv")
    lines = lines_of(answer.content)
    assert len(lines) == count
    assert {head: lines[0][head] for head in first} == first
    assert len({tuple(line.values()) for line in lines}) == count
    assert progress == f"{count}건 파일을 만들었습니다."
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="{name}-{MERCHANT}-202603')
    assert unquote(disposition.partition("filename*=UTF-8''")[2]).startswith(f"{title}-{MERCHANT}-202603")
    entry = next(
        one for one in asked(shop.world, lambda store: store.audit.entries(MERCHANT, 100))
        if one.kind is AuditAction.EXPORT_LIST and one.subject == name
    )  # fmt: skip
    assert (entry.who, entry.after) == ("owner", f"format=csv; filter={query}")


@pytest.mark.parametrize(
    ("name", "cell", "form"),
    [
        ("schedules", r'<c r="A2" s="[0-9]+"><v>46092\.5', "yyyy-mm-dd hh:mm:ss"),  # noon in Seoul on 11 March 2026
        ("months", r'<c r="A2" s="[0-9]+"><v>46023</v>', "yyyy-mm"),  # 1 January 2026
        ("cohorts", r'<c r="E3" s="[0-9]+"><v>0\.33', "0.0%"),
    ],
)
def test_a_workbook_has_dates_and_numbers_and_no_text_for_them(owner, name, cell, form):
    answer, _ = exported(owner, name, LISTS[name][0], format="xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
    assert re.search(cell, sheet)
    assert f'formatCode="{form}"' in styles
    assert "<f>" not in sheet


def test_a_list_is_written_out_sealed_and_with_no_passphrase_that_is_guessed(shop, owner):
    page = owner.see(f"{OF}/exports/months?since=2026-01")
    drawn = re.search(r'name="passphrase" value="([^"]+)"', page)[1]
    answer, _ = exported(owner, "months", "since=2026-01", format="csv", seal="1", passphrase=drawn)
    [(name, found)] = open_sealed(answer.content, drawn).items()
    assert name.endswith(".csv")
    assert len(lines_of(found)) == 3
    form = {"form_token": owner.token(), "format": "csv", "seal": "1", "passphrase": "short", "export_id": "0" * 26}
    answer = owner.http.post(f"{OF}/exports/months", data=form, headers={"Origin": owner.origin})
    assert answer.status_code == 422
    assert 'id="wrong-passphrase"' in answer.text


def test_only_who_may_export_is_offered_it_and_there_are_no_other_lists(shop, owner):
    for role in Role:
        person, allowed = shop.person(role), may(role, Permission.EXPORT_PAYMENTS)
        for page, name in (
            ("figures", "customers-by-month"), ("figures/months", "cancels"), ("figures/cohorts", "cohorts"),
            ("schedules", "schedules"), ("billing-keys", "billing-keys"), ("webhook-log", "webhooks"),
        ):  # fmt: skip
            assert (f"{OF}/exports/{name}" in person.see(f"{OF}/{page}")) is allowed, (role, name)
    assert owner.open(f"{OF}/exports/secrets").status_code == 404
    form = {"form_token": owner.token(), "format": "exe", "export_id": "0" * 26}
    assert owner.http.post(f"{OF}/exports/months", data=form, headers={"Origin": owner.origin}).status_code == 422
