"""A window's tokens end with it: months later they give nobody's name, and lead nowhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from maedal.payments.window import TELLS_FOR
from tests.support.builders import NOW, an_issuing_window

BUYER = {"buyer_name": "홍길동", "buyer_email": "gildong@shop.test", "buyer_tel": "010-0000-0000", "custom_data": "{}"}
PHONE = {"device": "mobile", "presentation": "redirect"}
_orders = count(1)


def paid(running, call=None, **more):
    """Return a window in which the buyer has paid, and where KakaoPay sent the browser."""
    opened = running.open_window(f"ends_{next(_orders)}", 1_000, call=call or {}, **BUYER, **more)
    back = running.agree(opened)
    running.http.get(back)
    return opened, back


def years_pass(running, opened):
    """Let the window have ended long ago."""
    path = running.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for table, columns in (("windows", ("opened_at", "expires_at")), ("payments", ("started_at", "paid_at"))):
            long_ago = ", ".join(f"{column} = '2001' || substr({column}, 5)" for column in columns)
            connection.execute(f"UPDATE {table} SET {long_ago} WHERE imp_uid = ?", (opened["imp_uid"],))


def asked(running, opened, **how):
    return running.http.get(f"{running.gateway}/sdk/payments/{opened['imp_uid']}", **how)


def test_the_script_keeps_its_token_out_of_the_address(running):
    opened, _ = paid(running)
    answer = asked(running, opened, headers={"Authorization": f"Bearer {opened['token']}"})
    assert answer.json()["result"]["buyer_name"] == "홍길동"
    preflight = running.http.options(f"{running.gateway}/sdk/payments/{opened['imp_uid']}")
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "token=" not in running.http.get(f"{running.gateway}/v1/iamport.js").text
    for wrong in ("Bearer", f"Basic {opened['token']}", "Bearer x"):
        assert asked(running, opened, headers={"Authorization": wrong}).status_code == 404
    # Older copies of the script, in browsers' caches, still ask as they did.
    assert asked(running, opened, params={"token": opened["token"]}).json()["state"] == "done"


def test_long_after_its_end_a_windows_token_tells_nothing(running):
    opened, _ = paid(running)
    years_pass(running, opened)
    answer = asked(running, opened, headers={"Authorization": f"Bearer {opened['token']}"})
    assert answer.status_code == 404
    assert "홍길동" not in answer.text
    closed = running.http.post(
        f"{running.gateway}/sdk/payments/{opened['imp_uid']}/close", json={"token": opened["token"], "reason": "closed"}
    )
    assert closed.status_code == 404


@pytest.mark.parametrize("call", [{}, PHONE], ids=["desk", "phone"])
def test_long_after_its_end_a_windows_address_shows_nothing_and_leads_nowhere(running, call):
    opened, back = paid(running, call, m_redirect_url="http://shop.test/done")
    years_pass(running, opened)
    for address in (opened["next"]["url"], back, back.partition("/approve")[0] + "/cancel"):
        page = running.http.get(address)
        assert (page.status_code, "location" in page.headers) == (410, False)
        assert "유효 시간이 지난 결제창입니다" in page.text
        assert not any(word in page.text for word in ("홍길동", "Monthly plan", "1,000", "shop.test"))


def test_a_window_tells_until_its_own_end_or_that_of_its_payment_and_a_while_longer():
    payment, window, _ = an_issuing_window()
    years = NOW + timedelta(days=1_000)
    assert window.tells(payment, years), "what is not over tells nothing of anybody, and may still be approved"
    over = replace(payment, failed_at=NOW)
    assert window.tells(over, window.expires_at + TELLS_FOR - timedelta(seconds=1))
    assert not window.tells(over, window.expires_at + TELLS_FOR)
    late = replace(payment, paid_at=window.expires_at + timedelta(hours=1))
    assert window.tells(late, window.expires_at + timedelta(hours=1) + TELLS_FOR - timedelta(seconds=1))
    assert not window.tells(late, window.expires_at + timedelta(hours=1) + TELLS_FOR)
