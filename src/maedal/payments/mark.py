"""A mark: what the PG keeps for us beside money it takes, so that it can tell what for when our database cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maedal.payments.payment import KeyUse, Payment

BYTES_MAX = 200
"""What KakaoPay takes as `payload` (docs/wire/kakaopay.md 2), if it counts bytes; it may count characters."""
_FORM = re.compile(
    r"maedal1 ([!-~]{1,40}) ([!-~]{1,40}) ([a-z.]{1,20}|-) ([!-~]{1,40}|-) (\S(?:.{0,78}\S)?)", re.DOTALL
)


_CANCEL_FORM = re.compile(r"maedal1-cancel ([!-~]{1,40}) ([!-~]{1,40})")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which payment of which merchant the money was taken for. Nothing in it is personal or secret."""

    merchant_id: str
    imp_uid: str
    merchant_uid: str
    key_use: KeyUse | None = None
    billing_key_id: str | None = None


def write_mark(payment: Payment) -> str | None:
    """Return the mark of a payment as text; None for one whose ids do not fit, which then goes without."""
    use = payment.order.key_use or "-"
    merchant_uid = payment.order.merchant_uid
    text = f"maedal1 {payment.merchant_id} {payment.imp_uid} {use} {payment.billing_key_id or '-'} {merchant_uid}"
    fits = len(text.encode()) <= BYTES_MAX and _FORM.fullmatch(text) is not None
    return text if fits else None


def read_mark(text: str | None) -> Mark | None:
    """Return what a mark says; None for a text that is none, such as one that another system wrote."""
    found = _FORM.fullmatch(text or "")
    if found is None:
        return None
    merchant_id, imp_uid, use, key_id, merchant_uid = found.groups()
    try:
        key_use = None if use == "-" else KeyUse(use)
    except ValueError:
        return None
    return Mark(merchant_id, imp_uid, merchant_uid, key_use, None if key_id == "-" else key_id)


@dataclass(frozen=True, slots=True)
class CancelMark:
    """Which cancel of which merchant gave money back."""

    merchant_id: str
    cancellation_id: str


def write_cancel_mark(merchant_id: str, cancellation_id: str) -> str | None:
    """Return the mark of a cancel as text; None for one whose ids do not fit, which then goes without."""
    text = f"maedal1-cancel {merchant_id} {cancellation_id}"
    return text if _CANCEL_FORM.fullmatch(text) else None


def read_cancel_mark(text: str | None) -> CancelMark | None:
    """Return what the mark of a cancel says; None for a text that is none."""
    found = _CANCEL_FORM.fullmatch(text or "")
    return None if found is None else CancelMark(*found.groups())
