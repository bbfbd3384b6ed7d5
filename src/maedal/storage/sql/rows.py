"""Rows to concepts and back. Column order is written once here and used by every statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding
from maedal.merchants.addresses import AllowedAddress
from maedal.merchants.channel import CardLimits, Channel, ChannelKind, ReplacedKeys, UnknownPg, WindowForm
from maedal.merchants.merchant import ApiKey, FieldSet, Merchant, OldSecret, WebhookRetry, WebhookType
from maedal.payments.attempt import Attempt, CardDetails, DeclineReason, Method, Result, Verb
from maedal.payments.cancellation import Cancellation, CancelSplit
from maedal.payments.money import Currency, Money, Price
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Buyer, KeyUse, Order, Origin, Payment
from maedal.payments.window import Device, Shown, Window
from maedal.schedules.hold import Hold
from maedal.schedules.recovery import NextTry, RecoveryRules
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.sql.steps import Row, insert
from maedal.storage.store import PastEvent
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState, Try

PAYMENT_COLUMNS = (
    "merchant_id", "imp_uid", "merchant_uid", "status", "version", "origin", "amount", "tax_free", "cancelled_amount",
    "currency", "name", "quantity", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode",
    "custom_data", "notice_urls", "user_agent", "card_quota_asked", "kept", "customer_uid", "key_use", "billing_key_id",
    "channel_id", "pg_provider", "pg_merchant_id", "test_mode", "pg_tid", "method", "card_issuer_name",
    "card_issuer_code", "card_approval_number", "card_quota", "card_check", "receipt_url", "started_at", "updated_at",
    "paid_at", "failed_at", "cancelled_at", "fail_code", "fail_reason", "cancel_reason",
)  # fmt: skip
# A new payment has none of the columns that an outcome fills in.
NEW_PAYMENT_COLUMNS = (
    *PAYMENT_COLUMNS[: PAYMENT_COLUMNS.index("pg_tid")], "card_quota", "started_at", "updated_at", "status_at"
)  # fmt: skip
KEY_COLUMNS = (
    "merchant_id", "id", "customer_uid", "channel_id", "pg_provider", "pg_merchant_id", "test_mode", "sealed_pg_key",
    "pg_user_id", "method", "card_issuer_name", "card_issuer_code", "card_check", "customer_id", "customer_name",
    "customer_email", "customer_tel", "customer_addr", "customer_postcode", "last_approved_at",
    "last_approval_seen_at", "inserted_at", "updated_at", "ended_at", "ended_by", "gone_at",
    "last_approval_in_reply",
)  # fmt: skip
WINDOW_COLUMNS = (
    "merchant_id", "imp_uid", "device", "shown", "nonce", "page_origin", "page_url", "return_url", "confirm_url",
    "pg_user_id", "customer_id", "order_id", "pc_url", "mobile_url", "app_url", "opened_at", "expires_at", "left_at",
)  # fmt: skip
CHANNEL_COLUMNS = (
    "merchant_id", "id", "name", "pg_provider", "pg_merchant_id", "kind", "test_mode", "sealed_secret", "is_default",
    "allowed_origins", "unknown_pg", "replaced_keys", "created_at", "sealed_file_key", "file_bucket",
    "charges_per_month", "only_method", "only_cards", "only_months", "window_form", "waits_hours",
)  # fmt: skip
MERCHANT_COLUMNS = (
    "code", "name", "webhook_url_live", "webhook_url_test", "webhook_type", "webhook_retry", "webhook_failures",
    "webhook_first", "recovery_rules", "sealed_webhook_secret", "sealed_old_webhook_secret", "field_set", "created_at",
    "allowed_addresses", "webhook_type_test", "confirm_url_ignored",
)  # fmt: skip
API_KEY_COLUMNS = ("merchant_id", "api_key", "api_key_folded", "secret_digest", "created_at", "name")
ATTEMPT_COLUMNS = (
    "merchant_id", "id", "verb", "order_id", "imp_uid", "billing_key_id", "amount", "tax_free", "approved_before",
    "begun_at", "approved_before_in_reply",
)  # fmt: skip
ENDING_COLUMNS = ("merchant_id", "attempt_id", "billing_key_id", "tries", "due_at")
EVENT_COLUMNS = ("merchant_id", "imp_uid", "version", "event", "status", "proof", "attempt_id", "happened_at")
DELIVERY_COLUMNS = (
    "merchant_id", "id", "imp_uid", "sequence", "url", "by_hand", "receiver", "media_type", "body", "state", "tries",
    "created_at", "due_at",
)  # fmt: skip
TRY_COLUMNS = ("merchant_id", "delivery_id", "number", "url", "sent_at", "duration_ms", "answer_status", "answer")

CANCELLATION_COLUMNS = (
    "merchant_id", "id", "imp_uid", "amount", "tax_free", "vat", "reason", "tell", "begun_at", "pg_aid", "at_pg",
    "marked",
)  # fmt: skip
SCHEDULE_COLUMNS = (
    "merchant_id", "merchant_uid", "customer_uid", "channel_id", "schedule_at", "amount", "tax_free", "currency",
    "name", "quantity", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data",
    "notice_url", "status", "imp_uid", "executed_at", "revoked_at", "lease_id", "leased_until", "inserted_at",
    "next_try_at", "next_try_reason", "tries", "try_lease_id", "try_leased_until", "waits_until",
)  # fmt: skip
# Not among those that a new plan takes over: a hold goes only by being released, or with what it held.
HOLD_COLUMNS = ("held_at", "held_by", "held_reason")

_EVENTS: dict[str, Event | Start] = {event.value: event for event in (*Event, *Start)}

INSERT_CANCELLATION = insert("cancellations", CANCELLATION_COLUMNS)
INSERT_PAYMENT = insert("payments", NEW_PAYMENT_COLUMNS)
INSERT_ATTEMPT = insert("attempts", ATTEMPT_COLUMNS)
INSERT_EVENT = insert("payment_events", EVENT_COLUMNS)
INSERT_ENDING = insert("key_endings", ENDING_COLUMNS)
INSERT_KEY = insert("billing_keys", KEY_COLUMNS)
INSERT_WINDOW = insert("windows", WINDOW_COLUMNS)
INSERT_CHANNEL = insert("channels", CHANNEL_COLUMNS)
INSERT_MERCHANT = insert("merchants", MERCHANT_COLUMNS)
INSERT_API_KEY = insert("api_keys", API_KEY_COLUMNS)
INSERT_DELIVERY = insert("webhook_deliveries", DELIVERY_COLUMNS)
INSERT_TRY = insert("webhook_tries", TRY_COLUMNS)


def moment(value: Any) -> datetime | None:
    """Return an aware moment; SQLite keeps it as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _at(value: Any) -> datetime:
    at = moment(value)
    assert at is not None, "the column is NOT NULL"
    return at


