"""What an API key may be used for, the log of its calls, and how many of them there may be."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from litestar import Litestar

from maedal.app import create_app, open_gateway
from maedal.flows import keep_requests
from maedal.flows.keep_requests import TRIMMED_EVERY, forget_requests, write_requests
from maedal.flows.manage_api_keys import create_api_key, end_api_key, set_scopes
from maedal.flows.request_log import OF_MERCHANT_MAX
from maedal.flows.set_up_merchant import create_merchant
from maedal.merchants.request_entry import RequestEntry
from maedal.merchants.scope import Scope
from maedal.payments.errors import InvalidParameter
from maedal.rest import router
from maedal.rest.auth import Tokens
from maedal.rest.scopes import NEEDED, PARTS, pattern_of
from maedal.settings import Settings
from maedal.storage.request_log.reads import CallOutcome, RequestFilter
from maedal.storage.request_log.writes import KeepRequests, TrimRequests
from maedal.vault import create_key_file
from tests.support.asgi import ask
from tests.support.builders import NOW
from tests.support.clock import HandClock

EVERY = {"payments.read", "payments.charge", "payments.cancel", "payments.prepare", "keys.read", "keys.end",
         "schedules.read", "schedules.write", "plans.read", "plans.write", "channels.read"}  # fmt: skip


class Shop:
    """A merchant's servers, each with a key of its own."""

    def __init__(self, app, clock, made):
        self.app, self.services, self.clock = app, app.state.services, clock
        self.code, self.first = made.merchant.code, made

    async def token(self, key):
        self.clock.add(0.01)
        body = json.dumps({"imp_key": key.api_key, "imp_secret": key.api_secret}).encode()
        status, answer = await ask(self.app, "POST", "/users/getToken", [("Content-Type", "application/json")], body)
        return json.loads(answer)["response"]["access_token"] if status == 200 else status

    async def key(self, *scopes):
        return await create_api_key(self.services, self.code, " ".join(scopes) or "all", scopes or None)

    async def call(self, token, method, path, body=None, **headers):
        self.clock.add(0.01)
        sent = [("Authorization", token), ("Content-Type", "application/json"), ("Accept-Language", "en")]
        sent += [(name.replace("_", "-"), value) for name, value in headers.items()]
        status, answer = await ask(self.app, method, path, sent, json.dumps(body or {}).encode())
        return status, json.loads(answer)

    async def log(self, **wanted):
        await write_requests(self.services)
        page = await self.services.store.request_log.page(self.code, RequestFilter(100, **wanted))
        return list(page.rows)


@pytest.fixture
async def opened(database_url, tmp_path):
    """Give a shop at a gateway without workers: `opened(a_setting=…)`."""
    create_key_file(tmp_path / "keys.json")
    async with AsyncExitStack() as closing:

        async def at(**settings):
            chosen = Settings(
                database_url=database_url,
                key_file=tmp_path / "keys.json",
                public_url="http://gateway.test",
                **settings,
            )
            clock = HandClock(NOW)
            app = create_app(chosen, with_worker=False, clock=clock)
            # Without its lifespan, which has to end in the task that it began in.
            gateway = await closing.enter_async_context(open_gateway(chosen, clock=clock, serving=False))
            app.state.update({"settings": chosen, "services": gateway.services, "tokens": Tokens(gateway.services)})
            return Shop(app, clock, await create_merchant(gateway.services, "shop")), clock

        yield at


def test_every_route_says_which_scope_it_needs_and_every_scope_is_needed_somewhere():
    app = Litestar([router.router], openapi_config=None)
    routes = {(method, route.path_format) for route in app.routes for method in route.methods if method != "OPTIONS"}
    sharing = {(method, f"{prefix}{between}/{last}") for (method, last), (prefix, between) in PARTS.items()}
    assert set(NEEDED) == routes | sharing
    assert {scope for scope in NEEDED.values() if scope} == set(Scope)
    assert set(Scope) == EVERY


@pytest.mark.parametrize(
    ("method", "path", "pattern"),
    [
        ("GET", "/subscribe/customers/c_1", "/subscribe/customers/{rest}"),
        ("GET", "/subscribe/customers/c_1/payments", "/subscribe/customers/{customer_uid}/payments"),
        ("GET", "/subscribe/customers//c_1//payments/", "/subscribe/customers/{customer_uid}/payments"),
        ("GET", "/subscribe/customers/c%2Fpayments", "/subscribe/customers/{rest}"),
        ("GET", "/subscribe/customers/payments", "/subscribe/customers/{rest}"),
        ("DELETE", "/subscribe/customers/c_1/payments", "/subscribe/customers/{rest}"),
        ("GET", "/subscribe/customers/%FF/payments", "/subscribe/customers/{rest}"),
    ],
)
def test_addresses_that_share_a_route_are_sharing(method, path, pattern):
    assert pattern_of(method, "/subscribe/customers/{rest}", path.encode()) == pattern


