"""Everything that is done with an order, and nothing of HTTP: the way of a payment as `app.py` lists it.

Nobody's report is believed: `Shop.confirm` asks the payment server and compares with the order.
"""

import re
import secrets
import time
from calendar import monthrange
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Litestar

from .journal import Journal
from .orders import Kind, Order, Orders, Plan, Status, Subscription
from .portone import Call, Json, NoAnswer, NotSent, PortOne, PortOneError, Refused

KOREA = timezone(timedelta(hours=9), "KST")
PLAN_AMOUNT = 9_900  # whole KRW, tax included
ONCE_AMOUNT = 12_000
NAMES: dict[Kind, str] = {
    "register": "이달의 원두 정기배송 카드 등록",
    "first": "이달의 원두 정기배송 첫 달",
    "once": "이달의 원두 한 봉지",
    "again": "이달의 원두 정기배송",
}
CustomerUid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Where the payment server is and who we are there. `data_file` None keeps orders in memory only."""

    gateway_url: str
    identification_code: str
    api_key: str
    api_secret: str
    shop_url: str
    sandbox_url: str | None = None
    data_file: Path | None = None
    clock_file: Path | None = None
    """Holds how many seconds this shop lives ahead of the machine, where a simulator lets time pass quickly."""
    allowed_hosts: frozenset[str] | None = None
    """Names that it answers to beside addresses and `localhost`; None is any."""


class ShopError(Exception):
    """Something to tell the buyer. `reason` names a sentence in pages/texts.json."""

    def __init__(self, reason: str, http_status: int = 400) -> None:
        super().__init__(reason)
        self.reason, self.http_status = reason, http_status


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser may say about an order. Prices are ours; `amount` is for the charge-again form only."""

    kind: Kind
    customer_uid: CustomerUid | None = None
    amount: Amount | None = None


