"""Entries of a file to concepts: the inverse of `rest.wire`, with what the wire does not carry in `maedal`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyrage

from maedal.billing_keys.billing_key import BillingKey, KeyEnd, secret_context
from maedal.errors import GatewayError
from maedal.flows.services import Services
from maedal.merchants.channel import Channel, ChannelKind
from maedal.payments.attempt import CardDetails, DeclineReason, Method
from maedal.payments.cancellation import DEFAULT_REASON, Cancellation, CancelSplit, RefundKind, split_cancel
from maedal.payments.money import AMOUNT_MAX, Currency, Money, Price
from maedal.payments.moves import Status
from maedal.payments.payment import Buyer, KeyUse, Order, Origin, Payment
from maedal.payments.prepared import PreparedAmount
from maedal.rest.wire import MONEY_NAME, PAY_METHOD
from maedal.schedules.hold import Hold
from maedal.schedules.recovery import TRIES_MAX, NextTry
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.transfer.writes import Moved, MovedKey, MovedMerchant, MovedPayment
from maedal.transfer.fields import Fields, FileRefused
from maedal.transfer.header import Header

STATUSES = {s.value: s for s in (Status.PAID, Status.FAILED, Status.CANCELLED)}
METHODS = {word: method for method, word in PAY_METHOD.items()}
KINDS = {kind.value: kind for kind in RefundKind}
COUNT_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads entries of the lists of one file. One of the `identities` opens the SIDs that an export sealed."""

    services: Services
    header: Header
    identities: Sequence[Any]
    now: datetime

    def read(self, section: str, fields: Fields) -> Moved:
        """Return what one entry means. Raises FileRefused, naming the field."""
        readers: dict[str, Callable[[Fields], Moved]] = {
            "payments": self.payment,
            "billing_keys": self.billing_key,
            "schedules": self.schedule,
            "prepared": self.prepared,
        }
        try:
            return readers[section](fields)
        except GatewayError as error:
            raise FileRefused(f"{fields.place}: {error.message}") from error

    def payment(self, fields: Fields) -> MovedPayment:
        """Return a payment that is over, with its cancels."""
        exact = fields.part("maedal")
        owner = self.header.merchant_of(fields)
        code = owner.merchant.code
        channel = _channel(fields, exact, owner)
        status = fields.one_of("status", STATUSES)
        order = _order(fields, exact)
        if order.price.total.amount == 0 and order.key_use is not KeyUse.ISSUE:
            raise fields.wrong("amount", "only a payment that issues a billing key may be of 0 won")
        started_at = _at(fields, exact, "started_at")
        if started_at is None:
            raise fields.wrong("started_at", "it is missing")
        paid_at, failed_at, cancelled_at = (
            _at(fields, exact, f"{name}_at") for name in ("paid", "failed", "cancelled")
        )
        taken = status in {Status.PAID, Status.CANCELLED}
        for name, moment, wanted in (
            ("paid_at", paid_at, taken),
            ("failed_at", failed_at, status is Status.FAILED),
            ("cancelled_at", cancelled_at, status is Status.CANCELLED),
        ):
            if (moment is not None) is not wanted:
                raise fields.wrong(name, f"a {status} payment {'has' if wanted else 'has no'} such time")
        imp_uid = fields.needed("imp_uid")
        cancellations = self._cancellations(fields, exact, code, imp_uid, order.price, status)
        cancelled = sum(c.split.amount for c in cancellations)
        if fields.whole("cancel_amount", cancelled, most=AMOUNT_MAX) != cancelled:
            raise fields.wrong("cancel_amount", f"it is not the sum of cancel_history, {cancelled}")
        if taken and order.price.total.amount and not fields.text("pg_tid") and order.key_use is None:
            raise fields.wrong("pg_tid", "without the PG's number of it a payment cannot be cancelled")
        method = fields.one_of("pay_method", METHODS) if fields.has("pay_method") else None
        payment = Payment(
            merchant_id=code,
            imp_uid=imp_uid,
            order=order,
            status=status,
            origin=fields.one_of("channel", {o.value: o for o in Origin}, "api"),
            pg_provider=channel.pg_provider,
            pg_merchant_id=fields.text("pg_id") or channel.pg_merchant_id,
            channel_id=channel.id,
            test_mode=fields.flag("sandbox", channel.test_mode),
            started_at=started_at,
            updated_at=exact.exact("updated_at") or cancelled_at or paid_at or failed_at or started_at,
            billing_key_id=exact.text("billing_key_id"),
            method=method,
            pg_tid=exact.text("pg_tid") or fields.text("pg_tid"),
            card=_card(fields, exact, method),
            receipt_url=fields.text("receipt_url"),
            cancelled_amount=cancelled,
            paid_at=paid_at,
            failed_at=failed_at,
            cancelled_at=cancelled_at,
            fail_code=exact.text("fail_code"),
            fail_reason=(fields.text("fail_reason") or "") if status is Status.FAILED else None,
            cancel_reason=fields.text("cancel_reason"),
        )
        return MovedPayment(payment, tuple(cancellations))

    def _cancellations(
        self, fields: Fields, exact: Fields, code: str, imp_uid: str, price: Price, status: Status
    ) -> list[Cancellation]:
        history = fields.parts("cancel_history")
        known = exact.parts("cancels")
        if bool(history) is not (status is Status.CANCELLED):
            raise fields.wrong("cancel_history", "a cancelled payment has cancels, and no other has")
        if known and len(known) != len(history):
            raise exact.wrong("cancels", "one for each of cancel_history is expected")
        found: list[Cancellation] = []
        done: list[CancelSplit] = []
        for number, entry in enumerate(history):
            more = known[number] if known else entry.part("maedal")
            amount = entry.whole("amount", least=1, most=AMOUNT_MAX)
            tax_free = more.whole("tax_free", most=AMOUNT_MAX) if more.has("tax_free") else None
            try:
                split = split_cancel(price, done, amount, tax_free)
            except GatewayError as error:
                raise entry.wrong("amount", error.message) from error
            done_at = more.exact("done_at") or entry.moment("cancelled_at")
            if done_at is None:
                raise entry.wrong("cancelled_at", "it is missing")
            row = entry.text("cancellation_id") or self.services.ids.row(self.now)
            reason = entry.text("reason") or DEFAULT_REASON
            begun_at = more.exact("begun_at") or done_at
            found.append(
                Cancellation(
                    code,
                    row,
                    imp_uid,
                    split,
                    reason,
                    tell=False,
                    begun_at=begun_at,
                    done_at=done_at,
                    pg_aid=more.text("pg_aid"),
                    at_pg=more.flag("at_pg", default=False),
                    kind=more.one_of("kind", KINDS) if more.has("kind") else None,
                )
            )
            done.append(split)
        return found

    def billing_key(self, fields: Fields) -> MovedKey:
        """Return a billing key, its SID sealed by this gateway's vault."""
        exact = fields.part("maedal")
        owner = self.header.merchant_of(fields)
        channel = _channel(fields, exact, owner)
        if channel.kind is not ChannelKind.RECURRING:
            raise fields.wrong("pg_id", f"{channel.pg_merchant_id} is no channel for billing keys")
        row = exact.text("id") or self.services.ids.row(self.now)
        method = METHODS["point"] if fields.text("card_name") == MONEY_NAME else None
        if fields.has("pay_method"):
            method = fields.one_of("pay_method", METHODS)
        inserted_at = _at(fields, exact, "inserted_at", "inserted") or self.now
        ended_at, ended_by = exact.exact("ended_at"), None
        if ended_at is not None:
            ended_by = exact.one_of("ended_by", {e.value: e for e in KeyEnd})
        to_end = exact.flag("to_end_at_pg", False)
        if to_end and ended_at is None:
            raise exact.wrong("to_end_at_pg", "a key that has not ended here is not ended at the PG")
        key = BillingKey(
            merchant_id=owner.merchant.code,
            id=row,
            customer_uid=fields.needed("customer_uid"),
            channel_id=channel.id,
            pg_provider=channel.pg_provider,
            pg_merchant_id=fields.text("pg_id") or channel.pg_merchant_id,
            test_mode=fields.flag("sandbox", channel.test_mode),
            sealed_pg_key=b"",
            pg_user_id=fields.needed("pg_user_id"),
            inserted_at=inserted_at,
            updated_at=_at(fields, exact, "updated_at", "updated") or inserted_at,
            method=method,
            card=_card(fields, exact, method),
            customer_id=fields.text("customer_id"),
            customer=Buyer(*(fields.text(f"customer_{name}") for name in ("name", "email", "tel", "addr", "postcode"))),
            last_approved_at=_at(fields, exact, "last_approved_at"),
            last_approval_seen_at=exact.exact("last_approval_seen_at"),
            last_approval_in_reply=exact.flag("last_approval_in_reply", False),
            ended_at=ended_at,
            ended_by=ended_by,
            gone_at=exact.exact("gone_at"),
        )
        key = replace(key, sealed_pg_key=self.services.vault.seal(self._pg_key(fields, row), *secret_context(key)))
        return MovedKey(key, self.services.ids.row(self.now) if to_end else None)

    def _pg_key(self, fields: Fields, row: str) -> str:
        sealed = fields.text("pg_key_sealed")
        if sealed is None:
            return fields.needed("pg_key")
        if not self.identities:
            raise fields.wrong("pg_key_sealed", "it is sealed; name the identity that opens it: --open-with FILE")
        try:
            opened = json.loads(pyrage.decrypt(base64.b64decode(sealed, validate=True), list(self.identities)))
            # The key's id is sealed with it, so that no key can be put in another's place.
            if opened["id"] == row and isinstance(opened["pg_key"], str):
                return str(opened["pg_key"])
        except (pyrage.DecryptError, binascii.Error, ValueError, KeyError, TypeError):
            pass
        raise fields.wrong("pg_key_sealed", "no identity of the file opens it, or it is another key's")

    def schedule(self, fields: Fields) -> Schedule:
        """Return a scheduled charge. One that waits must be ahead: an overdue one may have been charged elsewhere."""
        exact = fields.part("maedal")
        owner = self.header.merchant_of(fields)
        status = fields.one_of("schedule_status", {s.value: s for s in ScheduleStatus})
        order = _order(fields, exact, KeyUse.SCHEDULED)
        if order.price.total.amount == 0:
            raise fields.wrong("amount", "a scheduled charge of 0 won charges nothing")
        if order.customer_uid is None:
            raise fields.wrong("customer_uid", "it is missing")
        if len(order.notice_urls) > 1:
            raise exact.wrong("notice_urls", "a scheduled charge tells one address")
        schedule_at = _at(fields, exact, "schedule_at")
        if schedule_at is None:
            raise fields.wrong("schedule_at", "it is missing")
        hold = _hold(exact.part("hold")) if exact.has("hold") else None
        if status is ScheduleStatus.SCHEDULED and schedule_at <= self.now and hold is None:
            raise fields.wrong(
                "schedule_at", "it is over; leave the entry out and plan it anew once you know that it was not charged"
            )
        executed_at, revoked_at = (_at(fields, exact, f"{name}_at") for name in ("executed", "revoked"))
        executed = status is ScheduleStatus.EXECUTED
        for name, there, wanted in (
            ("executed_at", executed_at is not None, executed),
            ("imp_uid", bool(fields.text("imp_uid")), executed),
            ("revoked_at", revoked_at is not None, status is ScheduleStatus.REVOKED),
        ):
            if there is not wanted:
                raise fields.wrong(name, f"a charge that is {status} {'has' if wanted else 'has no'} {name}")
        next_try_at, tries = exact.exact("next_try_at"), exact.whole("tries", default=0, most=TRIES_MAX)
        next_try = None
        if next_try_at is not None:
            if not executed:
                raise exact.wrong("next_try_at", f"a charge that is {status} is not tried again")
            if next_try_at <= self.now and hold is None:
                raise exact.wrong("next_try_at", "it is over; leave it out once you know whether it was charged")
            next_try = NextTry(next_try_at, exact.one_of("next_try_reason", {r.value: r for r in DeclineReason}))
        if hold is not None and status is not ScheduleStatus.SCHEDULED and next_try is None:
            raise exact.wrong("hold", f"a charge that is {status} and is not tried again cannot be held")
        return Schedule(
            merchant_id=owner.merchant.code,
            order=order,
            channel_id=_channel(fields, exact, owner, recurring=True).id,
            schedule_at=schedule_at,
            inserted_at=exact.exact("inserted_at") or self.now,
            status=status,
            imp_uid=fields.text("imp_uid"),
            executed_at=executed_at,
            revoked_at=revoked_at,
            next_try=next_try,
            tries=tries,
            hold=hold,
        )

    def prepared(self, fields: Fields) -> PreparedAmount:
        """Return a registered amount."""
        owner = self.header.merchant_of(fields)
        currency = fields.one_of("currency", {c.value: c for c in Currency}) if fields.has("currency") else None
        amount = fields.whole("amount", most=AMOUNT_MAX)
        return PreparedAmount(
            owner.merchant.code, fields.needed("merchant_uid"), amount, currency, fields.text("customer_uid")
        )


