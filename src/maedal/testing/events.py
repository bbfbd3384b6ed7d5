"""What `maedal trigger` lets happen, under names made of V1's own statuses; each is done for real in the simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from maedal.testing.shop import Broken, Json, Refused, Shop, new_id

SETTLES_SECONDS, SOON_SECONDS = 11, 2
"""How far ahead a charge of a new key is planned, whose approval settles first; and one of a key that is there."""
PLAN_SECONDS_MAX = 90.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class EventOptions:
    """What somebody wants an event to be about; what is None is made anew."""

    customer_uid: str | None = None
    merchant_uid: str | None = None
    amount: int = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that can happen to a shop. `happen` returns the names and statuses of what it was about."""

    text: str
    korean: str
    happen: Callable[[Shop, EventOptions], Json]


def _reported(payment: Json, **more: Any) -> Json:
    names = ("imp_uid", "merchant_uid", "customer_uid", "status", "fail_reason")
    return {name: payment.get(name) for name in names} | more


def _key(shop: Shop, options: EventOptions) -> str:
    # The clock of whoever develops here is left alone: the gateway waits until the new key has settled.
    return options.customer_uid or shop.issue_key(settle=False)


@contextmanager
def _failing(shop: Shop, kind: str = "declined", *, operation: str = "charge") -> Iterator[None]:
    """Let the next call go wrong; one that never came does not hit somebody else's."""
    fault = shop.fail_next(kind, operation=operation)
    try:
        yield
    except Refused:
        with suppress(Broken):  # it has acted
            shop.simulate("DELETE", f"/faults/{fault}")
        raise


def _payment_ready(shop: Shop, options: EventOptions) -> Json:
    window = shop.open_window(options.amount, options.merchant_uid)
    return _reported(shop.payment(imp_uid=window.imp_uid), window=window.url)


def _payment_paid(shop: Shop, options: EventOptions) -> Json:
    return _reported(shop.pay(options.amount, options.merchant_uid))


def _payment_failed(shop: Shop, options: EventOptions) -> Json:
    window = shop.open_window(options.amount, options.merchant_uid)
    with _failing(shop, operation="approve"):
        return _reported(shop.buyer_pays(window))


def _payment_left(shop: Shop, options: EventOptions) -> Json:
    return _reported(shop.buyer_leaves(shop.open_window(options.amount, options.merchant_uid)))


def _payment_cancelled(shop: Shop, options: EventOptions) -> Json:
    paid = shop.pay(options.amount, options.merchant_uid)
    return _reported(shop.cancel(paid["merchant_uid"], enable_webhook=True))


