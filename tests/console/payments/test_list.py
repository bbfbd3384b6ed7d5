"""Lists of payments: any part of a word, any time, any filter; views, columns, and files."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY
from xml.etree import ElementTree as ET

import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission, Role, may
from maedal.storage.engine import postgres
from maedal.storage.payment_lists import queries
from tests.console.conftest import Site
from tests.console.people import Fields, Person, asked, make_operator, text_of
from tests.support.clock import HandClock
from tests.support.databases import ENGINES
from tests.support.sealed_zip import open_sealed
from tests.support.world import world

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}/payments"
START = datetime(2026, 3, 2, 3, tzinfo=UTC)  # noon in Seoul
FORMULA = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture(scope="module", params=ENGINES)
def shop(request, all_databases, tmp_path_factory):
    """March's payments: on the 2nd one paid by card and one declined; on the 5th the first is cancelled in part."""
    clock = HandClock(START)
    options = {"clock": clock, "with_worker": False}
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("lists"), gateway_options=options) as shop:

        def wait(**span):
            clock.add(timedelta(**span).total_seconds())
            shop._token = None

        shop.issue_key("Minji_01", method="CARD")
        wait(seconds=5)
        first = shop.again(
            "Minji_01", "ORDER-Spring-1", 12_300, name="봄맞이 정기구독 3월호", buyer_name="김민지",
            buyer_tel="010-1234-5678", buyer_email="Minji@Example.com",
        )["response"]  # fmt: skip
        wait(seconds=5)
        shop.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
        shop.again("Minji_01", "ORDER-Spring-2", 45_000, name=FORMULA, buyer_name="+82 박도윤")
        wait(days=3)
        shop.call("POST", "/payments/cancel", json={"imp_uid": first["imp_uid"], "amount": 300, "reason": "쿠폰 누락"})
        shop.open_window("window_100%_off", 9_900, name="한 번 결제")
        yield Site(shop, {role: make_operator(shop, role.value, role) for role in Role})
        while Person.browsers:
            Person.browsers.pop().close()


@pytest.fixture
def owner(shop):
    return shop.person()


def names(page: str) -> set[str]:
    """Return the merchant_uids of a list."""
    return set(re.findall(r'<code class="quiet small">(ORDER[^<]+|window[^<]+)</code>', page))


def acts_of(shop, who, *kinds):
    """Return what somebody did, newest first."""
    acts = asked(shop.world, lambda store: store.audit.entries(MERCHANT, 100))
    return [audit_entry for audit_entry in acts if audit_entry.who == who and audit_entry.kind in kinds]


SPRING_1, SPRING_2, WINDOW = "ORDER-Spring-1", "ORDER-Spring-2", "window_100%_off"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("word=spring", {SPRING_1, SPRING_2}),
        ("word=rInG-1", {SPRING_1}),
        ("word=민지", {SPRING_1}),
        ("word=봄", {SPRING_1}),
        ("word=맞이 정기", {SPRING_1}),
        ("word=234-56", {SPRING_1}),
        ("word=EXAMPLE.com&field=buyer_email", {SPRING_1}),
        ("word=EXAMPLE.com&field=buyer_name", set()),
        ("word=minji&field=customer_uid", {SPRING_1, SPRING_2}),
        ("word=쿠폰", {SPRING_1}),
        ("word=쿠폰&field=fail_reason", set()),
        ("word=100%25_o", {WINDOW}),
        ("word=100_", set()),
        ("word=%5C", set()),
        ("status=paid", set()),
        ("status=partly", {SPRING_1}),
        ("status=wholly", set()),
        ("status=failed", {SPRING_2}),
        ("status=waiting", {WINDOW}),
        ("status=unknown", set()),
        ("method=card", {SPRING_1}),
        ("method=money", set()),
        ("use=one_time", {WINDOW}),
        ("use=payment", {SPRING_1, SPRING_2}),
        ("mode=live", set()),
        ("mode=test&origin=api", {SPRING_1, SPRING_2}),
        ("origin=pc&use=one_time", {WINDOW}),
        ("min=12,300&max=12300", {SPRING_1}),
        ("span=own&since=2026-03-02&until=2026-03-02", {SPRING_1, SPRING_2}),
        ("span=own&since=2026-03-02&until=2026-03-02&basis=paid", {SPRING_1}),
        ("span=own&since=2026-03-02&until=2026-03-02&basis=status", {SPRING_2}),
        ("span=own&since=2026-03-05&until=2026-03-05&basis=status", {SPRING_1, WINDOW}),
        ("span=own&until=2026-03-01", set()),
        ("span=today", {WINDOW}),
        ("span=yesterday", set()),
        ("word=spring&basis=status&sort=oldest&status=failed", {SPRING_2}),
        ("channel=nothing", set()),
        ("cause=balance", {SPRING_2}),
        ("cause=balance&basis=status&sort=largest", {SPRING_2}),
        ("cause=balance&word=spring", {SPRING_2}),
        ("cause=balance&status=paid", set()),
        ("cause=limit", set()),
        ("cause=unexplained", set()),
        ("cause=%00&word=ORDER-Spring-2", {SPRING_2}),
        ("word=01012345678", {SPRING_1}),
        ("word=1234 5678&field=buyer_tel", {SPRING_1}),
        ("word=12345678&field=buyer_name", set()),
    ],
)  # fmt: skip
def test_a_link_finds_what_it_says(owner, query, found):
    assert names(owner.see(f"{OF}?{query}")) == found