def payment_of(row: Row) -> Payment:
    card = None
    if row["card_issuer_name"] or row["card_approval_number"] or row["card_quota"] or row["card_check"] is not None:
        card = CardDetails(
            issuer_name=row["card_issuer_name"],
            issuer_code=row["card_issuer_code"],
            approval_number=row["card_approval_number"],
            quota_months=row["card_quota"] or 0,
            check_card=None if row["card_check"] is None else bool(row["card_check"]),
        )
    currency = Currency(row["currency"])
    return Payment(
        merchant_id=row["merchant_id"],
        imp_uid=row["imp_uid"],
        order=Order(
            merchant_uid=row["merchant_uid"],
            name=row["name"],
            price=Price(Money(row["amount"], currency), Money(row["tax_free"], currency)),
            buyer=Buyer(
                row["buyer_name"], row["buyer_email"], row["buyer_tel"], row["buyer_addr"], row["buyer_postcode"]
            ),
            customer_uid=row["customer_uid"],
            key_use=KeyUse(row["key_use"]) if row["key_use"] else None,
            custom_data=row["custom_data"],
            notice_urls=tuple(json.loads(row["notice_urls"])) if row["notice_urls"] else (),
            user_agent=row["user_agent"],
            quantity=row["quantity"],
            card_quota_months=row["card_quota_asked"],
            kept=row["kept"],
        ),
        status=Status(row["status"]),
        origin=Origin(row["origin"]),
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        channel_id=row["channel_id"],
        test_mode=bool(row["test_mode"]),
        started_at=_at(row["started_at"]),
        updated_at=_at(row["updated_at"]),
        version=row["version"],
        billing_key_id=row["billing_key_id"],
        method=Method(row["method"]) if row["method"] else None,
        pg_tid=row["pg_tid"],
        card=card,
        receipt_url=row["receipt_url"],
        cancelled_amount=row["cancelled_amount"],
        paid_at=moment(row["paid_at"]),
        failed_at=moment(row["failed_at"]),
        cancelled_at=moment(row["cancelled_at"]),
        fail_code=row["fail_code"],
        fail_reason=row["fail_reason"],
        cancel_reason=row["cancel_reason"],
        undo_at=moment(row["undo_at"]),
        put_off=bool(row["put_off"]),
    )


