"""The 2021 field set: strict old clients get the keys they know, everywhere, and each with its usual value."""

from __future__ import annotations

import asyncio
import time

import pytest

from maedal.app import open_gateway
from maedal.flows.set_up_merchant import set_field_set
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import DEMO_CODE, FieldSet
from maedal.rest.field_sets import CANCEL_2021, CUSTOMER_2021, PAYMENT_2021, PREPARED_2021, SCHEDULE_2021
from tests.support import shapes
from tests.support.world import world

SHAPES = {
    "payment": (shapes.PAYMENT, PAYMENT_2021, 47),
    "cancellation": (shapes.CANCELLATION, CANCEL_2021, 5),
    "customer": (shapes.CUSTOMER, CUSTOMER_2021, 14),
    "schedule": (shapes.SCHEDULE, SCHEDULE_2021, 17),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request, all_databases, tmp_path_factory):
    with world(all_databases.url(request.param), tmp_path_factory.mktemp("fields")) as everything:
        yield everything


async def choose(running, field_set, code=DEMO_CODE):
    async with open_gateway(running.settings, serving=False) as gateway:
        await set_field_set(gateway.services, code, field_set)
    await asyncio.sleep(2.1)  # another process's change is seen after two seconds


@pytest.mark.parametrize("kind", SHAPES)
def test_the_set_has_as_many_keys_as_the_strict_client_and_all_of_them_exist(kind):
    full, keys, count = SHAPES[kind]
    assert len(keys) == count
    assert keys < set(full)


def objects(running, number):
    """Ask for everything that shows an object; gives the answers with how many of each kind are in them."""
    uid, planned = f"m_{number}", f"s_{number}"
    at = int(time.time()) + 3_600
    running.issue_key(f"c_{number}")
    charged = running.again(f"c_{number}", uid)["response"]
    plan = {"customer_uid": f"c_{number}", "schedules": [{"merchant_uid": planned, "schedule_at": at, "amount": 100}]}
    cancel = {"imp_uid": charged["imp_uid"], "amount": 1_000}
    span = f"from={at - 60}&to={at + 60}"

    def answer(method, path, **more):
        return shapes.answered(running.call(method, path, **more))

    return {
        "payment": [
            charged,
            answer("POST", "/payments/cancel", json=cancel),
            answer("GET", f"/payments/{charged['imp_uid']}"),
            answer("GET", f"/payments/find/{uid}"),
            *answer("GET", f"/payments?imp_uid[]={charged['imp_uid']}"),
            *answer("GET", f"/subscribe/customers/c_{number}/payments")["list"],
        ],
        "schedule": [
            *answer("POST", "/subscribe/payments/schedule", json=plan),
            answer("GET", f"/subscribe/payments/schedule/{planned}"),
            *answer("GET", f"/subscribe/payments/schedule/customers/c_{number}?{span}")["list"],
            answer("PUT", f"/subscribe/payments/schedule/{planned}", json={"schedule_at": at + 10}),
            *answer("POST", "/subscribe/payments/unschedule", json={"customer_uid": f"c_{number}"}),
        ],
        "prepared": [
            answer("POST", "/payments/prepare", json={"merchant_uid": f"p_{number}", "amount": 100}),
            answer("GET", f"/payments/prepare/p_{number}"),
        ],
        "customer": [
            *answer("GET", f"/subscribe/customers?customer_uid[]=c_{number}"),
            answer("GET", f"/subscribe/customers/c_{number}"),
            answer("DELETE", f"/subscribe/customers/c_{number}"),
        ],
    }


async def test_every_answer_has_the_keys_that_the_merchant_chose(running):
    await choose(running, FieldSet.YEAR_2021)
    found = objects(running, 1)
    expected = {
        "payment": PAYMENT_2021, "schedule": SCHEDULE_2021, "prepared": PREPARED_2021, "customer": CUSTOMER_2021,
    }  # fmt: skip
    for kind, keys in expected.items():
        assert [set(shown) for shown in found[kind]] == [keys] * len(found[kind]), kind
    assert [set(c) for c in found["payment"][1]["cancel_history"]] == [CANCEL_2021]
    assert len(found["payment"]) == 7
    old = running.payment(found["payment"][0]["imp_uid"])
    await choose(running, FieldSet.FULL)
    new = running.payment(old["imp_uid"])
    shapes.check(new, shapes.PAYMENT)
    shapes.check(new["cancel_history"][0], shapes.CANCELLATION)
    assert {key: new[key] for key in old if key != "cancel_history"} == {
        key: value for key, value in old.items() if key != "cancel_history"
    }


async def test_an_unknown_merchant_is_refused(running):
    with pytest.raises(MerchantNotFound):
        await choose(running, FieldSet.FULL, code="imp99999999")