@pytest.mark.parametrize("query", ["span=all", "span=all&basis=status&status=failed", "word=spring"])
def test_counting_ends_at_a_bound_and_says_so(owner, query, monkeypatch):
    assert "+" not in re.search(r'class="count">([^<]+)', owner.see(f"{OF}?{query}"))[1]
    for bound in ("SEEN_MAX", "SEEN_MAX_OF_STATUS", "FOUND_MAX"):
        monkeypatch.setattr(queries, bound, 0)
    assert re.search(r'class="count">[1-5]\+', owner.see(f"{OF}?{query}"))


SLOW = {"sqlite": (200, "결제 내역"), "postgresql": (503, "기간을 줄이거나")}


def test_what_takes_too_long_ends_and_says_so(shop, owner, monkeypatch):
    monkeypatch.setattr(postgres, "FOR_PEOPLE", "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)")
    answer = owner.open(f"{OF}?word=spring")
    status, said = SLOW[shop.world.settings.database_url.partition(":")[0]]
    assert answer.status_code == status
    assert said in answer.text


def test_tabs_count_what_the_other_filters_leave(owner):
    page = text_of(owner.see(f"{OF}?use=payment&status=failed"))
    assert "전체 2 결제완료 0 결제실패 1 결제취소 1 부분취소 1 전체취소 0 승인대기 0 결과 미확인 0" in page
    assert "1건" in page


def test_filters_that_leave_next_to_nothing_are_looked_through_in_parts_with_a_link_that_goes_on(owner, monkeypatch):
    monkeypatch.setattr(queries, "LOOKED_MAX", 1)
    found, parts, link = set(), 0, f"{OF}?span=all&min=12300&max=12300"
    while link:
        page = owner.see(link)
        found |= names(page)
        parts += "여기까지 찾아 보았습니다" in page
        assert "찾은 결제가 없습니다" not in page or "이어서 찾기" not in page
        further = re.search(r'rel="next" href="([^"]+)"', page)
        link = further[1].replace("&amp;", "&") if further else None
    assert found == {SPRING_1}
    assert parts == 3, "of four payments one is looked at for each page, and after the last there is none"


@pytest.mark.parametrize(
    ("sort", "first"), [("newest", WINDOW), ("oldest", None), ("largest", SPRING_2), ("smallest", None)]
)
def test_a_list_is_sorted_and_has_pages_by_place(owner, sort, first, monkeypatch):
    monkeypatch.setattr("maedal.console.payments.pages.ROWS", 1)
    seen, link = [], f"{OF}?sort={sort}&span=all"
    while link:
        page = owner.see(link)
        seen.append(re.search(r'href="[^"]*/payments/(imp[s]?_[0-9]+)"><b>', page)[1])
        following = re.search(r'rel="next" href="([^"]+)"', page)
        link = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 4
    back = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert f"/payments/{seen[-2]}" in owner.see(back)
    assert names(owner.see(f"{OF}?sort={sort}&span=all")) <= ({first} if first else {SPRING_1, SPRING_2, WINDOW})


