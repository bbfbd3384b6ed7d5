"""What anybody may ask for is limited, for all nodes together; who is known is not, and nobody pays who asks seldom."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from maedal.flows.approve import approve
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.deactivate_key import deactivate_key
from maedal.flows.limit_requests import REPORTS_A_MINUTE, admit, admit_window, refuse_if_over, sweep_request_counts
from maedal.flows.open_window import PgRefusedWindow, WindowRequest, open_window
from maedal.flows.request_limits import INSIDE_TIMES, KNOWN_FOR, LATECOMERS_TIMES, SUBJECTS_MAX, RequestLimits
from maedal.merchants.errors import TooManyRequests
from maedal.merchants.request_limit import PER_MINUTE, Limited
from maedal.payments.errors import PgCrowded
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device, Shown
from maedal.pg.driver import AnswerLost, CallKind
from maedal.storage.errors import StoreError
from maedal.storage.payments.reads import PaymentFilter, Sorting
from tests.flows.test_windows import an_open_window, the_order_is
from tests.support.builders import MERCHANT, an_order

SHOP = "http://shop.test"
HERE, THERE = "203.0.113.7", "198.51.100.9"


class Writes:
    """The store, and how often it was written to; `away` refuses every write."""

    def __init__(self, store):
        self._store, self.count, self.away = store, 0, False

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, write):
        self.count += 1
        if self.away:
            raise StoreError("away")
        return await self._store.write(write)


def nodes(flows, count, proxies="", **per_minute):
    """Return so many processes on one database."""
    limits = PER_MINUTE | {Limited(kind): limit for kind, limit in per_minute.items()}
    return [
        replace(flows.services, store=Writes(flows.store), request_limits=RequestLimits(limits, proxies))
        for _ in range(count)
    ]


async def how_many(services, kind=Limited.WINDOW, address=HERE, most=1_000):
    """Return how many requests in a row are let through."""
    for number in range(most):
        try:
            await admit(services, kind, address)
        except TooManyRequests:
            return number
    return most


async def test_an_address_has_its_limit_in_a_minute_and_hears_how_long_to_wait(flows):
    [node] = nodes(flows, 1, window=16)
    assert await how_many(node) == 16
    assert await how_many(node, address=THERE) == 16
    assert await how_many(node, Limited.TOKEN) == PER_MINUTE[Limited.TOKEN]
    with pytest.raises(TooManyRequests) as refused:
        await admit(node, Limited.WINDOW, HERE)
    flows.clock.add(refused.value.wait_seconds)
    assert await how_many(node) == 16


async def test_the_limit_is_one_for_all_nodes_up_to_an_eighth_for_each(flows):
    three = nodes(flows, 3, window=80)
    passed = [0, 0, 0]
    for turn in range(300):
        passed[turn % 3] += await how_many(three[turn % 3], most=1)
    assert 80 <= sum(passed) <= 80 + 3 * 80 // REPORTS_A_MINUTE
    # Of one that begins now, all count at once.
    assert await how_many(nodes(flows, 1, window=80)[0]) <= 80 // REPORTS_A_MINUTE


async def test_who_asks_seldom_costs_the_database_nothing_and_who_asks_often_little(flows):
    [node] = nodes(flows, 1, window=80)
    await asyncio.gather(*(admit(node, Limited.WINDOW, f"203.0.113.{n}") for n in range(200)))
    assert node.store.count == 0
    await how_many(node)
    assert node.store.count == REPORTS_A_MINUTE


async def test_while_the_database_is_away_counting_goes_on_in_memory(flows):
    [node] = nodes(flows, 1, window=16)
    node.store.away = True
    assert await how_many(node) == 16
    node.store.away = False


async def test_a_network_of_ipv6_is_one_and_a_proxy_is_nobody(flows):
    [node] = nodes(flows, 1, "127.0.0.1,10.0.0.0/8", window=8)
    for number in range(8):
        await admit(node, Limited.WINDOW, f"2001:db8:0:1::{number}")
    with pytest.raises(TooManyRequests):
        await admit(node, Limited.WINDOW, "2001:db8:0:1:ffff::1")
    assert await how_many(node, address="10.1.2.3") == 1_000
    # A proxy that nobody has named still speaks for many; it has more than a buyer, and an end.
    assert await how_many(node, address="192.168.0.7") == 8 * INSIDE_TIMES
    assert await how_many(node, address=None) == 1_000


async def test_more_addresses_than_are_counted_share_what_is_left(flows):
    [node] = nodes(flows, 1, window=2)
    limits, minute = node.request_limits, flows.clock.now().replace(second=0, microsecond=0)
    for number in range(SUBJECTS_MAX):
        limits.count_of(Limited.WINDOW, str(number), minute)
    late = sum([await how_many(node, address=f"203.0.{n // 250}.{n % 250}", most=1) for n in range(300)])
    assert late == 2 * LATECOMERS_TIMES


async def test_counts_are_forgotten_after_minutes(flows):
    [node] = nodes(flows, 1, window=8)
    await how_many(node)
    assert await sweep_request_counts(node) == 0
    flows.clock.add(600)
    assert await sweep_request_counts(node) == 1


async def test_a_buyer_who_has_paid_here_is_not_kept_out_by_those_who_open_windows_of_the_merchant(flows):
    [node] = nodes(flows, 1, merchant_window=8)
    node.request_limits.remember(THERE, flows.clock.now())
    for number in range(8):
        await admit_window(node, MERCHANT, f"203.0.113.{number}")
    with pytest.raises(TooManyRequests):
        await admit_window(node, MERCHANT, HERE)
    await admit_window(node, MERCHANT, THERE)
    await admit_window(node, "imp99999999", HERE)
    flows.clock.add(KNOWN_FOR.total_seconds() + 1)
    assert not node.request_limits.knows(THERE, flows.clock.now())


async def test_a_known_server_is_not_refused_for_what_others_at_its_address_did(flows):
    [node] = nodes(flows, 1, refused_call=8)
    await how_many(node, Limited.REFUSED_CALL)
    with pytest.raises(TooManyRequests):
        refuse_if_over(node, Limited.REFUSED_CALL, HERE)
    node.request_limits.remember(HERE, flows.clock.now())
    refuse_if_over(node, Limited.REFUSED_CALL, HERE)


async def test_a_charge_that_would_find_no_connection_is_not_begun(flows):
    await flows.issue_key()
    flows.clock.add(60)
    crowded = replace(
        flows.services, pg_is_crowded=lambda kind, merchant_id: (kind, merchant_id) == ("charge", MERCHANT)
    )
    with pytest.raises(PgCrowded):
        await charge(crowded, MERCHANT, an_order("m_1", 1_000, customer_uid="c_1"))
    wanted = PaymentFilter(tuple(Status), Sorting.STARTED_NEWEST, 1, 10, merchant_uid="m_1")
    assert (await flows.store.payments.page(MERCHANT, wanted)).total == 0
    paid = await charge(flows.services, MERCHANT, an_order("m_1", 1_000, customer_uid="c_1"))
    assert paid.status is Status.PAID


def lost(_):
    raise AnswerLost("dropped")


class Kinds:
    """The network, and of what kind and for whom each call was."""

    def __init__(self, network):
        self._network, self.seen = network, {}

    async def send(self, request):
        self.seen.setdefault(request.url.partition("/payment/")[2], set()).add((request.kind, request.merchant_id))
        return await self._network.send(request)


async def test_each_call_is_made_as_what_it_is_and_for_its_merchant(flows):
    """Connections are shared by kind and merchant, so a call that did not say would take them from others."""
    network = Kinds(flows.network)
    services = replace(flows.services, transport=network)
    key = await flows.issue_key()
    flows.clock.add(60)
    paid = await charge(services, MERCHANT, an_order("m_1", 1_000, customer_uid="c_1"))
    await cancel(services, MERCHANT, CancelRequest(paid.imp_uid, None))
    flows.clock.add(60)
    await charge(services, MERCHANT, an_order("m_3", 1_000, customer_uid="c_1", key_use=KeyUse.SCHEDULED))
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    await charge(services, MERCHANT, an_order("m_2", 1_000, customer_uid="c_1"))
    window = await an_open_window(flows)
    the_order_is(flows, window, "SUCCESS_PAYMENT")
    await approve(services, window, await flows.store.windows.find(MERCHANT, window.imp_uid), "token")
    flows.clock.add(60)
    await deactivate_key(services, MERCHANT, key.customer_uid)
    await services.background.drain(5)
    order = an_order(None, 0, customer_uid="c_2", key_use=KeyUse.ISSUE)
    ask = WindowRequest(MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, SHOP, f"{SHOP}/")
    with pytest.raises(PgRefusedWindow):
        flows.network.next_answer["ready"] = lost
        await open_window(services, ask)
    assert {path: kinds for path, kinds in network.seen.items() if path != "order"} == {
        "subscription": {(CallKind.CHARGE, MERCHANT), (CallKind.SCHEDULED, MERCHANT)},
        "cancel": {(CallKind.CANCEL, MERCHANT)},
        "manage/subscription/status": {(CallKind.LOOK_UP, MERCHANT)},
        "approve": {(CallKind.APPROVE, MERCHANT)},
        "ready": {(CallKind.PREPARE, MERCHANT)},
        "manage/subscription/inactive": {(CallKind.CANCEL, MERCHANT)},
    }
