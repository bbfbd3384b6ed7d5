"""Which pages may open a window, where the buyer may be sent in the end, and whose word counts for it: the browser's."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import pytest

from maedal import web_address
from maedal.app import open_gateway
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.merchants.errors import ChannelMisconfigured
from tests.support.world import World

SHOP, EVIL = "https://shop.test", "https://evil.test"
CLAIM = {"origin": SHOP, "url": f"{SHOP}/pay"}
PHONE = {"device": "mobile", "presentation": "redirect"}
_orders = count(1)


@dataclass
class Merchant:
    """A merchant with one channel, and a page that asks for windows of it."""

    world: World
    code: str

    def open(self, headers, page=CLAIM, call=None, **params):
        call = {"user_code": self.code, "page": page} | (call or {})
        return self.world.open_window(f"page_{next(_orders)}", 1_000, call=call, headers=headers, **params)

    def leave(self):
        """Let the buyer stop at the PG; gives what the browser is answered that comes back."""
        tid = self.world.log(operation="ready")[-1]["tid"]
        back = self.world.http.post(f"{self.world.sandbox}/_sim/orders/{tid}/quit").json()["cancel_url"]
        return self.world.http.get(back)


@pytest.fixture(scope="module")
def merchant(running):
    """Make a merchant with a channel of these settings."""

    def make(**settings):
        async def work():
            async with open_gateway(running.settings, serving=False) as gateway:
                made = await create_merchant(gateway.services, "A shop")
                await add_channel(
                    gateway.services, made.merchant.code, ChannelSettings(cid="TC0ONETIME", test_mode=True, **settings)
                )
                return Merchant(running, made.merchant.code)

        return asyncio.run(work())

    return make


@pytest.fixture(scope="module")
def listed(merchant):
    return merchant(allowed_origins=(SHOP,), app_schemes=("myapp",))


@pytest.fixture(scope="module")
def free(merchant):
    return merchant()


@pytest.mark.parametrize(
    ("headers", "opens"),
    [
        ({"Origin": SHOP}, True),
        ({"Origin": EVIL}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "file://"}, False),
        ({"Origin": f"{SHOP}.evil.test"}, False),
        ({}, False),
        ({"Referer": f"{SHOP}/cart"}, True),
        ({"Referer": f"{EVIL}/{SHOP}"}, False),
        ({"Origin": EVIL, "Referer": f"{SHOP}/cart"}, False),
        ({"Origin": "null", "Referer": f"{SHOP}/cart"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        # A form in a window of its own needs nobody's leave to be sent.
        ({"Origin": EVIL, "Content-Type": "text/plain"}, False),
        ({"Referer": f"{SHOP}/cart", "Content-Type": "text/plain"}, True),
    ],
)
def test_the_list_of_origins_is_held_against_what_the_browser_says_and_not_the_page(listed, headers, opens):
    opened = listed.open(headers)
    assert ("next" in opened) is opens, opened
    assert opens or opened["error_code"] == "ORIGIN_NOT_ALLOWED"


def test_pages_of_apps_have_no_origin_and_may_be_listed_too(merchant):
    app = merchant(allowed_origins=("null", "http://detectchangingwebview"))
    nowhere = {"origin": "null", "url": "about:blank"}
    assert app.open({"Origin": "null"}, nowhere, PHONE, m_redirect_url="http://detectchangingwebview/iamport/rn")[
        "next"
    ]
    assert app.leave().headers["location"].startswith("http://detectchangingwebview/iamport/rn?")
    for headers in ({}, {"Origin": SHOP}):
        assert app.open(headers, nowhere)["error_code"] == "ORIGIN_NOT_ALLOWED"


@pytest.mark.parametrize("headers", [{}, {"Origin": EVIL}, {"Origin": "null"}, {"Referer": f"{SHOP}/"}])
def test_without_a_list_every_page_may_open_a_window(free, headers):
    assert free.open(headers)["next"]["kind"] == "frame"


def test_the_result_is_told_to_the_origin_that_the_browser_named(free):
    free.open({"Origin": SHOP}, {"origin": EVIL, "url": f"{EVIL}/pay"})
    page = free.leave().text
    assert f'data-origin="{SHOP}"' in page
    assert EVIL not in page


@pytest.mark.parametrize(
    ("referrer", "status"), [(f"{SHOP}/", 200), (f"{EVIL}/", 403), (None, 200), ("about:blank", 200)]
)
def test_another_page_that_leads_a_buyer_to_the_window_itself_is_refused(listed, referrer, status):
    window = listed.open({"Origin": SHOP})["next"]["url"]
    answer = listed.world.http.get(window, headers={} if referrer is None else {"Referer": referrer})
    assert answer.status_code == status
    assert ("이 사이트에서는 결제 창을 열 수 없습니다" in answer.text) is (status == 403)


# -- where the buyer is sent in the end

FOREIGN = [
    f"{EVIL}/done", "//evil.test/done", "https:\\\\evil.test", f"{SHOP}.evil.test/", "https://shop.test@evil.test/",
    "https://evilshop.test/", "https://8.8.8.8/", "http://134744072/", "http://[2001:db8::1]/",
]  # fmt: skip
NEVER = [
    "intent://pay#Intent;scheme=evil;end", "view-source:https://shop.test/", "jar:https://shop.test/a!/b",
    "android-app://com.evil/https/shop.test", "content://sms/inbox", "filesystem:https://shop.test/temporary/x",
    "ms-msdt:/id", "search-ms:query=x", "itms-services://?action=download-manifest", "tel:112", "sms:112", "mailto:a@b.test",
    "ws://shop.test/", "ftp://shop.test/", "chrome://settings", "chrome-extension://a/b", "feed:https://shop.test/",
    "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://shop.test/1", "about:blank",
]  # fmt: skip


def refused(opened, field):
    return (opened["error_code"], opened["imp_uid"], field in opened["error_msg"]) == ("INVALID_PARAMETER", None, True)


@pytest.mark.parametrize("address", FOREIGN + NEVER)
@pytest.mark.parametrize("of", ["free", "listed"])
def test_nobody_is_sent_to_another_site_or_out_of_the_browser(request, of, address):
    shop = request.getfixturevalue(of)
    assert refused(shop.open({"Origin": SHOP}, call=PHONE, m_redirect_url=address), "m_redirect_url")
    # What a page says of itself opens no way either: the browser named another one.
    claim = {"origin": EVIL, "url": f"{EVIL}/pay"}
    assert "next" not in shop.open({"Origin": SHOP}, claim, PHONE, m_redirect_url=address)


@pytest.mark.parametrize(
    ("address", "with_a_list"),
    [
        (f"{SHOP}/done", True),
        ("myapp://done", True),
        ("https://pay.shop.test/done", False),
        ("http://shop.test:8080/done", False),
        ("otherapp://done", False),
        ("http://detectchangingwebview/iamport/a", False),
        ("http://localhost:3000/done", False),
    ],
)
def test_the_shops_own_places_are_good_and_with_a_list_those_that_are_listed(free, listed, address, with_a_list):
    assert free.open({"Origin": SHOP}, call=PHONE, m_redirect_url=address)["next"]["kind"] == "redirect"
    assert free.leave().headers["location"].startswith(address)
    opened = listed.open({"Origin": SHOP}, call=PHONE, m_redirect_url=address)
    assert ("next" in opened) is with_a_list
    assert with_a_list or refused(opened, "m_redirect_url")


def test_an_app_that_kakaopay_returns_to_is_judged_too(free, listed):
    iphone = PHONE | {"ios": True}
    assert free.open({"Origin": SHOP}, call=iphone, app_scheme="anyapp")["next"]
    assert listed.open({"Origin": SHOP}, call=iphone, app_scheme="MyApp://")["next"]
    assert refused(listed.open({"Origin": SHOP}, call=iphone, app_scheme="otherapp"), "app_scheme")
    assert refused(free.open({"Origin": SHOP}, call=iphone, app_scheme="intent"), "app_scheme")


def test_the_link_back_leads_to_the_page_that_asked_and_not_to_one_that_it_names(free):
    free.open({"Origin": SHOP}, {"origin": SHOP, "url": f"{EVIL}/phish"}, PHONE)
    assert "evil" not in free.leave().text
    free.open({"Origin": SHOP}, CLAIM, PHONE)
    assert f'href="{SHOP}/pay"' in free.leave().text


@pytest.mark.parametrize(
    "scheme", ["javascript", "intent", "view-source", "https", "my app", "1app", "ms-settings", ""]
)
def test_a_dangerous_scheme_cannot_be_listed(merchant, scheme):
    assert web_address.app_scheme(scheme) is None
    with pytest.raises(ChannelMisconfigured):
        merchant(app_schemes=(scheme,))


# -- what the PG says


@pytest.mark.parametrize("address", ["javascript:alert(document.domain)", "data:text/html,x", "intent://x#Intent;end"])
def test_an_address_of_the_pgs_that_is_no_page_reaches_no_link(free, address):
    opened = free.open({"Origin": SHOP})
    path = free.world.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("UPDATE windows SET pc_url = ? WHERE imp_uid = ?", (address, opened["imp_uid"]))
    page = free.world.http.get(opened["next"]["url"])
    assert page.status_code == 200
    assert address.partition(":")[0] + ":" not in page.text


def test_script_and_server_have_one_table_of_schemes(running):
    script = running.http.get(f"{running.gateway}/v1/iamport.js").text
    assert f"const NEVER = {json.dumps(web_address.NEVER)};" in script