def _hold(fields: Fields) -> Hold:
    at = fields.exact("at")
    if at is None:
        raise fields.wrong("at", "it is missing")
    return Hold(at, fields.needed("who"), fields.needed("reason"))


def _at(fields: Fields, exact: Fields, name: str, on_wire: str | None = None) -> datetime | None:
    """Return a moment: exactly if the file tells it so, else to the second."""
    return exact.exact(name) or fields.moment(on_wire or name)


def _order(fields: Fields, exact: Fields, key_use: KeyUse | None = None) -> Order:
    currency = fields.one_of("currency", {c.value: c for c in Currency}, "KRW")
    amount = fields.whole("amount", most=AMOUNT_MAX)
    tax_free = exact.whole("tax_free", 0, most=AMOUNT_MAX)
    if tax_free > amount:
        raise exact.wrong("tax_free", "it is more than amount")
    customer_uid = fields.text("customer_uid") or None
    if key_use is None and customer_uid is not None:
        key_use = fields.one_of("customer_uid_usage", {k.value: k for k in KeyUse}, "payment")
    quota = exact.whole("card_quota_asked", most=60) if exact.has("card_quota_asked") else None
    return Order(
        merchant_uid=fields.needed("merchant_uid"),
        name=fields.text("name") or "",
        price=Price(Money(amount, currency), Money(tax_free, currency)),
        buyer=Buyer(*(fields.text(f"buyer_{name}") for name in ("name", "email", "tel", "addr", "postcode"))),
        customer_uid=customer_uid,
        key_use=key_use,
        custom_data=fields.text("custom_data"),
        notice_urls=exact.texts("notice_urls"),
        user_agent=fields.text("user_agent"),
        quantity=exact.whole("quantity", 1, least=1, most=COUNT_MAX),
        card_quota_months=quota,
        kept=exact.text("kept"),
    )


