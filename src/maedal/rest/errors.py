"""What each error looks like on the wire: one table (docs/wire/portone-v1-rest.md 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.billing_keys.errors import (
    BillingKeyBusy,
    BillingKeyChargedUnseen,
    BillingKeyNotFound,
    BillingKeyNotTold,
    BillingKeyUnclear,
)
from maedal.errors import GatewayError
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.merchants.errors import (
    AddressNotAllowed,
    ChannelMisconfigured,
    ChannelNotFound,
    MerchantNotFound,
    NoChannel,
    OtherMode,
    TooManyFailures,
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
    PgTidMissing,
)
from maedal.schedules.errors import (
    InvalidScheduleTime,
    MerchantUidPlanned,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)


class ApiRefusal(Exception):
    """An answer that an endpoint gives in its own words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """HTTP status, envelope code, and the text; `{message}` stands for the error's own sentence."""

    status: int
    code: int
    text: str


UNAUTHORIZED = ApiRefusal(401, -1, "Unauthorized")

WIRE: dict[type[GatewayError], OnTheWire] = {
    WrongApiSecret: OnTheWire(401, -1, "인증에 실패하였습니다. API키와 secret을 확인하세요."),
    AddressNotAllowed: OnTheWire(401, -1, "허용되지 않은 IP에서 온 요청입니다. ({message})"),
    TooManyFailures: OnTheWire(429, -1, "인증에 거듭 실패하여 요청을 확인하지 않았습니다. ({message})"),
    InvalidParameter: OnTheWire(200, 1, "{message}"),
    InvalidAmount: OnTheWire(200, 1, "amount 값이 올바르지 않습니다. ({message})"),
    CurrencyMismatch: OnTheWire(200, 1, "currency 값이 올바르지 않습니다. ({message})"),
    BillingKeyNotFound: OnTheWire(200, 1, "등록되지 않은 구매자입니다."),
    MerchantUidUsed: OnTheWire(
        200, -1, "이미 주문이 이루어진 건입니다. (동일한 merchant_uid로 결제 또는 취소된 기록이 있습니다)"
    ),
    BillingKeyBusy: OnTheWire(
        200, -1, "같은 customer_uid의 다른 결제가 진행 중이어서 결제하지 않았습니다. 잠시 후 다시 시도해주세요."
    ),
    BillingKeyUnclear: OnTheWire(
        200,
        -1,
        "같은 customer_uid의 이전 결제 결과를 확인하고 있어 결제하지 않았습니다. 확인이 끝난 뒤 다시 시도해주세요.",
    ),
    BillingKeyChargedUnseen: OnTheWire(
        200,
        -1,
        "같은 customer_uid로 카카오페이에서 승인되었으나 이곳에 없는 결제가 있어 결제하지 않았습니다. "
        "이미 결제한 주문일 수 있으니 거래내역으로 확인된 뒤 다시 시도해주세요.",
    ),
    BillingKeyNotTold: OnTheWire(
        200,
        -1,
        "데이터베이스가 전환된 뒤 같은 customer_uid의 결제 내역을 카카오페이에서 확인하지 못해 결제하지 않았습니다. "
        "잠시 후 다시 시도해주세요.",
    ),
    PgUnderMaintenance: OnTheWire(
        200, -1, "카카오페이 점검 중이어서 결제하지 않았습니다. 점검이 끝난 뒤 다시 시도해주세요."
    ),
    OutcomeUnknown: OnTheWire(
        200, -1, "결제 결과를 확인하고 있습니다. 다시 요청하지 마시고 결제내역 조회 또는 웹훅으로 결과를 확인해주세요."
    ),
    PaymentNotFound: OnTheWire(404, -1, "존재하지 않는 결제정보입니다."),
    NothingToCancel: OnTheWire(200, 1, "취소할 결제건이 존재하지 않습니다."),
    AlreadyCancelled: OnTheWire(200, 1, "이미 전액취소된 주문입니다."),
    ChecksumMismatch: OnTheWire(200, 1, "checksum 값이 취소 가능한 금액과 일치하지 않습니다. ({message})"),
    CancelTooMuch: OnTheWire(200, 1, "취소 요청 금액이 취소 가능한 금액을 초과합니다. ({message})"),
    CancelBusy: OnTheWire(200, -1, "이 결제의 다른 취소가 진행 중이거나 결과를 확인하고 있어 취소하지 않았습니다."),
    CancelRefused: OnTheWire(200, -1, "{message}"),
    PgTidMissing: OnTheWire(
        200,
        -1,
        "PG사 거래번호를 아직 확인하지 못해 취소할 수 없습니다. 정산 자료로 거래번호가 확인된 뒤 다시 시도해주세요.",
    ),
    AlreadyPrepared: OnTheWire(200, 1, "결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다)."),
    NotPrepared: OnTheWire(404, -1, "사전등록된 결제정보가 존재하지 않습니다."),
    ScheduleNotFound: OnTheWire(404, -1, "존재하지 않는 결제예약입니다."),
    ScheduleNotChangeable: OnTheWire(400, -1, "현재 상태에서는 처리할 수 없는 결제예약입니다. ({message})"),
    InvalidScheduleTime: OnTheWire(
        200, 1, "schedule_at 파라메터는 현재 이후 5년 이내의 UNIX timestamp(초)여야 합니다. ({message})"
    ),
    MerchantUidPlanned: OnTheWire(
        200, 1, "이미 결제예약되었거나 결제된 merchant_uid가 있어 예약하지 않았습니다. ({message})"
    ),
    NothingToUnschedule: OnTheWire(200, 1, "취소할 예약결제 기록이 존재하지 않습니다."),
    MerchantNotFound: OnTheWire(404, -1, "가맹점 정보를 찾을 수 없습니다."),
    NoChannel: OnTheWire(200, -1, "등록 된 PG 설정 정보를 찾을 수 없습니다."),
    ChannelNotFound: OnTheWire(200, -1, "등록되지 않은 PG모듈 정보입니다."),
    ChannelMisconfigured: OnTheWire(200, -1, "PG 설정이 올바르지 않습니다. ({message})"),
    OtherMode: OnTheWire(200, -1, "등록하거나 결제한 때와 채널의 모드가 다릅니다. ({message})"),
}
"""Every error that a REST call can meet; a test proves the table complete."""


def on_the_wire(error: GatewayError) -> ApiRefusal:
    """Return how `error` is answered."""
    row = WIRE[type(error)]
    return ApiRefusal(row.status, row.code, row.text.format(message=error.message))