def test_a_retry_of_a_scheduled_charge_takes_money_and_needs_the_scope_for_that():
    route = "/subscribe/payments/schedule/{rest}"
    assert NEEDED["POST", pattern_of("POST", route, b"/subscribe/payments/schedule/m_1/retry")] is Scope.PAYMENTS_CHARGE
    moved = pattern_of("POST", route, b"/subscribe/payments/schedule/m_1/reschedule")
    assert NEEDED["POST", moved] is Scope.SCHEDULES_WRITE


async def test_a_key_does_what_it_is_for_and_a_refusal_names_the_missing_scope(opened):
    shop, _ = await opened()
    first = await shop.token(shop.first)
    assert (await shop.call(first, "GET", "/users/pg"))[0] == 200
    reader = await shop.token(await shop.key("payments.read"))
    assert (await shop.call(reader, "GET", "/payments/imp_1"))[0] == 404
    assert (await shop.call(reader, "GET", "/cards"))[0] == 200
    body = {"customer_uid": "c_1", "merchant_uid": "m_1", "amount": 100}
    status, answer = await shop.call(reader, "POST", "/subscribe/payments/again", body)
    assert (status, answer) == (
        403,
        {"code": -1, "message": "The API key lacks the scope of this call. (payments.charge)", "response": None},
    )
    # With an Idempotency-Key it is refused alike, and the key stays free.
    assert (await shop.call(reader, "POST", "/payments/cancel", {}, Idempotency_Key="a"))[0] == 403
    assert (await shop.call(first, "POST", "/payments/cancel", {}, Idempotency_Key="a"))[0] == 200
    assert (await shop.call(reader, "GET", "/subscribe/customers/c_1"))[0] == 403
    assert (await shop.call(reader, "GET", "/subscribe/customers/c_1/payments"))[0] == 200
    assert (await shop.call(reader, "DELETE", "/subscribe/customers/c_1"))[0] == 403


async def test_what_is_changed_about_a_key_holds_for_its_tokens_at_once(opened):
    shop, _ = await opened()
    key = await shop.key("payments.read")
    token = await shop.token(key)
    assert (await shop.call(token, "GET", "/users/pg"))[0] == 403
    await set_scopes(shop.services, shop.code, key.api_key, ["channels.read"])
    assert (await shop.call(token, "GET", "/users/pg"))[0] == 200
    assert (await shop.call(token, "GET", "/payments/imp_1"))[0] == 403
    await end_api_key(shop.services, shop.code, key.api_key)
    assert (await shop.call(token, "GET", "/users/pg"))[0] == 401
    assert await shop.token(key) == 401
    kept = next(one for one in await shop.services.store.merchants.api_keys(shop.code) if one.api_key == key.api_key)
    assert kept.ended_at is not None
    assert (kept.secret_digest, kept.token_digest) == (b"", None)
    for ended_again in (end_api_key, lambda *key: set_scopes(*key, None)):
        with pytest.raises(InvalidParameter):
            await ended_again(shop.services, shop.code, key.api_key)


async def test_a_merchant_keeps_one_key_and_has_twenty_at_most(opened):
    shop, _ = await opened()
    with pytest.raises(InvalidParameter, match="the last API key"):
        await end_api_key(shop.services, shop.code, shop.first.api_key)
    other = await shop.key()
    ends = (end_api_key(shop.services, shop.code, key.api_key) for key in (shop.first, other))
    ended = await asyncio.gather(*ends, return_exceptions=True)
    assert [type(one) for one in ended].count(InvalidParameter) == 1
    for _ in range(19):
        await shop.key("keys.read")
    with pytest.raises(InvalidParameter, match="20 API keys"):
        await shop.key("keys.read")
    for scopes in (["payments.all"], []):
        with pytest.raises(InvalidParameter):
            await create_api_key(shop.services, shop.code, "name", scopes)
    with pytest.raises(InvalidParameter):
        await create_api_key(shop.services, shop.code, " ", None)


