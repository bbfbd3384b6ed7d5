"""What can be wrong with what a caller asks of a payment."""

from __future__ import annotations

from maedal.errors import GatewayError


class InvalidAmount(GatewayError):
    """The amount is no whole number of won in the allowed range."""

    code = "INVALID_AMOUNT"


class CurrencyMismatch(GatewayError):
    """Two currencies were combined, or the PG does not take this one."""

    code = "CURRENCY_NOT_SUPPORTED"


class InvalidParameter(GatewayError):
    """A field of the request is missing, of the wrong kind, or too long; the text names it."""

    code = "INVALID_PARAMETER"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class MerchantUidUsed(GatewayError):
    """This merchant_uid has been paid, cancelled, or is being paid right now; nothing was charged."""

    code = "MERCHANT_UID_USED"


class PaymentNotFound(GatewayError):
    """The merchant has no such payment."""

    code = "PAYMENT_NOT_FOUND"


class OutcomeUnknown(GatewayError):
    """The PG's answer was lost; the payment is being clarified and must not be repeated."""

    code = "OUTCOME_UNKNOWN"


class NothingToCancel(GatewayError):
    """There is no such payment, or no money was taken with it."""

    code = "NOTHING_TO_CANCEL"


class AlreadyCancelled(GatewayError):
    """Nothing is left to cancel."""

    code = "ALREADY_CANCELLED"


class CancelTooMuch(GatewayError):
    """More is asked back than is left."""

    code = "CANCEL_TOO_MUCH"


class ChecksumMismatch(GatewayError):
    """The caller believes that another amount is left; nothing was cancelled."""

    code = "CHECKSUM_MISMATCH"


class CancelBusy(GatewayError):
    """Another cancel of this payment is running or unclear; nothing was cancelled by this call."""

    code = "CANCEL_BUSY"


class CancelRefused(GatewayError):
    """The PG said no, or was not reached; nothing was cancelled."""

    code = "CANCEL_REFUSED"


class PgTidMissing(GatewayError):
    """The PG's id of this payment is not known yet, so it cannot be cancelled yet."""

    code = "PG_TID_MISSING"


class AmountMismatch(GatewayError):
    """A window asks for another amount than was registered for its merchant_uid."""

    code = "AMOUNT_MISMATCH"


class CustomerUidMismatch(GatewayError):
    """A window asks for the billing key of another customer than was registered for its merchant_uid."""

    code = "CUSTOMER_UID_MISMATCH"


class AlreadyPrepared(GatewayError):
    """An amount is registered for this merchant_uid already."""

    code = "ALREADY_PREPARED"


class NotPrepared(GatewayError):
    """Nothing is registered for this merchant_uid, or not all that the channel wants registered."""

    code = "NOT_PREPARED"


class PgCrowded(GatewayError):
    """So many calls to the PG are under way that this one was not begun; the same may be asked again shortly."""

    code = "PG_CROWDED"
