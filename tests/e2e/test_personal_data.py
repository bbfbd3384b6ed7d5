"""What was told of buyers: erased for one who asks, and for all whose time is over; what proves money stays."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.manual import LANGUAGES, page_of

from maedal.merchants.merchant import DEMO_CODE
from maedal.storage.payment_lists.search_text import written
from maedal.storage.personal_data import columns
from tests.e2e.test_reconcile_commands import charges, maedal
from tests.storage.test_subjects import SUBJECTS, owned
from tests.support.commands import Command
from tests.support.receiver import receiver
from tests.support.rows import fetch
from tests.support.servers import execute
from tests.support.world import World, world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("quiet_gateway")]

MARK = "곰비임비"
BROWSER = "Gombi/1.0"
BUYER = {
    "buyer_name": f"{MARK} 1",
    "buyer_email": f"{MARK}@shop.example",
    "buyer_tel": f"010 {MARK}",
    "buyer_addr": f"{MARK}로 3",
    "buyer_postcode": f"{MARK[:2]}{MARK}",
    "custom_data": f'{{"for":"{MARK}"}}',
}
WHY = ("--reason", "asked by e-mail")
TABLES = sorted(table for subject in SUBJECTS for table in owned(subject)[0])
PROOFS = "merchant_uid, status, version, amount, cancelled_amount, customer_uid, pg_tid, card_approval_number, paid_at"
WAIT_SECONDS_MAX = 60


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A gateway that knows of one buyer by every way there is."""
    with receiver() as shop:
        address = shop.answer("/hook", 200, f"thank you, {MARK}".encode())
        with world(database_url, tmp_path, webhook_url=address) as everything:
            tell_of(everything, "c_1")
            shop.wait_for("/hook", 3)
            wait_for_texts(everything)
            yield everything


def tell_of(running: World, customer_uid: str) -> None:
    page = {"origin": "http://shop.test", "url": f"http://shop.test/pay?for={MARK}"}
    more = {"customer_uid": customer_uid, "m_redirect_url": f"http://shop.test/back?for={MARK}", "customer_id": "u_1"}
    headers = {"User-Agent": BROWSER}
    opened = running.http.post(
        f"{running.gateway}/sdk/payments",
        json={
            "user_code": DEMO_CODE,
            "nonce": "0123456789abcdef",
            "device": "pc",
            "presentation": "frame",
            "page": page,
            "params": {"pg": "kakaopay", "merchant_uid": f"issue_{customer_uid}", "amount": 1_000, "name": "A"}
            | BUYER
            | more
            | {"app_scheme": MARK},
        },
        headers=headers,
    ).json()
    assert running.finish(opened)["result"]["success"]
    paid = running.again(
        customer_uid,
        "m_1",
        2_000,
        name="A",
        **BUYER,
    )
    assert paid["response"]["buyer_name"] == BUYER["buyer_name"], paid
    body = {"customer_uid": customer_uid, "merchant_uid": "m_2", "amount": 3_000, "name": "A"} | BUYER
    execute(running.settings.database_url, "UPDATE billing_keys SET last_approval_seen_at = NULL")
    answer = running.call("POST", "/subscribe/payments/again", json=body, headers={"Idempotency-Key": "once"})
    assert answer.json()["response"]["status"] == "paid"
    later = {"merchant_uid": "m_3", "schedule_at": int(time.time()) + 86_400, "amount": 4_000, "name": "A"}
    plan = {"customer_uid": customer_uid, "schedules": [later | BUYER]}
    assert running.call("POST", "/subscribe/payments/schedule", json=plan).json()["code"] == 0
    starts_on = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86_400))
    monthly = {"customer_uid": customer_uid, "plan_uid": "plan_1", "amount": 5_000, "starts_on": starts_on}
    assert running.call("POST", "/maedal/v1/plans", json=monthly | BUYER).json()["code"] == 0


def wait_for_texts(running: World) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while len(fetch(running.settings.database_url, "SELECT text FROM payment_texts")) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def over(url: str) -> None:
    """Let the time of every window be over."""
    execute(
        url,
        "UPDATE windows SET opened_at = '2026-01-01T00:00:00.000000+00:00', expires_at = '2026-01-02T00:00:00.000000+00:00'",
    )


def traces(url: str) -> dict[str, set[str]]:
    """Return by table the columns in which the buyer is found, as it is and as it is searched for."""
    found: dict[str, set[str]] = {}
    for table in TABLES:
        for row in fetch(url, f"SELECT * FROM {table}"):
            hit = {
                name
                for name, value in row.items()
                if any(word in str(value) for word in (MARK, BROWSER, written(MARK)))
            }
            if hit:
                found.setdefault(table, set()).update(hit)
    return found


def proofs(url: str) -> list[dict[str, Any]]:
    return fetch(url, f"SELECT {PROOFS} FROM payments ORDER BY imp_uid")


