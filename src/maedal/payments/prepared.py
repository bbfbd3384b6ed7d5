"""A prepared amount: what an order will cost, said by the merchant's server, so that a page cannot change it."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.payments.errors import AmountMismatch, CustomerUidMismatch, NotPrepared
from maedal.payments.money import Currency
from maedal.payments.payment import Order


@dataclass(frozen=True, slots=True)
class PreparedAmount:
    """The amount registered for a merchant_uid, in whole units; `currency` None leaves the currency unchecked.

    `customer_uid` is for whom the order may issue a billing key; None leaves that unchecked.
    """

    merchant_id: str
    merchant_uid: str
    amount: int
    currency: Currency | None = None
    customer_uid: str | None = None

    def check(self, order: Order) -> None:
        """Raise AmountMismatch or CustomerUidMismatch when an order is anything else.

        Source: docs/wire/portone-v1-rest.md 4.4.
        """
        total = order.price.total
        if total.amount != self.amount or self.currency not in {None, total.currency}:
            raise AmountMismatch("the amount differs from the one registered for this merchant_uid")
        if self.customer_uid not in {None, order.customer_uid}:
            raise CustomerUidMismatch("the customer_uid differs from the one registered for this merchant_uid")


def check_prepared(order: Order, prepared: PreparedAmount | None, *, prepared_only: bool) -> None:
    """Raise unless a page may ask for `order`, by what the merchant's server registered for it.

    With `prepared_only` nothing is asked for that is not registered: neither an amount nor a billing key. Raises
    NotPrepared then, or AmountMismatch or CustomerUidMismatch.
    """
    if prepared is not None:
        prepared.check(order)
    if not prepared_only:
        return
    if prepared is None:
        raise NotPrepared("this channel takes only payments whose amount is registered; see POST /payments/prepare")
    if order.customer_uid is not None and prepared.customer_uid is None:
        raise NotPrepared(
            "this channel issues billing keys only for a registered customer_uid; see POST /payments/prepare"
        )
