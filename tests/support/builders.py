"""Builders with a default for everything that a scenario does not mention."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.channel import Channel, ChannelKind
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.payments.attempt import Approval, Attempt, Decline, Method, Outcome, Proof, Result, Verb
from maedal.payments.money import krw
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Order, Origin, Payment
from maedal.payments.window import Device, Shown, Window
from maedal.schedules.schedule import Schedule

NOW = datetime(2026, 9, 1, 1, 0, 0, tzinfo=UTC)
MERCHANT = "imp10000001"
CHANNEL = "channel-key-00000000-0000-4000-8000-000000000001"
_numbers = itertools.count(1)


def a_merchant(code: str = MERCHANT, **changes) -> Merchant:
    return Merchant(**{"code": code, "name": "A shop", "created_at": NOW} | changes)


def an_api_key(merchant_id: str = MERCHANT, api_key: str = "1234567890123456") -> ApiKey:
    return ApiKey(merchant_id, api_key, b"digest", NOW)


def a_channel(**changes) -> Channel:
    return Channel(
        **{
            "id": CHANNEL,
            "merchant_id": MERCHANT,
            "name": "KakaoPay recurring",
            "pg_provider": "kakaopay",
            "pg_merchant_id": "TCSUBSCRIP",
            "kind": ChannelKind.RECURRING,
            "test_mode": True,
            "created_at": NOW,
            "default": True,
        }
        | changes
    )


def a_key(customer_uid: str = "c_1", **changes) -> BillingKey:
    return BillingKey(
        **{
            "merchant_id": MERCHANT,
            "id": f"key_{next(_numbers)}",
            "customer_uid": customer_uid,
            "channel_id": CHANNEL,
            "pg_provider": "kakaopay",
            "pg_merchant_id": "TCSUBSCRIP",
            "test_mode": True,
            "sealed_pg_key": b"sealed",
            "pg_user_id": "u-1",
            "inserted_at": NOW,
            "updated_at": NOW,
            "method": Method.MONEY,
        }
        | changes
    )


def an_order(merchant_uid: str | None = None, amount: int = 9_900, **changes) -> Order:
    defaults = {"customer_uid": "c_1", "key_use": KeyUse.CHARGE}
    return Order(merchant_uid or f"order_{next(_numbers)}", "Monthly plan", krw(amount), **defaults | changes)


def a_schedule(merchant_uid: str | None = None, schedule_at: datetime = NOW, **changes) -> Schedule:
    """Return a scheduled charge; `order=` changes its order, the rest the schedule."""
    order = an_order(merchant_uid, **{"key_use": KeyUse.SCHEDULED} | changes.pop("order", {}))
    return Schedule(
        **{
            "merchant_id": MERCHANT,
            "order": order,
            "channel_id": CHANNEL,
            "schedule_at": schedule_at,
            "inserted_at": NOW - timedelta(days=1),
        }
        | changes
    )


def an_imp_uid() -> str:
    return f"imp_{next(_numbers):012d}"


def an_issuing_window(merchant_uid: str | None = None, amount: int = 0, customer_uid: str = "c_1"):
    """Return a payment that issues a key, its window and the attempt to prepare it."""
    imp_uid = an_imp_uid()
    order = an_order(merchant_uid, amount, customer_uid=customer_uid, key_use=KeyUse.ISSUE)
    payment = Payment(
        MERCHANT, imp_uid, order, Status.READY, Origin.PC, "kakaopay", "TCSUBSCRIP", CHANNEL, True, NOW, NOW
    )
    attempt = Attempt(f"at_{next(_numbers)}", MERCHANT, Verb.PREPARE, "order", NOW, imp_uid, None, order.price)
    window = Window(
        MERCHANT, imp_uid, Device.PC, Shown.FRAME, "n" * 16, "http://shop.test", "http://shop.test/", None, None,
        "u-1", None, attempt.id, NOW, NOW + timedelta(minutes=15),
    )  # fmt: skip
    return payment, window, attempt


def approved(tid: str = "T0123456789abcdef012", at: datetime = NOW, **changes) -> Result:
    return Result(Outcome.APPROVED, Proof.REPLY, approval=Approval(tid, Method.MONEY, at, **changes))


def declined(code: str = "-782 NOT_ENOUGH_BALANCE", message: str = "잔액 부족") -> Result:
    return Result(Outcome.DECLINED, Proof.REPLY, decline=Decline(code, message))