def test_a_view_is_kept_shared_and_forgotten(shop, owner):
    page = f"{OF}?status=failed&word=spring"
    owner.send(f"{OF}/views", page=page, name="봄 실패", shared="on")
    owner.send(f"{OF}/views", page=f"{OF}?method=card", name="내 카드")
    assert 'href="/console/merchants/imp00000000/payments?word=spring&amp;status=failed"' in owner.see(OF)
    reader = shop.person(Role.READ_ONLY)
    shared = text_of(reader.see(OF))
    assert "봄 실패 owner" in shared
    assert "내 카드" not in shared
    assert "지우기" not in shared
    view = re.search(r"views/([0-9a-z]+)/delete", owner.see(OF))[1]
    reader.http.post(
        f"{OF}/views/{view}/delete", data={"form_token": reader.token()}, headers={"Origin": reader.origin}
    )
    # Under the same name it is replaced.
    owner.send(f"{OF}/views", page=f"{OF}?status=paid", name="내 카드")
    assert owner.see(OF).count("내 카드</a>") == 1
    while found := re.search(r"views/([0-9a-z]+)/delete", owner.see(OF)):
        owner.send(f"{OF}/views/{found[1]}/delete", page=OF)
    assert "봄 실패" not in reader.see(OF)
    acts = acts_of(shop, "owner", AuditAction.SAVE_VIEW, AuditAction.DELETE_VIEW)
    assert Counter(audit_entry.kind for audit_entry in acts) == {AuditAction.SAVE_VIEW: 3, AuditAction.DELETE_VIEW: 2}
    assert "spring" not in f"{acts}"


@pytest.mark.parametrize(("name", "said"), [("", "1~60자"), ("x" * 61, "1~60자"), ("a\x07b", "1~60자")])
def test_a_view_needs_a_name(owner, name, said):
    assert said in owner.send(f"{OF}/views", page=OF, name=name).text


def test_columns_are_remembered_for_their_operator_and_a_link_may_name_its_own(shop, owner):
    form = {"form_token": owner.token(), "query": "span=all", "column": ["tel", "imp_uid", "status"]}
    answer = owner.http.post(f"{OF}/columns", data=form, headers={"Origin": owner.origin})
    assert answer.headers["location"] == f"{OF}?span=all"
    page = owner.see(f"{OF}?span=all")
    assert re.findall(r'<th scope="col">([^<]+)</th>', page) == ["상태", "imp_uid", "구매자 전화번호"]
    assert "010-1234-5678" in page
    assert '<th scope="col">취소 사유</th>' in owner.see(f"{OF}?columns=cancel_reason")
    assert '<th scope="col">주문</th>' in shop.person(Role.ADMIN).see(OF)
    owner.http.post(f"{OF}/columns", data={"form_token": owner.token()}, headers={"Origin": owner.origin})
    assert '<th scope="col">주문</th>' in owner.see(OF)


def exported(person, query="", **fields):
    page = f"{OF}/export?{query}"
    form = Fields(f"{OF}/export")
    form.feed(person.see(page))
    answer = person.http.post(f"{OF}/export", data=form.found | fields, headers={"Origin": person.origin})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="payments-imp00000000-2026030')
    return answer.content, form.found["export_id"]


def test_a_list_is_exported_as_csv_that_excel_opens_and_no_formula_runs(shop, owner):
    content, export_id = exported(owner, "use=payment&word=spring", format="csv")
    assert content.startswith(b"\xef\xbb\xbf")
    head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert head[:4] == ["상태", "imp_uid", "merchant_uid", "주문명"]
    by_name = [dict(zip(head, line, strict=True)) for line in lines]
    assert [line["merchant_uid"] for line in by_name] == [SPRING_2, SPRING_1]
    assert by_name[0]["주문명"] == f"'{FORMULA}"
    assert by_name[0]["구매자 이름"] == "'+82 박도윤"
    assert (by_name[1]["결제 금액"], by_name[1]["취소 금액"], by_name[1]["상태"]) == ("12300", "300", "부분취소")
    assert by_name[1]["요청 시각"] == "2026-03-02 12:00:05"
    progress = text_of(owner.see(f"{OF}/export/{export_id}"))
    assert progress == "2건 파일을 만들었습니다."
    audit_entry = acts_of(shop, "owner", AuditAction.EXPORT_PAYMENTS)[0]
    assert "format=csv" in audit_entry.after
    assert "use=payment" in audit_entry.after
    assert "spring" not in audit_entry.after


