"""From where the API may be called, how failing getToken calls are slowed down, and secrets that overlap."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from maedal.app import open_gateway
from maedal.flows.allowed_addresses import allow_address, end_address
from maedal.flows.manage_api_keys import end_old_api_secret, renew_api_secret
from maedal.merchants.addresses import AllowedAddress, allows, neighbourhood, read_network
from maedal.merchants.audit_entry import AuditAction
from maedal.merchants.failed_tokens import ALLOWANCE, FailedTokens, Slowed
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.payments.errors import InvalidParameter
from tests.console.people import asked
from tests.support.builders import NOW
from tests.support.clock import HandClock
from tests.support.databases import ENGINES
from tests.support.world import world

PROXY, SHOP, STRANGER, UNKNOWN = "192.0.2.1", "203.0.113.7", "198.51.100.9", "198.51.100.77"
NOT_FROM_HERE = {"code": -1, "message": f"허용되지 않은 IP에서 온 요청입니다. ({STRANGER}은(는) 가맹점이 허용한 주소가 아닙니다.)", "response": None}  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def behind(request, all_databases, tmp_path_factory):
    """A gateway with the test in front of it as its proxy, and a clock that the test moves."""
    clock = HandClock()
    folder = tmp_path_factory.mktemp("behind")
    options = {"clock": clock, "with_worker": False}
    url = all_databases.url(request.param)
    with world(url, folder, gateway_options=options, trusted_proxies="127.0.0.1,192.0.2.0/24") as running:
        yield running, clock


def changed(running, clock, work):
    """Do something with the merchant's settings, as another process does, and let it become known."""

    async def run():
        async with open_gateway(running.settings, serving=False, clock=clock) as gateway:
            return await work(gateway.services)

    with ThreadPoolExecutor(1) as aside:
        result = aside.submit(asyncio.run, run()).result()
    clock.add(2)
    return result


def get_token(running, address, secret=DEMO_API_SECRET, key=DEMO_API_KEY):
    return running.http.post(
        f"{running.gateway}/users/getToken",
        json={"imp_key": key, "imp_secret": secret},
        headers={"X-Forwarded-For": address},
    )


def use(running, address, token):
    headers = {"X-Forwarded-For": address, "Authorization": token}
    return running.http.get(f"{running.gateway}/users/pg", headers=headers)


def token_of(answer):
    assert answer.json()["code"] == 0, answer.text
    return answer.json()["response"]["access_token"]


def test_only_the_listed_addresses_may_call_and_an_empty_list_lets_everybody(behind):
    running, clock = behind
    token = token_of(get_token(running, STRANGER))
    clock.add(61)
    assert use(running, SHOP, token).status_code == 200
    with pytest.raises(InvalidParameter, match=f"was used from {SHOP} lately"):
        changed(running, clock, lambda services: allow_address(services, DEMO_CODE, "198.51.100.0/24", ""))
    changed(running, clock, lambda services: allow_address(services, DEMO_CODE, "203.0.113.0/24", "orders"))
    changed(running, clock, lambda services: allow_address(services, DEMO_CODE, "2001:db8::/48", ""))
    assert [use(running, a, token).status_code for a in (SHOP, "2001:db8:0:7::1", f"::ffff:{SHOP}")] == [200] * 3
    refused = use(running, STRANGER, token)
    assert (refused.status_code, refused.json()) == (401, NOT_FROM_HERE)
    assert get_token(running, STRANGER).json() == NOT_FROM_HERE
    # Whoever does not know the secret does not learn that there is a list.
    assert "API키와 secret을 확인" in get_token(running, STRANGER, "wrong").json()["message"]
    # The last address that no trusted proxy has is the caller's; what stands before it anybody may have written.
    assert use(running, f"{SHOP}, {STRANGER}, {PROXY}", token).status_code == 401
    assert use(running, f"{STRANGER}, {SHOP}, {PROXY}", token).status_code == 200
    clock.add(61)
    assert use(running, SHOP, token).status_code == 200
    with pytest.raises(InvalidParameter, match="would keep it out"):
        changed(running, clock, lambda services: end_address(services, DEMO_CODE, "203.0.113.0/24"))
    for network in ("203.0.113.0/24", "2001:db8::/48"):
        changed(running, clock, lambda services, n=network: end_address(services, DEMO_CODE, n, sure=True))
    assert use(running, STRANGER, token).status_code == 200
    acts = asked(running, lambda store: store.audit.entries(DEMO_CODE, 50))
    assert [(act.before, act.after) for act in acts if act.kind is AuditAction.CHANGE_ADDRESSES] == [
        ("2001:db8::/48", ""), ("203.0.113.0/24 (orders)", ""), ("", "2001:db8::/48"), ("", "203.0.113.0/24 (orders)"),
    ]  # fmt: skip