def test_nothing_of_a_buyer_is_left_anywhere_and_everything_of_the_money_is(running: World) -> None:
    url = running.settings.database_url
    known = traces(url)
    assert known["payments"] >= {"buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "custom_data", "user_agent"}
    assert set(known) >= {"payments", "payment_texts", "webhook_tries", "windows", "schedules", "billing_keys", "plans"}
    before, made = proofs(url), charges(running)
    at = ("merchant", "erase-buyer", "--merchant", DEMO_CODE, "--customer-uid", "c_1", *WHY)
    assert "would be erased: 3 payments, 2 schedules, 1 billing keys, 1 plans" in maedal(running, *at, "--dry-run")
    assert traces(url) == known
    assert "nothing was erased" in maedal(running, *at, status=1, stdin="n\n")
    over(url)
    assert "erased: 3 payments, 2 schedules, 1 billing keys, 1 plans" in maedal(running, *at, stdin="y\n")
    assert traces(url) == {}
    assert [row["sealed_answer"] for row in fetch(url, "SELECT sealed_answer FROM idempotent_requests")] == [None]
    assert proofs(url) == before
    assert "erase_buyers" in maedal(running, "audit", "list", "--merchant", DEMO_CODE)
    assert "erased: 0 payments" in maedal(running, *at, "--yes")

    # Asked once more under its key, the charge that was made is not made again.
    body = {"customer_uid": "c_1", "merchant_uid": "m_2", "amount": 3_000, "name": "A"} | BUYER
    running.call("POST", "/subscribe/payments/again", json=body, headers={"Idempotency-Key": "once"})
    assert charges(running) == made
    # The key still pays.
    assert running.again("c_1", "m_9")["response"]["status"] == "paid"


def test_one_order_alone_is_erased_and_what_is_under_way_is_left(running: World) -> None:
    url = running.settings.database_url
    at = ("merchant", "erase-buyer", "--merchant", DEMO_CODE, "--yes", *WHY)
    opened = running.open_window("m_open", 1_000, customer_uid="c_1", **BUYER)
    assert "1 payments are still under way" in maedal(running, *at, "--merchant-uid", "m_open")
    assert running.payment(opened["imp_uid"])["buyer_name"] == BUYER["buyer_name"]
    assert "erased: 1 payments, 0 schedules, 0" in maedal(
        running, *at, "--merchant-uid", "m_1", "--customer-uid", "c_1"
    )
    names = {
        row["merchant_uid"]: row["buyer_name"] for row in fetch(url, "SELECT merchant_uid, buyer_name FROM payments")
    }
    assert [uid for uid, name in names.items() if name is None] == ["m_1"]
    assert "erased: 0 payments, 1 schedules" in maedal(running, *at, "--merchant-uid", "m_3")


def test_what_is_kept_long_enough_goes_by_itself_and_nothing_else(running: World) -> None:
    url = running.settings.database_url
    days = Command.of(running, retention_paid_days=1825, retention_ended_key_days=30)
    over(url)
    assert "nothing is kept longer" in days("retention", "--dry-run")
    old = "'2020-01-01T00:00:00.000000+00:00'"
    execute(url, f"UPDATE payments SET status_at = {old} WHERE merchant_uid <> 'm_2'")
    maedal(running, "keys", "pending")
    execute(url, f"UPDATE billing_keys SET ended_at = {old}, ended_by = 'deleted'")
    shown = days("retention", "--dry-run")
    assert f"{DEMO_CODE} paid: would be erased: 2 payments, 0 schedules, 0 billing keys" in shown
    assert f"{DEMO_CODE} ended_key: would be erased: 0 payments, 0 schedules, 1 billing keys" in shown
    assert days("retention") == shown.replace("would be erased", "erased")
    left = fetch(url, "SELECT merchant_uid FROM payments WHERE buyer_name IS NOT NULL")
    assert [row["merchant_uid"] for row in left] == ["m_2"]
    assert "billing_keys" not in traces(url)
    assert "nothing is kept longer" in days("retention")


def test_what_cannot_be_is_said(running: World) -> None:
    command = Command.of(running)
    at = ("merchant", "erase-buyer", "--merchant", DEMO_CODE, *WHY)
    assert "say whose data" in command.refuses(*at)
    assert "no merchant has" in command.refuses(*at[:3], "imp99999999", "--customer-uid", "c_1", *WHY)
    assert "no MAEDAL_RETENTION_" in command.refuses("retention")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_that_is_erased_is_in_the_manuals_table_and_every_other_that_tells_of_buyers_too(
    language: str, all_databases: Any
) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page_of("personal-data", language).read_text(), re.MULTILINE)
    named: dict[str, set[str]] = {}
    for table, cells in rows:
        named.setdefault(table, set()).update(re.findall(r"`(\w+)`", cells))
    assert named["payments"] >= set(columns.PAYMENT)
    assert named["schedules"] >= set(columns.SCHEDULE)
    assert named["plans"] >= set(columns.PLAN)
    assert named["billing_keys"] >= set(columns.BILLING_KEY)
    assert named["windows"] >= set(columns.WINDOW)
    assert named["webhook_tries"] >= set(columns.WEBHOOK_TRY)
    assert named["idempotent_requests"] >= set(columns.IDEMPOTENT_REQUEST)
    telling = re.compile(
        r"buyer_|^customer_(?!uid)|custom_data|user_agent|_uid$|address|ip$|^who$|reason|user_name|query"
    )
    url = all_databases.url("sqlite")
    for table in (table for table in TABLES if not table.startswith("import_")):
        there = {row["name"] for row in fetch(url, f"SELECT name FROM pragma_table_info('{table}')")}
        ids = {"imp_uid", "address_id"}
        assert named.get(table, set()) <= there, table
        assert {name for name in there if telling.search(name)} - ids <= named.get(table, set()), table