def new_payment_values(p: Payment) -> tuple[Any, ...]:
    o = p.order
    b = o.buyer
    return (
        p.merchant_id, p.imp_uid, o.merchant_uid, p.status, p.version, p.origin, o.price.total.amount,
        o.price.tax_free.amount, p.cancelled_amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel,
        b.addr, b.postcode, o.custom_data, json.dumps(o.notice_urls) if o.notice_urls else None, o.user_agent,
        o.card_quota_months, o.kept, o.customer_uid, o.key_use, p.billing_key_id, p.channel_id, p.pg_provider,
        p.pg_merchant_id, p.test_mode, 0, p.started_at, p.updated_at, p.status_at,
    )  # fmt: skip


def key_of(row: Row) -> BillingKey:
    card = None
    if row["card_issuer_name"] or row["card_check"] is not None:
        check = None if row["card_check"] is None else bool(row["card_check"])
        card = CardDetails(row["card_issuer_name"], row["card_issuer_code"], check_card=check)
    return BillingKey(
        merchant_id=row["merchant_id"],
        id=row["id"],
        customer_uid=row["customer_uid"],
        channel_id=row["channel_id"],
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        test_mode=bool(row["test_mode"]),
        sealed_pg_key=bytes(row["sealed_pg_key"]),
        pg_user_id=row["pg_user_id"],
        inserted_at=_at(row["inserted_at"]),
        updated_at=_at(row["updated_at"]),
        method=Method(row["method"]) if row["method"] else None,
        card=card,
        customer_id=row["customer_id"],
        customer=Buyer(
            row["customer_name"],
            row["customer_email"],
            row["customer_tel"],
            row["customer_addr"],
            row["customer_postcode"],
        ),
        last_approved_at=moment(row["last_approved_at"]),
        last_approval_seen_at=moment(row["last_approval_seen_at"]),
        last_approval_in_reply=bool(row["last_approval_in_reply"]),
        ended_at=moment(row["ended_at"]),
        ended_by=KeyEnd(row["ended_by"]) if row["ended_by"] else None,
        gone_at=moment(row["gone_at"]),
    )


def key_values(k: BillingKey) -> tuple[Any, ...]:
    card = k.card or CardDetails()
    c = k.customer
    return (
        k.merchant_id, k.id, k.customer_uid, k.channel_id, k.pg_provider, k.pg_merchant_id, k.test_mode,
        k.sealed_pg_key, k.pg_user_id, k.method, card.issuer_name, card.issuer_code, card.check_card, k.customer_id,
        c.name, c.email, c.tel, c.addr, c.postcode, k.last_approved_at, k.last_approval_seen_at, k.inserted_at,
        k.updated_at, k.ended_at, k.ended_by, k.gone_at, k.last_approval_in_reply,
    )  # fmt: skip


def window_of(row: Row) -> Window:
    return Window(
        merchant_id=row["merchant_id"],
        imp_uid=row["imp_uid"],
        device=Device(row["device"]),
        shown=Shown(row["shown"]),
        nonce=row["nonce"],
        page_origin=row["page_origin"],
        page_url=row["page_url"],
        return_url=row["return_url"],
        confirm_url=row["confirm_url"],
        pg_user_id=row["pg_user_id"],
        customer_id=row["customer_id"],
        order_id=row["order_id"],
        opened_at=_at(row["opened_at"]),
        expires_at=_at(row["expires_at"]),
        pc_url=row["pc_url"],
        mobile_url=row["mobile_url"],
        app_url=row["app_url"],
        left_at=moment(row["left_at"]),
    )


