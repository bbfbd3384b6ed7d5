"""Concepts to entries of a file: the REST API's own objects, and in `maedal` what those leave out."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyrage

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.channel import Channel
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.payments.attempt import CardDetails
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.payments.prepared import PreparedAmount
from maedal.rest.wire import PAY_METHOD, customer_object, payment_object, schedule_object
from maedal.schedules.recovery import PayDay, Wait
from maedal.schedules.schedule import Schedule


def merchant_entry(merchant: Merchant, api_keys: Sequence[ApiKey]) -> dict[str, Any]:
    """Return the merchant. Of API secrets only a keyed hash is kept, so the import draws new ones."""
    return {
        "code": merchant.code,
        "name": merchant.name,
        "webhook_url_live": merchant.webhook_url_live,
        "webhook_url_test": merchant.webhook_url_test,
        "webhook_type_live": merchant.webhook_type_live.value,
        "webhook_type_test": merchant.webhook_type_test.value,
        "webhook_retry": merchant.webhook_retry.value,
        "webhook_failures": merchant.webhook_failures,
        "webhook_first": merchant.webhook_first,
        # Whether its webhooks were signed; with what stays with the gateway that signs.
        "webhook_signed": merchant.sealed_webhook_secret is not None,
        "confirm_url_ignored": merchant.confirm_url_ignored,
        "page_notices": merchant.page_notices.value,
        "recovery": {r.value: [_wait(w) for w in waits] for r, waits in merchant.recovery.items()},
        "field_set": merchant.field_set.value,
        "allowed_addresses": [
            {"network": a.network, "memo": a.memo, "added_at": _iso(a.added_at), "added_by": a.added_by}
            for a in merchant.allowed_addresses
        ],
        "created_at": _iso(merchant.created_at),
        "api_keys": [
            {
                "api_key": k.api_key,
                "api_secret": None,
                "name": k.name,
                "scopes": None if k.scopes is None else sorted(k.scopes),
                "created_at": _iso(k.created_at),
            }
            for k in api_keys
            if k.ended_at is None
        ],
    }


def _wait(wait: Wait) -> int | str:
    return f"@{wait.day}" if isinstance(wait, PayDay) else int(wait.total_seconds())


def channel_entry(channel: Channel) -> dict[str, Any]:
    """Return the channel without the PG's secret key and file key."""
    return {
        "channel_key": channel.id,
        "channel_name": channel.name,
        "pg_provider": channel.pg_provider,
        "pg_id": channel.pg_merchant_id,
        "kind": channel.kind.value,
        "sandbox": channel.test_mode,
        "default": channel.default,
        "allowed_origins": list(channel.allowed_origins),
        "app_schemes": list(channel.app_schemes),
        "prepared_only": channel.prepared_only,
        "unknown_pg": channel.unknown_pg.value,
        "replaced_keys": channel.replaced_keys.value,
        "method": channel.limits.method and channel.limits.method.value,
        "cards": None if channel.limits.cards is None else list(channel.limits.cards),
        "months": channel.limits.months,
        "window": channel.window_form.value,
        "waits_hours": channel.waits_hours,
        "created_at": _iso(channel.created_at),
        "secret_key": None,
        "bucket_id": channel.file_bucket,
        "charges_per_month": channel.charges_per_month,
        "file_key": None,
    }


def payment_entry(payment: Payment, cancellations: Sequence[Cancellation]) -> dict[str, Any]:
    """Return a payment that is over; `cancellations` are the confirmed ones, oldest first."""
    order = payment.order
    return payment_object(payment, cancellations) | {
        "maedal": {
            "channel_key": payment.channel_id,
            "billing_key_id": payment.billing_key_id,
            "pg_tid": payment.pg_tid,
            "tax_free": order.price.tax_free.amount,
            "quantity": order.quantity,
            "notice_urls": list(order.notice_urls),
            "card_quota_asked": order.card_quota_months,
            "kept": order.kept,
            "card": _card(payment.card),
            "fail_code": payment.fail_code,
            "started_at": _iso(payment.started_at),
            "updated_at": _iso(payment.updated_at),
            "paid_at": _iso(payment.paid_at),
            "failed_at": _iso(payment.failed_at),
            "cancelled_at": _iso(payment.cancelled_at),
            "cancels": [
                {
                    "tax_free": c.split.tax_free,
                    "begun_at": _iso(c.begun_at),
                    "done_at": _iso(c.done_at),
                    "pg_aid": c.pg_aid,
                    "at_pg": c.at_pg,
                    "kind": c.kind,
                }
                for c in cancellations
            ],
        }
    }


def key_entry(key: BillingKey, pg_key: str, recipient: Any, *, to_end: bool) -> dict[str, Any]:
    """Return a billing key with its SID sealed to `recipient`, together with the id of the key it belongs to.

    `to_end`: it has ended here and not at the PG yet, so whoever takes it over is to end it there.
    """
    sealed = pyrage.encrypt(json.dumps({"id": key.id, "pg_key": pg_key}).encode(), [recipient])
    return customer_object(key) | {
        "pay_method": None if key.method is None else PAY_METHOD[key.method],
        "pg_key_sealed": base64.b64encode(sealed).decode(),
        "pg_user_id": key.pg_user_id,
        "maedal": {
            "id": key.id,
            "channel_key": key.channel_id,
            "card": _card(key.card),
            "inserted_at": _iso(key.inserted_at),
            "updated_at": _iso(key.updated_at),
            "last_approved_at": _iso(key.last_approved_at),
            "last_approval_seen_at": _iso(key.last_approval_seen_at),
            "last_approval_in_reply": key.last_approval_in_reply,
            "ended_at": _iso(key.ended_at),
            "ended_by": None if key.ended_by is None else key.ended_by.value,
            "to_end_at_pg": to_end,
            "gone_at": _iso(key.gone_at),
        },
    }


def schedule_entry(schedule: Schedule) -> dict[str, Any]:
    """Return a scheduled charge."""
    order = schedule.order
    return schedule_object(schedule) | {
        "maedal": {
            "channel_key": schedule.channel_id,
            "tax_free": order.price.tax_free.amount,
            "quantity": order.quantity,
            "notice_urls": list(order.notice_urls),
            "schedule_at": _iso(schedule.schedule_at),
            "inserted_at": _iso(schedule.inserted_at),
            "executed_at": _iso(schedule.executed_at),
            "revoked_at": _iso(schedule.revoked_at),
            "next_try_at": _iso(schedule.next_try.at if schedule.next_try else None),
            "next_try_reason": schedule.next_try.reason.value if schedule.next_try else None,
            "tries": schedule.tries,
            "hold": None
            if schedule.hold is None
            else {"at": _iso(schedule.hold.at), "who": schedule.hold.who, "reason": schedule.hold.reason},
        }
    }


def prepared_entry(prepared: PreparedAmount) -> dict[str, Any]:
    """Return a registered amount."""
    currency = None if prepared.currency is None else prepared.currency.value
    return {
        "merchant_uid": prepared.merchant_uid,
        "amount": prepared.amount,
        "currency": currency,
        "customer_uid": prepared.customer_uid,
    }


def _card(card: CardDetails | None) -> dict[str, Any] | None:
    return None if card is None else asdict(card)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
