"""What each error looks like on the wire: one table (docs/wire/portone-v1-rest.md 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargeUnrecorded,
    BillingKeyNotFound,
    BillingKeyStatusUnavailable,
    BillingKeyUnclear,
)
from maedal.errors import GatewayError
from maedal.korean_messages import in_korean
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.errors import (
    AddressNotAllowed,
    ChannelMisconfigured,
    ChannelNotFound,
    MerchantNotFound,
    NoChannel,
    OtherMode,
    ScopeMissing,
    TooManyFailures,
    TooManyRequests,
    WrongApiSecret,
)
from maedal.payments.errors import (
    AlreadyCancelled,
    AlreadyPrepared,
    CancelBusy,
    CancelRefused,
    CancelTooMuch,
    ChecksumMismatch,
    CurrencyMismatch,
    InvalidAmount,
    InvalidParameter,
    MerchantUidUsed,
    NothingToCancel,
    NotPrepared,
    OutcomeUnknown,
    PaymentNotFound,
    PgCrowded,
    PgTidMissing,
)
from maedal.plans.errors import PlanNotChangeable, PlanNotFound, PlanUidTaken
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.language import Bilingual
from maedal.schedules.errors import (
    InvalidScheduleTime,
    MerchantUidScheduled,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)


class ApiRefusal(Exception):
    """An answer that an endpoint gives in its own words: in both languages if they are `Bilingual`."""

    def __init__(self, status: int, code: int, message: str, name: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.name = name
        """The code of the error that it tells, as the log of calls keeps it; "" for one that has none."""


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """HTTP status, envelope code, and the text; `{message}` stands for the error's own sentence.

    A text that PortOne fixes is a plain one (docs/wire/portone-v1-rest.md 2.2.1), every other is in both languages.
    """

    status: int
    code: int
    text: str


UNAUTHORIZED = OnTheWire(401, -1, "Unauthorized")


def unauthorized() -> ApiRefusal:
    """Return the refusal, a new one each time: one that is raised again and again keeps every frame that it met."""
    return ApiRefusal(UNAUTHORIZED.status, UNAUTHORIZED.code, UNAUTHORIZED.text, "UNAUTHORIZED")


def too_large_text(bytes_max: int) -> Bilingual:
    """Return what a body of more bytes is answered."""
    kibibytes = bytes_max // 1024
    return Bilingual(
        f"요청 본문이 너무 큽니다. (최대 {kibibytes} KiB)", f"The body is too large. ({kibibytes} KiB at most)"
    )


TOO_LARGE_TEXT = too_large_text(BODY_BYTES_MAX)
NO_SUCH_API = Bilingual("존재하지 않는 API입니다.", "There is no such API.")
NO_SUCH_METHOD = Bilingual("지원되지 않는 HTTP 메소드입니다.", "This HTTP method is not supported here.")
NOT_CARRIED_OUT = Bilingual("요청을 처리할 수 없습니다.", "The request cannot be carried out.")
SERVER_ERROR = Bilingual("서버 오류가 발생하였습니다.", "The server has an error.")
NO_DATABASE = Bilingual(
    "일시적으로 요청을 처리할 수 없습니다. 잠시 후 다시 시도해주세요.",
    "The request cannot be carried out at the moment. Please try again shortly.",
)

WIRE: dict[type[GatewayError], OnTheWire] = {
    WrongApiSecret: OnTheWire(401, -1, "인증에 실패하였습니다. API키와 secret을 확인하세요."),
    AddressNotAllowed: OnTheWire(
        401, -1, Bilingual("허용되지 않은 IP에서 온 요청입니다. ({message})", "This address may not call. ({message})")
    ),
    ScopeMissing: OnTheWire(
        403,
        -1,
        Bilingual(
            "이 API 키에 없는 권한이 필요한 요청입니다. ({message})",
            "The API key lacks the scope of this call. ({message})",
        ),
    ),
    TooManyFailures: OnTheWire(
        429,
        -1,
        Bilingual(
            "인증에 거듭 실패하여 요청을 확인하지 않았습니다. ({message})",
            "Too many calls had a wrong secret; this one was not looked at. ({message})",
        ),
    ),
    TooManyRequests: OnTheWire(
        429, -1, Bilingual("요청이 너무 많습니다. ({message})", "There are too many requests. ({message})")
    ),
    InvalidParameter: OnTheWire(200, 1, Bilingual("{message}", "{message}")),
    InvalidAmount: OnTheWire(
        200, 1, Bilingual("amount 값이 올바르지 않습니다. ({message})", "amount is not right. ({message})")
    ),
    CurrencyMismatch: OnTheWire(
        200, 1, Bilingual("currency 값이 올바르지 않습니다. ({message})", "currency is not right. ({message})")
    ),
    BillingKeyNotFound: OnTheWire(200, 1, "등록되지 않은 구매자입니다."),
    MerchantUidUsed: OnTheWire(
        200, -1, "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)"
    ),
    BillingKeyBusy: OnTheWire(
        200,
        -1,
        Bilingual(
            "같은 customer_uid의 다른 결제가 진행 중이어서 결제하지 않았습니다. 잠시 후 다시 시도해주세요.",
            "Another charge of this customer_uid is running, so nothing was charged. Please try again shortly.",
        ),
    ),
    BillingKeyUnclear: OnTheWire(
        200,
        -1,
        Bilingual(
            "같은 customer_uid의 이전 결제 결과를 확인하고 있어 결제하지 않았습니다. 확인이 끝난 뒤 다시 시도해주세요.",
            "The outcome of an earlier charge of this customer_uid is being clarified, so nothing was charged. "
            "Please try again once it is clear.",
        ),
    ),
    BillingKeyChargeUnrecorded: OnTheWire(
        200,
        -1,
        Bilingual(
            "같은 customer_uid로 카카오페이에서 승인되었으나 이곳에 없는 결제가 있어 결제하지 않았습니다. "
            "이미 결제한 주문일 수 있으니 거래내역으로 확인된 뒤 다시 시도해주세요.",
            "KakaoPay has approved a payment of this customer_uid that is missing here, so nothing was charged. "
            "It may be this very order: please try again once KakaoPay's file of the day has told.",
        ),
    ),
    BillingKeyStatusUnavailable: OnTheWire(
        200,
        -1,
        Bilingual(
            "데이터베이스가 전환된 뒤 같은 customer_uid의 결제 내역을 카카오페이에서 확인하지 못해 "
            "결제하지 않았습니다. 잠시 후 다시 시도해주세요.",
            "The database has moved to another server, and KakaoPay does not tell what this customer_uid was charged "
            "with meanwhile, so nothing was charged. Please try again shortly.",
        ),
    ),
    PgUnderMaintenance: OnTheWire(
        200,
        -1,
        Bilingual(
            "카카오페이 점검 중이어서 결제하지 않았습니다. 점검이 끝난 뒤 다시 시도해주세요.",
            "KakaoPay is under maintenance, so nothing was charged. Please try again once that is over.",
        ),
    ),
    PgCrowded: OnTheWire(
        200,
        -1,
        Bilingual(
            "PG사에 진행 중인 요청이 너무 많아 결제하지 않았습니다. 잠시 후 다시 시도해주세요.",
            "Too many calls to the PG are under way, so nothing was charged. Please try again shortly.",
        ),
    ),
    OutcomeUnknown: OnTheWire(
        200,
        -1,
        Bilingual(
            "결제 결과를 확인하고 있습니다. 다시 요청하지 마시고 결제내역 조회 또는 웹훅으로 결과를 확인해주세요.",
            "The outcome is being clarified. Please do not send this again: read the payment, or wait for its webhook.",
        ),
    ),
    PaymentNotFound: OnTheWire(404, -1, "존재하지 않는 결제정보입니다."),
    NothingToCancel: OnTheWire(200, 1, "취소할 결제건이 존재하지 않습니다."),
    AlreadyCancelled: OnTheWire(200, 1, "이미 전액취소된 주문입니다."),
    ChecksumMismatch: OnTheWire(
        200,
        1,
        Bilingual(
            "checksum 값이 취소 가능한 금액과 일치하지 않습니다. ({message})",
            "checksum is not the amount that is left to cancel. ({message})",
        ),
    ),
    CancelTooMuch: OnTheWire(
        200,
        1,
        Bilingual(
            "취소 요청 금액이 취소 가능한 금액을 초과합니다. ({message})",
            "More is to be cancelled than is left. ({message})",
        ),
    ),
    CancelBusy: OnTheWire(
        200,
        -1,
        Bilingual(
            "이 결제의 다른 취소가 진행 중이거나 결과를 확인하고 있어 취소하지 않았습니다.",
            "Another cancel of this payment is running or being clarified, so this one was not made.",
        ),
    ),
    CancelRefused: OnTheWire(200, -1, "{message}"),
    PgTidMissing: OnTheWire(
        200,
        -1,
        Bilingual(
            "PG사 거래번호를 아직 확인하지 못해 취소할 수 없습니다. 정산 자료로 거래번호가 확인된 뒤 "
            "다시 시도해주세요.",
            "The PG's number of this payment is not known yet, so it cannot be cancelled. Please try again once the "
            "settlement file has told it.",
        ),
    ),
    AlreadyPrepared: OnTheWire(200, 1, "결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다)."),
    NotPrepared: OnTheWire(404, -1, "사전등록된 결제정보가 존재하지 않습니다."),
    ScheduleNotFound: OnTheWire(
        404, -1, Bilingual("존재하지 않는 결제예약입니다.", "There is no such scheduled charge.")
    ),
    ScheduleNotChangeable: OnTheWire(
        400,
        -1,
        Bilingual(
            "현재 상태에서는 처리할 수 없는 결제예약입니다. ({message})",
            "The scheduled charge does not stand where this is possible. ({message})",
        ),
    ),
    InvalidScheduleTime: OnTheWire(
        200,
        1,
        Bilingual(
            "schedule_at 파라메터는 현재 이후 5년 이내의 UNIX timestamp(초)여야 합니다. ({message})",
            "schedule_at must be a UNIX timestamp in seconds, from now to five years ahead. ({message})",
        ),
    ),
    MerchantUidScheduled: OnTheWire(
        200,
        1,
        Bilingual(
            "이미 결제예약되었거나 결제된 merchant_uid가 있어 예약하지 않았습니다. ({message})",
            "A merchant_uid is planned or paid already, so nothing was planned. ({message})",
        ),
    ),
    PlanNotFound: OnTheWire(404, -1, Bilingual("존재하지 않는 정기결제입니다.", "There is no such plan.")),
    PlanUidTaken: OnTheWire(
        200, 1, Bilingual("이미 사용 중인 plan_uid입니다.", "A plan of this plan_uid is there already.")
    ),
    PlanNotChangeable: OnTheWire(
        400,
        -1,
        Bilingual(
            "현재 상태에서는 처리할 수 없는 정기결제입니다. ({message})",
            "The plan does not stand where this is possible. ({message})",
        ),
    ),
    NothingToUnschedule: OnTheWire(200, 1, "취소할 예약결제 기록이 존재하지 않습니다."),
    MerchantNotFound: OnTheWire(404, -1, Bilingual("가맹점 정보를 찾을 수 없습니다.", "There is no such merchant.")),
    NoChannel: OnTheWire(200, -1, "등록 된 PG 설정 정보를 찾을 수 없습니다."),
    ChannelNotFound: OnTheWire(200, -1, "등록되지 않은 PG모듈 정보입니다."),
    ChannelMisconfigured: OnTheWire(
        200, -1, Bilingual("PG 설정이 올바르지 않습니다. ({message})", "The channel is not set up right. ({message})")
    ),
    OtherMode: OnTheWire(
        200,
        -1,
        Bilingual(
            "등록하거나 결제한 때와 채널의 모드가 다릅니다. ({message})",
            "The channel is in another mode than it was. ({message})",
        ),
    ),
}
"""Every error that a REST call can meet; a test proves the table complete."""


def on_the_wire(error: GatewayError) -> ApiRefusal:
    """Return how `error` is answered."""
    row = WIRE[type(error)]
    # A plain text has no place for a rule's sentence; what the PG says stays in the PG's words.
    message = _in_both(error.message) if isinstance(row.text, Bilingual) else error.message
    return ApiRefusal(row.status, row.code, row.text.format(message=message), error.code)


def _in_both(message: str) -> str:
    """Return a rule's sentence in both languages: the rules themselves speak English."""
    if isinstance(message, Bilingual):
        return message
    korean = in_korean(message)
    return message if korean is None else Bilingual(korean, message)
