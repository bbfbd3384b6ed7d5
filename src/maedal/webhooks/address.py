"""Further addresses of a merchant's webhooks: each has events of its own choice, a secret and a state of its own.

The merchant's own two addresses, for test and for live payments, are the first one. PortOne knows these alone; for
them, and for the `notice_url` of a payment, its rules hold (`webhook.destinations`). A further address hears of what it
chose whatever a payment's `notice_url` says, and what becomes of one address's webhooks changes nothing for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.merchants.merchant import WebhookRetry, WebhookType
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment

ADDRESSES_MAX = 10
"""So many addresses a merchant may have, the first one among them."""
NAME_CHARS_MAX = 60
URL_BYTES_MAX = 2000
"""An index finds addresses that are the same, and takes no longer ones."""


class WebhookEvent(StrEnum):
    """What an address can choose to hear of. The values are public."""

    PAID = "payment.paid"
    SCHEDULE_FAILED = "schedule.failed"  # a scheduled charge
    FAILED = "payment.failed"  # any other payment
    CANCELLED = "payment.cancelled"  # wholly or partly, whoever asked for it


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """One of a merchant's further addresses, for payments of one mode."""

    merchant_id: str
    id: str
    name: str
    url: str
    test_mode: bool
    created_at: datetime
    events: frozenset[WebhookEvent] = frozenset(WebhookEvent)
    webhook_type: WebhookType = WebhookType.JSON
    retry: WebhookRetry = WebhookRetry.PATIENT
    active: bool = True
    """Whether it is told; for one that is not, webhooks are only recorded, and a person may send them later."""
    sealed_secret: bytes = field(default=b"", repr=False)
    """Signs what it is told, as Standard Webhooks says."""
    sealed_old_secret: bytes | None = field(default=None, repr=False)
    """Signs beside the new one until the receiver knows that."""
    version: int = 1
    """Counts its changes, so that two at once do not undo each other."""


def address_secret_context(merchant_id: str, address_id: str) -> tuple[str, ...]:
    """Return under what an address's secrets are sealed, the new and the old one."""
    return (f"webhook_addresses.secret:{merchant_id}:{address_id}", merchant_id, address_id)


def event_of(payment: Payment, status: Status) -> WebhookEvent | None:
    """Return the event that a payment's reaching `status` is; None when it is none."""
    match status:
        case Status.PAID:
            return WebhookEvent.PAID
        case Status.FAILED:
            is_scheduled = payment.order.key_use is KeyUse.SCHEDULED
            return WebhookEvent.SCHEDULE_FAILED if is_scheduled else WebhookEvent.FAILED
        case Status.CANCELLED:
            return WebhookEvent.CANCELLED
        case _:
            return None


def choosing(addresses: Sequence[WebhookAddress], payment: Payment, status: Status) -> tuple[WebhookAddress, ...]:
    """Return the addresses that chose to hear of a payment's reaching `status`, also those that are not active."""
    event = event_of(payment, status)
    return tuple(a for a in addresses if a.test_mode == payment.test_mode and event is not None and event in a.events)


def read_events(names: Iterable[str]) -> frozenset[WebhookEvent]:
    """Return the events of these names. Raises InvalidParameter for an unknown one, and when there is none."""
    wanted = set(names)
    unknown = sorted(wanted - set(WebhookEvent))
    if unknown:
        raise InvalidParameter("events", f"there is no event {unknown[0]}; there are {', '.join(WebhookEvent)}")
    if not wanted:
        raise InvalidParameter("events", "an address needs one event at least")
    return frozenset(map(WebhookEvent, wanted))
