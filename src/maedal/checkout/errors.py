"""What each error before the window opens looks like in the page's callback: one table.

Source: docs/wire/portone-browser-sdk.md 1.7. Shops compare some of these sentences; they are never reworded.
"""

from __future__ import annotations

from maedal.errors import GatewayError
from maedal.flows.check_prepared import REFUSALS
from maedal.flows.open_window import OriginNotAllowed, PgRefusedWindow
from maedal.merchants.errors import (
    ChannelMisconfigured,
    ChannelNotFound,
    MerchantNotFound,
    NoChannel,
    TooManyRequests,
)
from maedal.payments.errors import CurrencyMismatch, InvalidAmount, InvalidParameter, MerchantUidUsed

TEXTS: dict[type[GatewayError], tuple[str, str]] = {
    MerchantNotFound: ("F500", "결제 창 호출에 실패했습니다. 스토어 정보를 조회하는데 실패하였습니다."),
    NoChannel: ("NOT_READY", "등록 된 PG 설정 정보를 찾을 수 없습니다."),
    ChannelNotFound: (
        "F1001",
        "등록되지 않은 PG모듈 정보입니다. 아임포트 관리자페이지에서 PG모듈 정보를 설정하신 후 다시 시도해주세요.",
    ),
    ChannelMisconfigured: (
        "CHANNEL_MISCONFIGURED",
        "이 결제를 처리할 수 없는 채널 설정입니다. customer_uid에는 정기결제용 채널(CID)이 필요합니다.",
    ),
    OriginNotAllowed: (
        "ORIGIN_NOT_ALLOWED",
        "이 사이트에서는 결제 창을 열 수 없습니다. 채널의 허용 도메인을 확인해주세요.",
    ),
    MerchantUidUsed: ("F1002", "이미 결제가 이루어진 거래건입니다."),
    InvalidAmount: ("INVALID_AMOUNT", "결제금액이 올바르지 않습니다."),
    CurrencyMismatch: ("CURRENCY_NOT_SUPPORTED", "지원하지 않는 통화입니다. 카카오페이는 KRW만 지원합니다."),
    InvalidParameter: ("INVALID_PARAMETER", "{message}"),
    TooManyRequests: (
        "TOO_MANY_REQUESTS",
        "요청이 너무 많습니다. 잠시 후 다시 시도해주세요. (There are too many requests. Please try again shortly.)",
    ),
    PgRefusedWindow: ("F0004", "{message}"),
    **{kind: (kind.code, text) for kind, text in REFUSALS.items()},
}
"""Every error that opening a window can meet; a test proves the table complete."""


def in_the_callback(error: GatewayError) -> tuple[str, str]:
    """Return code and text of `error`."""
    code, text = TEXTS[type(error)]
    if isinstance(error, InvalidParameter) and error.field == "merchant_uid":
        code = "INVALID_MERCHANT_UID"
    text = text.format(message=error.message)
    if isinstance(error, MerchantNotFound) and error.merchant_code:
        text += f" (가맹점 식별코드: {error.merchant_code})"
    return code, text


SDK_TEXTS = {
    "NETWORK_ERROR": "결제 서버에 연결하지 못했습니다. 잠시 후 다시 시도해주세요.",
    "INVALID_MERCHANT_UID": "주문번호(merchant_uid)가 올바르지 않습니다.",
    "ALREADY_OPEN": "이미 진행 중인 결제가 있습니다.",
    "NOT_INITIALIZED": "판매자 코드가 설정되지 않았습니다.",
}
"""What the SDK finds wrong before it asks us."""


def text_of_code(code: str) -> str:
    """Return the sentence for a code in an address; the address itself is never shown."""
    known = SDK_TEXTS | {c: text for c, text in TEXTS.values() if "{" not in text}
    return known.get(code, "결제 창을 열지 못했습니다.")