def window_values(w: Window) -> tuple[Any, ...]:
    return tuple(getattr(w, column) for column in WINDOW_COLUMNS)


def channel_of(row: Row) -> Channel:
    return Channel(
        id=row["id"],
        merchant_id=row["merchant_id"],
        name=row["name"],
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        kind=ChannelKind(row["kind"]),
        test_mode=bool(row["test_mode"]),
        created_at=_at(row["created_at"]),
        sealed_secret=None if row["sealed_secret"] is None else bytes(row["sealed_secret"]),
        default=bool(row["is_default"]),
        allowed_origins=tuple(json.loads(row["allowed_origins"])),
        unknown_pg=UnknownPg(row["unknown_pg"]),
        replaced_keys=ReplacedKeys(row["replaced_keys"]),
        sealed_file_key=None if row["sealed_file_key"] is None else bytes(row["sealed_file_key"]),
        file_bucket=row["file_bucket"],
        charges_per_month=row["charges_per_month"],
        limits=CardLimits(
            None if row["only_method"] is None else Method(row["only_method"]),
            None if row["only_cards"] is None else tuple(json.loads(row["only_cards"])),
            row["only_months"],
        ),
        window_form=WindowForm(row["window_form"]),
        waits_hours=row["waits_hours"],
    )


def channel_values(c: Channel) -> tuple[Any, ...]:
    return (
        c.merchant_id, c.id, c.name, c.pg_provider, c.pg_merchant_id, c.kind, c.test_mode, c.sealed_secret, c.default,
        json.dumps(c.allowed_origins), c.unknown_pg, c.replaced_keys, c.created_at,
        c.sealed_file_key, c.file_bucket, c.charges_per_month, c.limits.method,
        None if c.limits.cards is None else json.dumps(c.limits.cards), c.limits.months, c.window_form,
        c.waits_hours,
    )  # fmt: skip


def ending_of(row: Row) -> KeyEnding:
    return KeyEnding(row["merchant_id"], row["attempt_id"], row["billing_key_id"], row["tries"], _at(row["due_at"]))


def ending_values(e: KeyEnding) -> tuple[Any, ...]:
    return (e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at)


def merchant_of(row: Row) -> Merchant:
    return Merchant(
        code=row["code"],
        name=row["name"],
        created_at=_at(row["created_at"]),
        webhook_url_live=row["webhook_url_live"],
        webhook_url_test=row["webhook_url_test"],
        # The older column is that of live payments; rows from before it was split have no other.
        webhook_type_live=WebhookType(row["webhook_type"]),
        webhook_type_test=WebhookType(row["webhook_type_test"] or row["webhook_type"]),
        webhook_retry=WebhookRetry(row["webhook_retry"]),
        field_set=FieldSet(row["field_set"]),
        webhook_failures=bool(row["webhook_failures"]),
        webhook_first=bool(row["webhook_first"]),
        confirm_url_ignored=bool(row["confirm_url_ignored"]),
        recovery=_recovery_of(row["recovery_rules"]),
        sealed_webhook_secret=None if row["sealed_webhook_secret"] is None else bytes(row["sealed_webhook_secret"]),
        sealed_old_webhook_secret=(
            None if row["sealed_old_webhook_secret"] is None else bytes(row["sealed_old_webhook_secret"])
        ),
        allowed_addresses=_addresses_of(row["allowed_addresses"]),
    )


def merchant_values(m: Merchant) -> tuple[Any, ...]:
    return (
        m.code, m.name, m.webhook_url_live, m.webhook_url_test, m.webhook_type_live, m.webhook_retry,
        m.webhook_failures, m.webhook_first, recovery_value(m.recovery), m.sealed_webhook_secret,
        m.sealed_old_webhook_secret, m.field_set, m.created_at, addresses_value(m.allowed_addresses),
        m.webhook_type_test, m.confirm_url_ignored,
    )  # fmt: skip


def recovery_value(rules: RecoveryRules) -> str:
    """Return rules as text, the same for the same rules: seconds to wait, by reason."""
    return json.dumps({r.value: [int(w.total_seconds()) for w in rules[r]] for r in sorted(rules) if rules[r]})


