"""What the shop shows: pages with tight headers, a phone's outcome without script, and a log without secrets."""

import json
import re
from dataclasses import replace

import pytest

from maedal.demo.journal import masked
from maedal.demo.pages import HERE, SOURCES, TEXTS
from maedal.demo.shop import DemoSettings
from maedal.demo.snippet import PUBLIC_API_KEY, snippet_of
from tests.demo.conftest import SHOP_URL, Buyer
from tests.demo.double import PaymentServer


async def test_the_page_loads_the_script_of_the_gateway_and_of_nobody_else(buyer: Buyer, server: PaymentServer):
    page = await buyer.client.get("/")
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert f'src="{server.url}/v1/iamport.js"' in page.text
    assert rules["script-src"] == rules["connect-src"] == f"'self' {server.url}"
    assert rules["frame-src"] == f"{server.url} http://127.0.0.1:8081"
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert "on" + "click=" not in page.text


async def test_the_page_speaks_korean_first_and_remembers_english(buyer: Buyer):
    assert 'lang="ko"' in (await buyer.client.get("/")).text
    assert 'lang="en"' in (await buyer.client.get("/?lang=en")).text
    assert 'lang="en"' in (await buyer.client.get("/")).text
    assert 'lang="ko"' in (await buyer.client.get("/?lang=ko")).text
    assert (await buyer.client.get("/?lang=%3Cscript%3E")).status_code == 200


def test_both_languages_say_everything():
    assert TEXTS["ko"].keys() == TEXTS["en"].keys()
    used = set()
    for name in ("home.html", "outcome.html", "source.html", "base.html", "panel.js", "pay.js"):
        used |= set(re.findall(r"\bt(?:exts)?\.([a-z_]+)\b", (HERE / name).read_text(encoding="utf-8")))
    assert used - {"get"} <= TEXTS["ko"].keys()


async def test_a_phone_that_comes_back_sees_the_outcome(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    query = {"imp_uid": server.pays(order), "merchant_uid": order["merchant_uid"], "imp_success": "true"}
    pages = [await buyer.client.get("/payments/complete", params=query) for _ in range(2)]
    assert all('data-status="paid"' in page.text for page in pages)
    assert len((await buyer.sees())["subscriptions"]) == 1


async def test_a_phone_cannot_claim_success(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    imp_uid = server.pays(order, status="failed", fail_reason="<b>거절</b>")
    query = {"imp_uid": imp_uid, "merchant_uid": order["merchant_uid"], "imp_success": "true"}
    page = await buyer.client.get("/payments/complete", params=query)
    assert 'data-status="failed"' in page.text
    assert "&lt;b&gt;거절" in page.text


@pytest.mark.parametrize("query", ["", "?merchant_uid=nobody", "?merchant_uid=%27%22&imp_uid=x", "?imp_uid=imp_1"])
async def test_a_phone_with_a_broken_address_gets_a_sentence(buyer: Buyer, query: str):
    page = await buyer.client.get("/payments/complete" + query)
    assert page.status_code == 200
    assert 'data-status="error"' in page.text


async def test_the_log_shows_every_call_and_no_secret(buyer: Buyer, server: PaymentServer):
    await buyer.is_charged(await buyer.registers(server))
    state = await buyer.sees()
    titles = [entry["title"] for entry in state["journal"]]
    assert titles == ["again", "customer", "payment", "token"]
    text = json.dumps(state)
    assert "secret-of-the-shop" not in text
    assert server.good_token not in text
    assert state["journal"][0]["sent"]["amount"] == 3000
    assert state["journal"][0]["got"]["code"] == 0


async def test_the_page_asks_for_news_only(buyer: Buyer):
    version = (await buyer.sees())["version"]
    assert (await buyer.client.get("/api/state", params={"since": version})).status_code == 204
    await buyer.client.post("/api/journal", json={"kind": "request_pay", "body": {"amount": 0}})
    assert (await buyer.client.get("/api/state", params={"since": version})).status_code == 200


def test_secrets_are_masked_wherever_they_stand():
    shown = masked({"a": [{"imp_secret": "abcdefgh"}], "Authorization": "Bearer 0123456789", "amount": 3})
    assert shown == {"a": [{"imp_secret": "abcd••••••••"}], "Authorization": "Bearer 0123••••••••", "amount": 3}


async def test_another_sites_page_cannot_act_for_the_buyer(buyer: Buyer):
    foreign = await buyer.client.post("/api/orders", json={"kind": "once"}, headers={"Origin": "https://evil.test"})
    own = await buyer.client.post("/api/orders", json={"kind": "once"}, headers={"Origin": str(buyer.client.base_url)})
    assert (foreign.status_code, own.status_code) == (403, 201)


async def test_the_shop_shows_its_own_code_and_nothing_else(buyer: Buyer):
    for name in SOURCES:
        reply = await buyer.client.get(f"/source/{name}")
        assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert (await buyer.client.get("/source")).status_code == 200
    for path in ("/source/texts.json", "/source/..%2F..%2Fpyproject.toml", "/assets/app.py", "/nothing"):
        assert (await buyer.client.get(path)).status_code == 404


async def test_the_snippet_has_the_shops_own_values_and_the_key_that_was_registered_last(
    buyer: Buyer, server: PaymentServer
):
    page = (await buyer.client.get("/snippet?lang=en")).text
    assert "Nobody has registered yet" in page
    assert (await buyer.client.get("/snippet/charge.sh")).status_code == 404
    await buyer.registers(server)
    newest = await buyer.registers(server)
    page = (await buyer.client.get("/snippet")).text
    assert newest in page
    assert "/v1/iamport.js" in page
    charge = (await buyer.client.get("/snippet/charge.sh")).text
    assert f'"customer_uid":"{newest}"' in charge
    assert charge.count("curl -s http") == 2


def test_the_snippet_shows_no_secret_but_the_published_one():
    hidden = DemoSettings("http://pay.test", "imp1", "1234", "a secret of a real shop", SHOP_URL)
    assert "a secret" not in snippet_of(hidden, []).curl
    assert "published" in snippet_of(replace(hidden, api_key=PUBLIC_API_KEY, api_secret="published"), []).curl