def _payment_partly_cancelled(shop: Shop, options: EventOptions) -> Json:
    paid = shop.pay(options.amount, options.merchant_uid)
    cancelled = shop.cancel(paid["merchant_uid"], options.amount // 2, enable_webhook=True)
    return _reported(cancelled, cancel_amount=cancelled["cancel_amount"])


def _key_issued(shop: Shop, options: EventOptions) -> Json:
    customer_uid = options.customer_uid or new_id("customer")
    window = shop.open_window(0, options.merchant_uid, customer_uid=customer_uid)
    return _reported(shop.buyer_pays(window))


def _key_deleted(shop: Shop, options: EventOptions) -> Json:
    customer_uid = _key(shop, options)
    shop.delete_key(customer_uid)
    return {"customer_uid": customer_uid}


def _key_ended(shop: Shop, options: EventOptions) -> Json:
    customer_uid = _key(shop, options)
    shop.buyer_ends_key(customer_uid)
    return {"customer_uid": customer_uid}


def _charge_paid(shop: Shop, options: EventOptions) -> Json:
    return _reported(shop.charge(_key(shop, options), options.amount, options.merchant_uid))


def _charge_failed(shop: Shop, options: EventOptions) -> Json:
    customer_uid = _key(shop, options)
    with _failing(shop):
        return _reported(shop.charge(customer_uid, options.amount, options.merchant_uid))


def _charge_lost(shop: Shop, options: EventOptions) -> Json:
    customer_uid = _key(shop, options)
    with _failing(shop, "lost"):
        return _reported(shop.charge(customer_uid, options.amount, options.merchant_uid))


def _scheduled(shop: Shop, options: EventOptions) -> Json:
    after = timedelta(seconds=SETTLES_SECONDS if options.customer_uid is None else SOON_SECONDS)
    return shop.schedule(_key(shop, options), options.amount, options.merchant_uid, after=after)


def _plan(planned: Json) -> Json:
    names = ("imp_uid", "merchant_uid", "customer_uid", "schedule_status", "payment_status", "fail_reason")
    return {name: planned.get(name) for name in names}


def _executed(shop: Shop, planned: Json) -> Json:
    deadline = time.monotonic() + PLAN_SECONDS_MAX
    while True:
        now = shop.planned(planned["merchant_uid"])
        if now["schedule_status"] != "scheduled" and now["payment_status"] in {"paid", "failed"}:
            return _plan(now)
        if time.monotonic() > deadline:
            raise Broken(f"{planned['merchant_uid']} was not charged within {PLAN_SECONDS_MAX:g} seconds")
        time.sleep(LOOK_SECONDS)


def _schedule_scheduled(shop: Shop, options: EventOptions) -> Json:
    return _plan(shop.schedule(_key(shop, options), options.amount, options.merchant_uid))


def _schedule_executed(shop: Shop, options: EventOptions) -> Json:
    return _executed(shop, _scheduled(shop, options))


def _schedule_failed(shop: Shop, options: EventOptions) -> Json:
    planned = _scheduled(shop, options)
    with _failing(shop):
        return _executed(shop, planned)


def _schedule_revoked(shop: Shop, options: EventOptions) -> Json:
    planned = shop.schedule(_key(shop, options), options.amount, options.merchant_uid)
    return _plan(shop.unschedule(planned["customer_uid"], planned["merchant_uid"])[0])


EVENTS: dict[str, Event] = {
    "payment.ready": Event("A payment window is open.", "결제창이 열렸습니다.", _payment_ready),
    "payment.paid": Event("A buyer pays once. Webhook: paid.", "구매자가 한 번 결제합니다. 웹훅 paid.", _payment_paid),
    "payment.failed": Event(
        "KakaoPay declines a buyer who agreed. V1 sends no webhook.",
        "구매자가 동의했지만 카카오페이가 거절합니다. V1은 웹훅을 보내지 않습니다.",
        _payment_failed,
    ),
    "payment.left": Event(
        "A buyer leaves the window: failed. V1 sends no webhook.",
        "구매자가 결제창에서 그만둡니다(failed). V1은 웹훅을 보내지 않습니다.",
        _payment_left,
    ),
    "payment.cancelled": Event(
        "A payment is given back. Webhook: cancelled.", "결제를 전액 취소합니다. 웹훅 cancelled.", _payment_cancelled
    ),
    "payment.partly-cancelled": Event(
        "Half of a payment is given back. Webhook: cancelled.",
        "결제의 절반을 취소합니다. 웹훅 cancelled.",
        _payment_partly_cancelled,
    ),
    "key.issued": Event(
        "A billing key is registered. Webhook: paid, amount 0.",
        "빌링키를 발급합니다. 웹훅 paid(금액 0).",
        _key_issued,
    ),
    "key.deleted": Event(
        "A billing key is deleted. V1 sends no webhook.",
        "빌링키를 삭제합니다. V1은 웹훅을 보내지 않습니다.",
        _key_deleted,
    ),
    "key.ended": Event(
        "A buyer ends automatic payment in the KakaoPay app; nobody is told.",
        "구매자가 카카오페이 앱에서 자동결제를 해지합니다. 아무에게도 알리지 않습니다.",
        _key_ended,
    ),
    "charge.paid": Event("A billing key is charged. Webhook: paid.", "빌링키로 결제합니다. 웹훅 paid.", _charge_paid),
    "charge.failed": Event(
        "KakaoPay declines a charge. V1 sends no webhook.",
        "카카오페이가 빌링키 결제를 거절합니다. V1은 웹훅을 보내지 않습니다.",
        _charge_failed,
    ),
    "charge.lost": Event(
        "A charge is made and its answer lost; the gateway finds out. Webhook: paid.",
        "결제는 되었지만 응답이 유실되고, 게이트웨이가 결과를 확인합니다. 웹훅 paid.",
        _charge_lost,
    ),
    "schedule.scheduled": Event(
        "A charge is planned for a month from now.", "한 달 뒤의 결제를 예약합니다.", _schedule_scheduled
    ),
    "schedule.executed": Event(
        "A scheduled charge is paid, after about ten seconds. Webhook: paid.",
        "예약한 결제가 약 10초 뒤에 결제됩니다. 웹훅 paid.",
        _schedule_executed,
    ),
    "schedule.failed": Event(
        "A scheduled charge is executed and declined. Webhook: failed.",
        "예약한 결제가 실행되었지만 거절됩니다. 웹훅 failed.",
        _schedule_failed,
    ),
    "schedule.revoked": Event(
        "A scheduled charge is taken back. V1 sends no webhook.",
        "예약한 결제를 취소합니다. V1은 웹훅을 보내지 않습니다.",
        _schedule_revoked,
    ),
}
"""By name: subject, and V1's status or `schedule_status` that it reaches."""