def addresses_value(addresses: Sequence[AllowedAddress]) -> str:
    """Return allowed addresses as text, the same for the same list."""
    return json.dumps([(a.network, a.memo, a.added_at.isoformat(), a.added_by) for a in addresses], ensure_ascii=False)


def _addresses_of(text: str) -> tuple[AllowedAddress, ...]:
    return tuple(
        AllowedAddress(network, memo, datetime.fromisoformat(at), by) for network, memo, at, by in json.loads(text)
    )


def _recovery_of(text: str) -> RecoveryRules:
    return {
        DeclineReason(reason): tuple(timedelta(seconds=s) for s in waits) for reason, waits in json.loads(text).items()
    }


def api_key_of(row: Row) -> ApiKey:
    return ApiKey(
        merchant_id=row["merchant_id"],
        api_key=row["api_key"],
        secret_digest=bytes(row["secret_digest"]),
        created_at=_at(row["created_at"]),
        token_issued_at=moment(row["token_issued_at"]),
        token_expires_at=moment(row["token_expires_at"]),
        name=row["name"],
        secret_changed_at=moment(row["secret_changed_at"]),
        last_used_at=moment(row["last_used_at"]),
        last_used_from=row["last_used_from"],
        old_secret=None
        if row["old_secret_digest"] is None
        else OldSecret(
            bytes(row["old_secret_digest"]),
            _at(row["old_secret_until"]),
            moment(row["old_token_issued_at"]),
            moment(row["old_token_expires_at"]),
        ),
    )


def api_key_values(k: ApiKey) -> tuple[Any, ...]:
    return (k.merchant_id, k.api_key, k.api_key.casefold(), k.secret_digest, k.created_at, k.name)


def past_event_of(row: Row) -> PastEvent:
    return PastEvent(
        _EVENTS[row["event"]], Status(row["status"]), row["proof"], row["attempt_id"], _at(row["happened_at"])
    )


def attempt_of(row: Row) -> Attempt:
    price = None if row["amount"] is None else Price(Money(row["amount"]), Money(row["tax_free"]))
    return Attempt(
        id=row["id"],
        merchant_id=row["merchant_id"],
        verb=Verb(row["verb"]),
        order_id=row["order_id"],
        begun_at=_at(row["begun_at"]),
        imp_uid=row["imp_uid"],
        billing_key_id=row["billing_key_id"],
        price=price,
    )


def attempt_values(a: Attempt, key: BillingKey | None = None) -> tuple[Any, ...]:
    """Return an attempt's columns; with the key of a charge, what is known of its last approval by then."""
    return (
        a.merchant_id, a.id, a.verb, a.order_id, a.imp_uid, a.billing_key_id,
        None if a.price is None else a.price.total.amount, None if a.price is None else a.price.tax_free.amount,
        None if key is None else key.last_approved_at, a.begun_at, key is not None and key.last_approval_in_reply,
    )  # fmt: skip


def event_values(
    payment: Payment, event: Event | Start, attempt_id: str | None, result: Result | None, now: datetime
) -> tuple[Any, ...]:
    """Return the event that brought `payment` to where it stands now."""
    proof = None if result is None else result.proof
    return (payment.merchant_id, payment.imp_uid, payment.version, event, payment.status, proof, attempt_id, now)


def cancellation_of(row: Row) -> Cancellation:
    return Cancellation(
        merchant_id=row["merchant_id"],
        id=row["id"],
        imp_uid=row["imp_uid"],
        split=CancelSplit(row["amount"], row["tax_free"], row["vat"]),
        reason=row["reason"],
        tell=bool(row["tell"]),
        begun_at=_at(row["begun_at"]),
        done_at=moment(row["done_at"]),
        pg_aid=row["pg_aid"],
        at_pg=bool(row["at_pg"]),
        marked=bool(row["marked"]),
    )


def cancellation_values(c: Cancellation) -> tuple[Any, ...]:
    split = c.split
    return (
        c.merchant_id, c.id, c.imp_uid, split.amount, split.tax_free, split.vat, c.reason, c.tell, c.begun_at, c.pg_aid,
        c.at_pg, c.marked,
    )  # fmt: skip