def test_a_file_has_the_cause_of_a_failure_and_its_code(owner):
    content, _ = exported(owner, "cause=balance", format="csv", columns="status,cause,fail_reason")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [
        ["상태", "실패 원인", "재시도", "실패 코드", "실패 원문"],
        ["결제실패", "잔액 부족", "구매자 조치 후", "'-782 NOT_ENOUGH_BALANCE", ANY],
    ]
    page = owner.see(f"{OF}/export?cause=balance")
    assert "실패 원인: 잔액 부족" in text_of(page)


def test_moments_of_a_workbook_are_dates_and_no_text(owner):
    content, _ = exported(owner, "use=payment&status=failed", format="xlsx", columns="requested,paid")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
    assert re.search(r'<c r="A2" s="[0-9]+"><v>46083\.5001', sheet)  # noon in Seoul on 2 March 2026
    assert 'formatCode="yyyy-mm-dd hh:mm:ss"' in styles


def test_a_list_is_exported_as_xlsx_and_text_stays_text(owner):
    content, _ = exported(owner, "span=all", format="xlsx", columns="order,amount")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
        space = {"": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
        rows = [
            ["".join(cell.itertext()) for cell in row.findall("c", space)] for row in sheet.findall(".//row", space)
        ]
        assert sheet.findall(".//f", space) == []
    assert rows[0] == ["imp_uid", "merchant_uid", "주문명", "결제 금액", "취소 금액"]
    assert len(rows) == 5
    assert [row[2:] for row in rows if row[1] == SPRING_2] == [[FORMULA, "45000", "0"]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_list_is_exported_sealed_and_the_audit_log_says_so(shop, owner, form):
    plain, _ = exported(owner, "span=all", format=form, columns="order,amount")
    page = owner.see(f"{OF}/export?span=all")
    drawn = re.search(r'name="passphrase" value="([^"]+)"', page)[1]
    content, export_id = exported(owner, "span=all", format=form, columns="order,amount", seal="1", passphrase=drawn)
    [(name, found)] = open_sealed(content, drawn).items()
    assert name.endswith(f".{form}")
    # A workbook has the second in which it was made in it.
    assert found == plain if form == "csv" else zipfile.is_zipfile(io.BytesIO(found))
    assert text_of(owner.see(f"{OF}/export/{export_id}")) == "4건 파일을 만들었습니다."
    entries = acts_of(shop, "owner", AuditAction.EXPORT_PAYMENTS)
    assert sum(f"format={form}; sealed=AES-256 ZIP" in entry.after for entry in entries) == 1
    assert not any(drawn in entry.after for entry in entries)
    assert re.search(r'name="passphrase" value="([^"]+)"', owner.see(f"{OF}/export?span=all"))[1] != drawn


@pytest.mark.parametrize(
    "easy", ["", "short", "coffee2026 shop", "비밀번호는 아주 길게 정했습니다", "owner-9kwmz-lorry-vex4t"]
)
def test_a_list_is_not_sealed_with_a_passphrase_that_is_guessed(shop, owner, easy):
    before = len(acts_of(shop, "owner", AuditAction.EXPORT_PAYMENTS))
    fields = {"format": "csv", "query": "span=all", "columns": "order", "seal": "1", "passphrase": easy}
    fields |= {"form_token": owner.token(), "export_id": "0" * 26}
    answer = owner.http.post(f"{OF}/export", data=fields, headers={"Origin": owner.origin})
    assert answer.status_code == 422
    assert 'id="wrong-passphrase"' in answer.text
    assert 'name="seal" value="1" checked' in answer.text
    assert len(acts_of(shop, "owner", AuditAction.EXPORT_PAYMENTS)) == before


def test_only_who_may_export_is_offered_it(shop):
    for role in Role:
        assert (f"{OF}/export" in shop.person(role).see(OF)) is may(role, Permission.EXPORT_PAYMENTS), role


def test_an_export_is_shown_to_whoever_began_it(shop, owner):
    _, export_id = exported(owner, format="csv")
    assert "준비하고 있습니다" in shop.person(Role.ADMIN).see(f"{OF}/export/{export_id}")
    bad = owner.http.post(
        f"{OF}/export", data={"form_token": owner.token(), "format": "exe"}, headers={"Origin": owner.origin}
    )
    assert bad.status_code == 422