def _card(fields: Fields, exact: Fields, method: Method | None) -> CardDetails | None:
    if exact.has("card"):
        card = exact.part("card")
        return CardDetails(
            card.text("issuer_name"),
            card.text("issuer_code"),
            card.text("approval_number"),
            card.whole("quota_months", 0, most=60),
            card.flag("check_card", False) if card.has("check_card") else None,
        )
    if method is not Method.CARD:
        return None
    check = bool(fields.whole("card_type", most=1)) if fields.has("card_type") else None
    quota = fields.whole("card_quota", 0, most=60)
    return CardDetails(fields.text("card_name"), None, fields.text("apply_num") or None, quota, check)


def _channel(fields: Fields, exact: Fields, owner: MovedMerchant, *, recurring: bool = False) -> Channel:
    """Return the channel an entry names: by its key, by its number at the PG, or the only one that it can mean."""
    key = exact.text("channel_key")
    if key is not None:
        for channel in owner.channels:
            if channel.id == key:
                return channel
        raise exact.wrong("channel_key", "the file has no such channel of this merchant")
    pg_id, provider = fields.text("pg_id"), fields.text("pg_provider")
    if pg_id is None and not recurring:
        raise fields.wrong("pg_id", "it is missing")
    found = [
        c
        for c in owner.channels
        if (pg_id is None or c.pg_merchant_id == pg_id)
        and provider in {None, c.pg_provider}
        and (not recurring or c.kind is ChannelKind.RECURRING)
    ]
    if len(found) != 1:
        raise fields.wrong("pg_id", f"{len(found)} channels of this merchant fit; exactly one must")
    return found[0]