def delivery_of(row: Row) -> Delivery:
    return Delivery(
        merchant_id=row["merchant_id"],
        id=row["id"],
        imp_uid=row["imp_uid"],
        url=row["url"],
        media_type=row["media_type"],
        body=row["body"],
        created_at=_at(row["created_at"]),
        sequence=row["sequence"],
        tries=row["tries"],
        by_hand=bool(row["by_hand"]),
        resend_url=row["resend_url"],
        only_recorded=row["state"] == DeliveryState.RECORDED,
    )


def delivery_values(d: Delivery) -> tuple[Any, ...]:
    """Return the columns of a new delivery: it is due at once, unless it is only recorded."""
    state = DeliveryState.RECORDED if d.only_recorded else DeliveryState.WAITING
    return (
        d.merchant_id, d.id, d.imp_uid, d.sequence, d.url, d.by_hand, d.receiver, d.media_type, d.body, state,
        d.tries, d.created_at, d.created_at,
    )  # fmt: skip


def told_of(row: Row, tries: Sequence[Row]) -> DeliveryLog:
    made = (
        Try(
            number=t["number"],
            url=t["url"],
            sent_at=_at(t["sent_at"]),
            duration=timedelta(milliseconds=t["duration_ms"]),
            answer_status=t["answer_status"],
            answer=t["answer"],
        )
        for t in tries
    )
    return DeliveryLog(delivery_of(row), DeliveryState(row["state"]), _at(row["due_at"]), tuple(made))


def try_values(d: Delivery, made: Try) -> tuple[Any, ...]:
    return (
        d.merchant_id, d.id, made.number, made.url, made.sent_at, max(made.duration // timedelta(milliseconds=1), 0),
        made.answer_status, made.answer,
    )  # fmt: skip


def schedule_of(row: Row) -> Schedule:
    """Return the schedule; whoever reads it adds its payment."""
    currency, next_try_at, held_at = Currency(row["currency"]), moment(row["next_try_at"]), moment(row["held_at"])
    order = Order(
        merchant_uid=row["merchant_uid"],
        name=row["name"],
        price=Price(Money(row["amount"], currency), Money(row["tax_free"], currency)),
        buyer=Buyer(row["buyer_name"], row["buyer_email"], row["buyer_tel"], row["buyer_addr"], row["buyer_postcode"]),
        customer_uid=row["customer_uid"],
        key_use=KeyUse.SCHEDULED,
        custom_data=row["custom_data"],
        notice_urls=(row["notice_url"],) if row["notice_url"] else (),
        quantity=row["quantity"],
    )
    return Schedule(
        merchant_id=row["merchant_id"],
        order=order,
        channel_id=row["channel_id"],
        schedule_at=_at(row["schedule_at"]),
        inserted_at=_at(row["inserted_at"]),
        status=ScheduleStatus(row["status"]),
        imp_uid=row["imp_uid"],
        executed_at=moment(row["executed_at"]),
        revoked_at=moment(row["revoked_at"]),
        lease_id=row["lease_id"] or row["try_lease_id"],
        next_try=None if next_try_at is None else NextTry(next_try_at, DeclineReason(row["next_try_reason"])),
        tries=row["tries"],
        by_claim=bool(row["by_claim"]),
        hold=None if held_at is None else Hold(held_at, row["held_by"], row["held_reason"]),
    )


def hold_values(hold: Hold | None) -> tuple[Any, ...]:
    return (None, None, None) if hold is None else (hold.at, hold.who, hold.reason)


def new_schedule_values(s: Schedule) -> tuple[Any, ...]:
    """Return the columns of a charge that waits."""
    o, b = s.order, s.order.buyer
    assert s.status is ScheduleStatus.SCHEDULED, s.status
    assert len(o.notice_urls) <= 1, "a planned charge tells one address"
    return (
        s.merchant_id, o.merchant_uid, o.customer_uid, s.channel_id, s.schedule_at, o.price.total.amount,
        o.price.tax_free.amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel, b.addr,
        b.postcode, o.custom_data, o.notice_urls[0] if o.notice_urls else None, s.status, None, None, None, None, None,
        s.inserted_at, None, None, 0, None, None, None,
    )  # fmt: skip
