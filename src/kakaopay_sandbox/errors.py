"""What KakaoPay says no with: one class per code of docs/wire/kakaopay.md, 8.2 and 8.3.

Texts that nobody has published are ours; clients must not depend on any of them.
"""

from typing import Any

from kakaopay_sandbox.faults import Extras
from kakaopay_sandbox.results import result_text


class Refusal(Exception):
    """A call that KakaoPay answers with an error body; `code` is the same in both generations unless said otherwise."""

    code: int = -500
    legacy_code: int | None = None
    """The number in the older generation, where it has another."""
    http_status: int = 400
    message: str = "internal error"

    def __init__(self, message: str | None = None, *, method_result_code: str | None = None) -> None:
        self.text = message or self.message
        self.method_result_code = method_result_code
        self.extras_form = Extras.PRESENT
        super().__init__(self.text)

    @property
    def extras(self) -> dict[str, Any]:
        """The field `extras`, in an object: what the payment method answered. Empty when none was asked."""
        code = self.method_result_code
        if code is None or self.extras_form is Extras.ABSENT:
            return {}
        if self.extras_form is Extras.NULL:
            return {"extras": None}
        if self.extras_form is Extras.EMPTY:
            return {"extras": {}}
        message = {"method_result_message": result_text(code)}
        if self.extras_form is Extras.WITHOUT_CODE:
            return {"extras": message}
        return {"extras": {"method_result_code": "" if self.extras_form is Extras.EMPTY_CODE else code} | message}


class BadParameter(Refusal):
    code = -2
    message = "invalid param"

    @classmethod
    def missing(cls, field: str) -> "BadParameter":
        return cls(f"{field} can't be null.")

    @classmethod
    def invalid(cls, field: str) -> "BadParameter":
        return cls(f"invalid param({field} has invalid value)")


class MissingAuthorization(Refusal):
    code = -400
    message = "Authorization header is missing or malformed."


class WrongKey(Refusal):
    code = -401
    http_status = 401
    message = "secret key is not valid."


class NotSwitchedOn(Refusal):
    """The online payment API is not switched on for the app of this key (3.6)."""

    code = -403
    legacy_code = -3
    http_status = 403
    message = "api is not activated."


class NoSuchAddress(Refusal):
    code = -404
    http_status = 404
    message = "no such address."


class InternalError(Refusal):
    code = -500
    legacy_code = -1
    http_status = 500
    message = "internal error."


class NotAuthenticated(Refusal):
    code = -701
    message = "authentication doesn't complete!"


class AlreadyApproved(Refusal):
    code = -702
    message = "payment is already done!"


class OtherOrderId(Refusal):
    code = -706
    message = "partner order id is different when you ordered!"


class OtherUserId(Refusal):
    code = -707
    message = "partner user id is different when you ordered!"


class WrongPgToken(Refusal):
    code = -708
    message = "pg_token is not valid!"


class AboveAvailable(Refusal):
    code = -710
    message = "cancel amount exceeds the available amount!"


class AboveOriginal(Refusal):
    code = -711
    message = "cancel amount exceeds the original amount!"


class UnknownTid(Refusal):
    code = -721
    message = "tid does not exist!"


class WrongAmounts(Refusal):
    code = -722
    message = "amount information is not valid!"


class Expired(Refusal):
    code = -723
    message = "payment is expired!"


class WrongTotal(Refusal):
    code = -725
    message = "total amount is not valid!"


class WrongCid(Refusal):
    code = -731
    message = "cid is not valid!"


class WrongCidSecret(Refusal):
    code = -733
    message = "cid_secret is not valid!"


class UnknownSid(Refusal):
    code = -750
    message = "sid does not exist!"


class InactiveSid(Refusal):
    code = -751
    message = "sid is inactive!"


class MonthlyLimit(Refusal):
    code = -752
    message = "sid exceeds the monthly maximum count!"


class OtherSubscriber(Refusal):
    code = -753
    message = "partner user id is different from the first payment of this sid!"


class NotATalkUser(Refusal):
    """Shown on the PC page only; no API call answers it."""

    code = -761
    message = "phone number is not a KakaoTalk user!"


class ApprovalFailed(Refusal):
    code = -780
    message = "approval failure!"


class CancelFailed(Refusal):
    code = -781
    message = "cancel failure!"


class SubscriptionFailed(Refusal):
    code = -782
    message = "subscription failure!"


class NotApprovable(Refusal):
    code = -783
    message = "payment is not in an approvable state!"


class NotCancelable(Refusal):
    code = -784
    message = "payment is not in a cancelable state!"


class RequestedTwice(Refusal):
    code = -785
    message = "request is duplicated!"


class OneTimeLimit(Refusal):
    code = -797
    message = "one-time limit is exceeded!"


class UnregisteredDomain(Refusal):
    code = -799
    message = "redirect domain is not registered!"


# Where a code's HTTP status is not 400: 8.3 of the document, both generations.
HTTP_STATUSES = {code: -code for code in (-401, -403, -404, -429, -500, -503)} | {
    **dict.fromkeys((-3, -4, -5, -402), 403),
    -9798: 503,
}


class Arranged(Refusal):
    """A refusal that a test has ordered through the control API, with any code."""

    message = "refused as arranged through the simulator's control API."

    def __init__(self, code: int, message: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.legacy_code = InternalError.legacy_code if code == InternalError.code else None
        self.http_status = HTTP_STATUSES.get(code, 400)