async def test_calls_are_logged_by_key_with_what_refused_them_and_nothing_that_was_sent(opened):
    shop, _ = await opened()
    key = await shop.key("payments.read")
    token = await shop.token(key)
    await shop.call(token, "GET", "/payments/imp_secret1?_token=x&buyer=Kim")
    await shop.call(token, "POST", "/subscribe/payments/again", {"customer_uid": "kim@shop.example"})
    await shop.call(token, "GET", "/payments/status/paid?page=never")
    first = await shop.token(shop.first)
    await shop.call(first, "POST", "/subscribe/payments/again", {"customer_uid": "x" * 100})
    await shop.call("unknown", "GET", "/payments")
    entries = await shop.log()
    assert [(e.api_key, e.method, e.route, e.status, e.error) for e in reversed(entries)] == [
        (key.api_key, "POST", "/users/getToken", 200, None),
        (key.api_key, "GET", "/payments/{imp_uid}", 404, "PAYMENT_NOT_FOUND"),
        (key.api_key, "POST", "/subscribe/payments/again", 403, "SCOPE_MISSING"),
        (key.api_key, "GET", "/payments/status/{payment_status}", 400, "INVALID_PARAMETER page"),
        (shop.first.api_key, "POST", "/users/getToken", 200, None),
        (shop.first.api_key, "POST", "/subscribe/payments/again", 200, "INVALID_PARAMETER customer_uid"),
    ]
    assert not any(text in repr(entries) for text in ("kim", "secret1", "m_1"))
    assert all(timedelta(0) <= entry.duration < timedelta(minutes=1) for entry in entries)
    refused = await shop.log(api_key=key.api_key, outcome=CallOutcome.REFUSED)
    assert [entry.status for entry in refused] == [400, 403, 404]
    assert [entry.route for entry in await shop.log(route="{imp", method="GET")] == ["/payments/{imp_uid}"]
    assert len(await shop.log(outcome=CallOutcome.DONE)) == 2
    assert await shop.log(error="SCOPE_MISSING", since=NOW + timedelta(seconds=1)) == []


async def test_under_load_calls_are_dropped_from_the_log_which_says_how_many(opened, monkeypatch):
    monkeypatch.setattr(keep_requests, "WRITTEN_EVERY_SECONDS", 3_600.0)
    shop, _ = await opened()
    token = await shop.token(shop.first)
    for _ in range(OF_MERCHANT_MAX + 6):
        await shop.call(token, "GET", "/cards")
    entries = await shop.log()
    assert sum(entry.dropped for entry in entries) == 7
    page = await shop.services.store.request_log.page(shop.code, RequestFilter(1000))
    assert len(page.rows) == OF_MERCHANT_MAX + 1


async def test_the_log_is_bounded_by_days_and_by_number(opened):
    shop, clock = await opened(request_log_days=2)

    def entry(number):
        return RequestEntry(shop.code, f"e{number:05}", NOW + timedelta(seconds=number), "k", "GET", "/cards", 200)

    await shop.services.store.write(KeepRequests(tuple(map(entry, range(30)))))
    assert await shop.services.store.write(TrimRequests(shop.code, 20, TRIMMED_EVERY)) == 10
    assert [one.id for one in await shop.log()] == [f"e{n:05}" for n in range(29, 9, -1)]
    clock.add(2 * 86_400 + 15)
    assert await forget_requests(shop.services) == 5
    assert len(await shop.log()) == 15


async def test_with_no_days_nothing_is_logged(opened):
    shop, _ = await opened(request_log_days=0)
    await shop.token(shop.first)
    assert await shop.log() == []


async def test_calls_of_a_merchant_are_limited_and_begin_again_as_time_goes_by(opened):
    shop, clock = await opened(merchant_calls_per_minute=6)
    token = await shop.token(shop.first)
    assert [(await shop.call(token, "GET", "/cards"))[0] for _ in range(7)] == [200] * 6 + [429]
    status, answer = await shop.call(token, "POST", "/payments/cancel", {}, Idempotency_Key="a")
    assert (status, answer["code"], answer["response"]) == (429, -1, None)
    assert "try again in 10 seconds" in answer["message"]
    clock.add(10)
    # One with an Idempotency-Key counts once, too.
    assert (await shop.call(token, "POST", "/payments/cancel", {}, Idempotency_Key="a"))[0] == 200
    assert (await shop.call(token, "GET", "/cards"))[0] == 429
    clock.add(-3_600)
    assert (await shop.call(token, "GET", "/cards"))[0] == 429
    # Another merchant has calls of its own.
    other = Shop(shop.app, clock, await create_merchant(shop.services, "other"))
    assert (await other.call(await other.token(other.first), "GET", "/cards"))[0] == 200