class Shop:
    """Everything that is done with an order."""

    def __init__(self, settings: DemoSettings) -> None:
        self.settings = settings
        self.journal = Journal(self.now)

    @asynccontextmanager
    async def open(self, _app: Litestar) -> AsyncIterator[None]:
        me = self.settings
        self.orders = Orders(me.data_file, self.now)
        try:
            async with PortOne(me.gateway_url, me.api_key, me.api_secret, self._write_down, self.now) as self.portone:
                yield
        finally:
            self.orders.close()

    def now(self) -> float:
        file = self.settings.clock_file
        return time.time() + (float(file.read_text()) if file and file.exists() else 0.0)

    def place(self, new_order: NewOrder) -> Order:
        """Write the order down before any payment: its number and the amount we expect."""
        match new_order:
            case NewOrder(kind="register", amount=None, customer_uid=None):
                order = self.orders.place("register", NAMES["register"], 0, new_customer_uid())
            case NewOrder(kind="first", amount=None, customer_uid=None):
                order = self.orders.place("first", NAMES["first"], PLAN_AMOUNT, new_customer_uid())
            case NewOrder(kind="once", amount=None, customer_uid=None):
                order = self.orders.place("once", NAMES["once"], ONCE_AMOUNT)
            case NewOrder(kind="again", amount=int(amount), customer_uid=str(customer_uid)):
                if self.subscription(customer_uid).status != "active":
                    raise ShopError("subscription_ended", 409)
                order = self.orders.place("again", NAMES["again"], amount, customer_uid)
            case _:
                raise ShopError("bad_input")
        self.journal.changed()
        return order

    def order(self, merchant_uid: str) -> Order:
        order = self.orders.order(merchant_uid)
        if order is None:
            raise ShopError("no_such_order", 404)
        return order

    def subscription(self, customer_uid: str) -> Subscription:
        subscription = self.orders.subscription(customer_uid)
        if subscription is None:
            raise ShopError("no_such_subscription", 404)
        return subscription

    async def confirm(self, merchant_uid: str, imp_uid: str | None, error_msg: str | None = None) -> Order:
        """Find out what became of an order. Browser, phone and webhook all end here, as often as they like."""
        order = self.order(merchant_uid)
        if imp_uid:
            payment = await self.portone.payment(imp_uid)
        else:
            payment = await self.portone.payment_of_order(merchant_uid)
        if payment is not None and payment.get("merchant_uid") != merchant_uid:
            raise ShopError("other_order", 409)  # somebody shows us the payment of something else
        if payment is None:
            if imp_uid:
                raise ShopError("no_such_payment", 404)
            if order.status == "pending" and error_msg:  # refused before the window opened: nothing was tried
                self._move(order, "refused", error_msg)
            return self.order(merchant_uid)
        await self._take(order, payment)
        return self.order(merchant_uid)

    async def charge(self, merchant_uid: str) -> Order:
        """Charge the order's billing key, once. A repeated call finds the order moved on and only reads it."""
        order = self.order(merchant_uid)
        if order.kind != "again":
            raise ShopError("bad_input")
        if order.status != "pending" or not self._move(order, "checking"):
            return self.order(merchant_uid)
        charge = {
            "customer_uid": order.customer_uid,
            "merchant_uid": order.merchant_uid,
            "amount": order.amount,
            "name": order.name,
            "notice_url": self.webhook_url,
        }
        try:
            payment: Json | None = await self.portone.again(charge)
        except NotSent:
            self._move(order, "refused")
            raise
        except NoAnswer:
            payment = await self._latest_payment(order)  # None proves nothing here: our call may still be on its way
        except Refused as refusal:
            payment = None
            if refusal.code != 1 and refusal.http_status != 401:  # not a plain no: see whether a payment exists
                payment = await self._latest_payment(order)
            if payment is None:
                self._move(order, "refused", refusal.message)
        if payment is not None:
            await self._take(order, payment)
        return self.order(merchant_uid)

    async def end(self, customer_uid: str) -> Subscription:
        """End the billing key at the payment server, then ours. One that is gone there already is gone."""
        if self.subscription(customer_uid).status == "active":
            await self.stop_plan(customer_uid)
            try:
                await self.portone.delete_customer(customer_uid)
            except Refused as refusal:
                if refusal.code != 1 and refusal.http_status != 404:
                    raise
            self.orders.end_subscription(customer_uid, "shop")
            self.journal.changed()
        return self.subscription(customer_uid)

    async def plan(self, customer_uid: str, amount: int) -> Subscription:
        """Charge the same amount each month from now on: plan the first of these charges with the payment server."""
        if self.subscription(customer_uid).status != "active":
            raise ShopError("subscription_ended", 409)
        if self.orders.plan(customer_uid) is None:
            now = datetime.fromtimestamp(self.now(), KOREA)
            plan = self._plan_order(customer_uid, amount, a_month_after(now, now.day), now.day)
            await self._tell_plan(plan)
        await self.go_on(customer_uid)
        return self.subscription(customer_uid)

    async def go_on(self, customer_uid: str | None) -> None:
        """Plan the charge after the one that was paid; ask again for one that the payment server has not taken yet.

        May be called as often as anybody likes: an order is planned once, under its own number.
        """
        plan = self.orders.plan(customer_uid) if customer_uid else None
        if plan is None:
            return
        if self.order(plan.merchant_uid).status == "paid":
            following = a_month_after(datetime.fromtimestamp(plan.charge_at, KOREA), plan.day)
            await self._tell_plan(self._plan_order(plan.customer_uid, plan.amount, following, plan.day))
        elif not plan.told:
            # What was sent earlier may have arrived, though its answer did not.
            await self._tell_plan(plan, arrived=await self.portone.planned(plan.merchant_uid) is not None)

    async def _tell_plan(self, plan: Plan, *, arrived: bool = False) -> None:
        charge = {
            "merchant_uid": plan.merchant_uid,
            "schedule_at": plan.charge_at,
            "amount": plan.amount,
            "name": NAMES["again"],
            "notice_url": self.webhook_url,
        }
        try:
            if not arrived:
                await self.portone.schedule(plan.customer_uid, charge)
        except Refused as refusal:
            self._move(self.order(plan.merchant_uid), "refused", refusal.message)
            self.orders.drop_plan(plan.customer_uid)
            raise
        self.orders.put_plan(msgspec.structs.replace(plan, told=True))
        self.journal.changed()

    async def stop_plan(self, customer_uid: str) -> Subscription:
        """Charge nothing by itself any more."""
        plan = self.orders.plan(customer_uid)
        if plan is not None:
            try:
                await self.portone.unschedule(customer_uid, plan.merchant_uid)
            except Refused as refusal:
                if (
                    refusal.code != 1 and refusal.http_status != 404
                ):  # it has been charged already, or never was planned
                    raise
            else:
                self._move(self.order(plan.merchant_uid), "cancelled")
            self.orders.drop_plan(customer_uid)
            self.journal.changed()
        return self.subscription(customer_uid)

    def _plan_order(self, customer_uid: str, amount: int, at: datetime, day: int) -> Plan:
        order = self.orders.place("again", NAMES["again"], amount, customer_uid)
        plan = Plan(
            customer_uid=customer_uid,
            merchant_uid=order.merchant_uid,
            amount=amount,
            charge_at=int(at.timestamp()),
            day=day,
            told=False,
        )
        self.orders.put_plan(plan)
        return plan

    async def _take(self, order: Order, payment: Json) -> None:
        """Judge a payment, move its order, and do what follows; the second time, nothing follows."""
        status, message = judge(order, payment)
        if not self._move(order, status, message, payment):
            return
        if status == "forged":
            await self._undo(order, payment)
        elif status == "paid" and order.customer_uid and order.kind != "again":
            await self._subscribe(order.customer_uid, payment)
        elif status == "failed" and order.customer_uid and re.search(r"-75[01]\b", message or ""):
            # KakaoPay says that this key is no more (-750) or inactive (-751): the buyer ended it in KakaoTalk.
            self.orders.end_subscription(order.customer_uid, "kakaopay")
        self.journal.changed()

    async def _subscribe(self, customer_uid: str, payment: Json) -> None:
        self.orders.start_subscription(customer_uid, payment.get("pay_method"))
        try:
            customer = await self.portone.customer(customer_uid)
        except PortOneError:
            return  # only a nicer name for the list
        self.orders.name_method(customer_uid, str(customer.get("card_name") or ""))

    async def _undo(self, order: Order, payment: Json) -> None:
        """Give the money of a forged payment back, and take no billing key from it."""
        try:
            if payment["amount"] > 0:
                await self.portone.cancel(payment["imp_uid"], "주문과 다른 결제")
        except PortOneError:
            self.orders.note(order.merchant_uid, "cancel_failed")

    async def _latest_payment(self, order: Order) -> Json | None:
        try:
            return await self.portone.payment_of_order(order.merchant_uid)
        except PortOneError:
            # We asked because something was unclear, and it stays so.
            return {"merchant_uid": order.merchant_uid, "status": "ready"}

    def _move(self, order: Order, to: Status, message: str | None = None, payment: Json | None = None) -> bool:
        moved = self.orders.move(order.merchant_uid, to, message, payment)
        self.journal.changed()
        return moved

    @property
    def webhook_url(self) -> str:
        return f"{self.settings.shop_url.rstrip('/')}/portone-webhook"

    def _write_down(self, call: Call) -> None:
        path = call.url.removeprefix(self.settings.gateway_url.rstrip("/"))
        self.journal.write(
            "rest",
            title_of(call.method, path),
            method=call.method,
            url=call.url,
            headers=call.headers,
            sent=call.body,
            status=call.status,
            got=call.answer,
            milliseconds=round(call.seconds * 1000),
        )


