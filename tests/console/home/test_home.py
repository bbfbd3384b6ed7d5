"""Home: how a merchant is doing, with links to what its numbers are made of, and the first steps of a new one."""

from __future__ import annotations

import html
import json
import re
import time

from maedal.operators.role import Role
from tests.console.people import text_of

HOME = "/console/merchants/imp00000000"


def tiles(page: str, heading: str) -> dict[str, str]:
    """Return the numbers below a heading, by their names."""
    section = re.search(rf'<section[^>]*aria-labelledby="{heading}">(.*?)</section>', page, re.DOTALL)[1]
    found = re.findall(r"<dt>(.*?)</dt><dd><a href=\"[^\"]*\">(.*?)</a>", section)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_a_new_merchant_is_led_through_the_first_steps_which_are_ticked_off(site):
    site.world.call("GET", "/users/pg")
    owner = site.person()
    page = owner.see(HOME)
    steps = re.findall(r'<li class="step( done)?">', page)
    assert steps == [" done", "", "", "", ""]
    assert 'IMP.init("imp00000000")' in html.unescape(page)
    assert f"{site.world.gateway}/v1/iamport.js" in page
    site.world.issue_key("first")
    assert re.findall(r'<li class="step( done)?">', owner.see(HOME)) == [" done", " done", " done", "", ""]


def test_home_tells_what_today_and_the_month_came_to(site):
    world, owner = site.world, site.person()
    world.issue_key("home")
    before = tiles(owner.see(HOME), "today")
    imp_uid = world.again("home", "home_1", amount=5_000)["response"]["imp_uid"]
    world.fault("subscription", "decline", method_result_code="LACK_BALANCE")
    world.again("home", "home_2", amount=7_000)
    world.call("POST", "/payments/cancel", json={"imp_uid": imp_uid, "amount": 2_000, "reason": "asked for"})
    page = owner.see(HOME)
    assert before["결제"] == "0원"
    today = tiles(page, "today")
    assert {name: today[name] for name in ("결제", "취소", "순매출", "실패")} == {
        "결제": "5,000원", "취소": "2,000원", "순매출": "3,000원", "실패": "1건"}  # fmt: skip
    assert tiles(page, "failures")["실패율"] == "50.0%"
    assert "잔액 부족 1건" in text_of(page)
    # The plots carry the same numbers as their tables.
    plots = json.loads(html.unescape(re.search(r'data-plots="([^"]*)"', page)[1]))
    assert [series["values"][-1] for series in plots["money"]["series"]] == [5_000, 2_000]
    assert len(plots["money"]["days"]) == 30
    assert plots["money"]["days"][-1] in text_of(page)
    # Live money is told apart, and there is none.
    assert tiles(owner.see(f"{HOME}?mode=live"), "today")["결제"] == "0원"
    assert 'aria-current="true">실연동' in owner.see(f"{HOME}?mode=live")
    assert 'aria-current="true">테스트' in page
    # Every number leads to a page, and the lists say the same.
    links = [html.unescape(found) for found in re.findall(r'<dd[^>]*><a href="([^"]+)"', page)]
    assert len(links) > 15
    assert {owner.open(link).status_code for link in set(links)} == {200}
    paid = next(link for link in links if "basis=paid" in link and "span=1m" in link)
    assert "home_1" in owner.see(paid)
    assert "home_2" not in owner.see(paid)
    assert "home_2" in owner.see(next(link for link in links if "status=failed" in link and "span=1m" in link))


def test_the_home_of_several_merchants_tells_how_each_is_doing(site):
    owner = site.person()
    owner.send("/console/merchants/new", name="두 번째 상점 <b>")
    page = owner.see("/console")
    assert "데모" not in page
    assert "두 번째 상점 &lt;b&gt;" in page
    codes = re.findall(r'href="/console/merchants/(imp[0-9]+)"', page)
    assert "imp00000000" in codes
    assert len(set(codes)) == 2
    new = next(code for code in codes if code != "imp00000000")
    assert "아직 채널이 없습니다" in page
    steps = re.findall(r'<li class="step( done)?">', owner.see(f"/console/merchants/{new}"))
    assert steps == [""] * 5
    assert owner.open("/console/merchants/imp99999999").status_code == 404
    # Who only reads sees the same figures, and no button to set anything up.
    assert "channels/new" not in site.person(Role.READ_ONLY).see(f"/console/merchants/{new}")


def test_home_begins_with_what_waits_for_a_person_and_with_nothing_where_there_is_nothing(site):
    world, owner = site.world, site.person()
    assert "최근 7일 실패한 예약" not in text_of(owner.see(HOME))
    world.issue_key("work")
    planned = {"merchant_uid": "work_1", "schedule_at": int(time.time()) + 2, "amount": 5_000, "name": "work"}
    world.fault("subscription", "decline", method_result_code="LACK_BALANCE")
    world.call("POST", "/subscribe/payments/schedule", json={"customer_uid": "work", "schedules": [planned]})
    deadline = time.monotonic() + 60
    while "최근 7일 실패한 예약 1건" not in (shown := text_of(owner.see(HOME))) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "할 일" in shown
    link = html.unescape(re.search(r'<li><a href="([^"]*schedules[^"]*)"', owner.see(HOME))[1])
    assert "work_1" in owner.see(link)
    # It is nobody's work in the other mode.
    owner.send("/console/mode", page=HOME, mode="live", back=HOME)
    assert 'data-testid="worklist"' not in owner.see(HOME)