def test_who_is_no_trusted_proxy_cannot_say_who_is_calling(all_databases, tmp_path):
    with world(all_databases.url("sqlite"), tmp_path, trusted_proxies="192.0.2.1") as running:
        token_of(get_token(running, SHOP))
        # Kept beside the call, not before its answer.
        seen = asked(running, lambda store: store.merchants.api_key(DEMO_API_KEY))
        for _ in range(100):
            if seen.last_used_from:
                break
            seen = asked(running, lambda store: store.merchants.api_key(DEMO_API_KEY))
        assert seen.last_used_from == "127.0.0.1"


def test_wrong_secrets_are_slowed_down_and_a_known_server_is_not(behind):
    running, clock = behind
    token_of(get_token(running, SHOP))
    burst, regained = ALLOWANCE[Slowed.ADDRESS]
    answers = [get_token(running, SHOP, "wrong").status_code for _ in range(burst)]
    assert answers == [401] * burst
    strangers = [get_token(running, UNKNOWN, "wrong").status_code for _ in range(burst + 1)]
    assert strangers == [401] * burst + [429]
    slowed = get_token(running, UNKNOWN)
    assert (slowed.status_code, slowed.json()["code"], slowed.json()["response"]) == (429, -1, None)
    assert slowed.headers["retry-after"] == str(int(regained.total_seconds()))
    assert get_token(running, SHOP).status_code == 200
    clock.add(regained.total_seconds())
    assert get_token(running, UNKNOWN).status_code == 200
    assert get_token(running, "198.51.100.10", "wrong").status_code == 401


def test_an_old_secret_is_good_until_its_time_and_its_token_ends_with_it(behind):
    running, clock = behind
    before = token_of(get_token(running, SHOP))
    secret = changed(
        running,
        clock,
        lambda services: renew_api_secret(services, DEMO_CODE, DEMO_API_KEY, overlap=timedelta(minutes=10)),
    )
    after = token_of(get_token(running, SHOP, secret))
    old = get_token(running, SHOP).json()["response"]
    assert (old["access_token"], after == before) == (before, False)
    assert old["expired_at"] - old["now"] <= 600 - 2
    assert [use(running, SHOP, token).status_code for token in (before, after)] == [200, 200]
    clock.add(600)
    assert [use(running, SHOP, token).status_code for token in (before, after)] == [401, 200]
    assert get_token(running, SHOP).status_code == 401
    newest = changed(
        running, clock, lambda services: renew_api_secret(services, DEMO_CODE, DEMO_API_KEY, overlap=timedelta(days=7))
    )
    assert get_token(running, SHOP, secret).status_code == 200
    changed(running, clock, lambda services: end_old_api_secret(services, DEMO_CODE, DEMO_API_KEY))
    assert [get_token(running, SHOP, one).status_code for one in (secret, newest)] == [401, 200]
    assert use(running, SHOP, after).status_code == 401
    with pytest.raises(InvalidParameter, match="7 days at most"):
        changed(
            running, clock, lambda services: renew_api_secret(services, DEMO_CODE, DEMO_API_KEY, overlap=timedelta(8))
        )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" 203.0.113.7 ", "203.0.113.7/32"), ("203.0.113.7/24", "203.0.113.0/24"), ("2001:DB8::1", "2001:db8::1/128"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"), ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)  # fmt: skip
def test_networks_are_kept_in_one_form(text, kept):
    assert read_network(text) == kept


@pytest.mark.parametrize("text", ["", "shop.example", "203.0.113.0/33", "203.0.113", "0.0.0.0/0", "::/0"])
def test_what_is_no_network_or_everybody_is_refused(text):
    with pytest.raises(InvalidParameter):
        read_network(text)


def test_a_caller_without_an_address_is_no_listed_one():
    listed = [AllowedAddress("203.0.113.0/24", "", NOW, "minji")]
    assert [allows(listed, address) for address in (None, "", "unix:", "fe80::1%eth0", SHOP)] == [False] * 4 + [True]
    assert (neighbourhood("2001:db8:1:2:3::4"), neighbourhood(SHOP)) == ("2001:db8:1:2::/64", SHOP)


def test_what_is_remembered_of_failures_is_bounded():
    failed = FailedTokens()
    for number in range(25_000):
        failed.failed([(Slowed.ADDRESS, str(number))], NOW)
        failed.succeeded("key", str(number))
    assert len(failed._spent) <= 10_001
    assert len(failed._good) == 10_000
    assert failed.wait([(Slowed.ADDRESS, "24999")], NOW) == timedelta(0)