def new_customer_uid() -> str:
    """Our name for one payment method of one buyer. A new method gets a new name, so no key is ever overwritten."""
    return f"minji-{secrets.token_hex(6)}"


def a_month_after(at: datetime, day: int) -> datetime:
    """The same day of the next month; the last one, where the month is shorter."""
    following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following.replace(day=min(day, monthrange(following.year, following.month)[1]))


def judge(order: Order, payment: Json) -> tuple[Status, str | None]:
    """What a payment means for the order it names."""
    match payment["status"]:
        case "paid":
            ordered = (order.merchant_uid, order.amount, order.customer_uid, "KRW")
            paid = tuple(payment.get(name) for name in ("merchant_uid", "amount", "customer_uid", "currency"))
            return ("paid", None) if paid == ordered else ("forged", None)
        case "failed":
            return "failed", payment.get("fail_reason")
        case "cancelled":
            return "cancelled", payment.get("cancel_reason")
        case _:  # ready: the window is open, or the payment server is still finding out
            return "checking", None


def title_of(method: str, path: str) -> str:
    """The name of a REST call in pages/texts.json."""
    named = [
        ("POST /users/getToken", "token"),
        ("POST /subscribe/payments/again", "again"),
        ("POST /subscribe/payments/schedule", "schedule"),
        ("POST /subscribe/payments/unschedule", "unschedule"),
        ("GET /subscribe/payments/schedule/", "planned"),
        ("POST /payments/cancel", "cancel"),
        ("GET /payments/find/", "find"),
        ("GET /payments/", "payment"),
        ("GET /subscribe/customers/", "customer"),
        ("DELETE /subscribe/customers/", "delete_customer"),
    ]
    return next((title for start, title in named if f"{method} {path}".startswith(start)), "rest")
