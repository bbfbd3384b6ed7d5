"""What a KakaoPay-only gateway does not do, and how it says so (docs/wire/portone-v1-rest.md 4.8): one table.

Every one of these asks for the token first. Whatever they are sent, nothing is read from it or kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod, Response, route

from maedal.merchants.scope import Scope
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.errors import ApiRefusal
from maedal.rest.language import Bilingual
from maedal.rest.scopes import NEEDED

_TYPE = re.compile(r":[a-z]+(?=\})")
NO_PAYMENT = "존재하지 않는 결제정보입니다."
NO_CERTIFICATION = "인증결과가 존재하지 않습니다."
NO_SUCH_PG = "지원하지 않는 PG사입니다."
NO_RECEIPT = Bilingual("현금영수증 정보가 존재하지 않습니다.", "There is no cash receipt.")
NO_RECEIPTS_HERE = Bilingual(
    "카카오페이는 현금영수증 API를 지원하지 않습니다. 카카오페이머니 결제의 현금영수증은 카카오페이가 발급합니다.",
    "KakaoPay has no API for cash receipts; it issues those of KakaoPay Money payments itself.",
)
NO_CERTIFICATIONS = Bilingual("본인인증 서비스를 지원하지 않습니다.", "Certifications are not supported.")
NOT_A_VBANK = Bilingual("가상계좌 결제건이 아닙니다.", "The payment has no virtual account.")
NO_ORDER_LIST = Bilingual(
    "카카오페이가 더 이상 제공하지 않는 주문내역 조회입니다.", "KakaoPay does not offer this list of orders any more."
)
NO_TIER = Bilingual("등록되지 않은 하위상점입니다.", "There is no such sub-merchant.")
NO_VBANK = "가상계좌 서비스를 이용하시려면 PG사와의 계약이 필요합니다. 카카오페이는 가상계좌를 지원하지 않습니다."


@dataclass(frozen=True, slots=True)
class UnsupportedEndpoint:
    """One method and path that belongs to other PGs, and its answer."""

    methods: tuple[HttpMethod, ...]
    path: str
    status: int
    message: str
    if_payment_exists: tuple[int, str] | None = None
    """Another status and text for an `imp_uid` that the merchant has."""


G, P, U, D = HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE
TABLE: tuple[UnsupportedEndpoint, ...] = (
    UnsupportedEndpoint((G, D), "/certifications/{imp_uid:str}", 404, NO_CERTIFICATION),
    UnsupportedEndpoint((P,), "/certifications/otp/request", 400, NO_CERTIFICATIONS),
    UnsupportedEndpoint((P,), "/certifications/otp/confirm/{imp_uid:str}", 404, NO_CERTIFICATION),
    UnsupportedEndpoint(
        (G, P, U), "/escrows/logis/{imp_uid:str}", 404, NO_PAYMENT, (400, "현재 지원되지 않는 PG사입니다.")
    ),
    UnsupportedEndpoint((G,), "/receipts/{imp_uid:str}", 404, NO_RECEIPT),
    UnsupportedEndpoint((P, D), "/receipts/{imp_uid:str}", 501, NO_RECEIPTS_HERE),
    UnsupportedEndpoint((G,), "/receipts/external/{merchant_uid:str}", 404, NO_RECEIPT),
    UnsupportedEndpoint((P, D), "/receipts/external/{merchant_uid:str}", 501, NO_RECEIPTS_HERE),
    UnsupportedEndpoint((P,), "/partners/receipts/{imp_uid:str}", 501, NO_RECEIPTS_HERE),
    UnsupportedEndpoint((P,), "/vbanks", 200, NO_VBANK),
    UnsupportedEndpoint((U, D), "/vbanks/{imp_uid:str}", 404, NO_PAYMENT, (400, NOT_A_VBANK)),
    UnsupportedEndpoint((G,), "/vbanks/holder", 404, NO_SUCH_PG),
    UnsupportedEndpoint((G,), "/kakao/payment/orders", 404, NO_ORDER_LIST),
    UnsupportedEndpoint((G,), "/tiers/{tier_code:str}", 404, NO_TIER),
    UnsupportedEndpoint((P,), "/subscribe/payments/foreign", 200, NO_SUCH_PG),
    UnsupportedEndpoint((P,), "/payco/orders/status/{imp_uid:str}", 200, NO_SUCH_PG),
    UnsupportedEndpoint((P,), "/paymentwall/delivery", 200, NO_SUCH_PG),
    UnsupportedEndpoint((P,), "/cvs", 200, NO_SUCH_PG),
    UnsupportedEndpoint((D,), "/cvs/{imp_uid:str}", 200, NO_SUCH_PG),
    UnsupportedEndpoint((P,), "/benepia/point", 200, NO_SUCH_PG),
    UnsupportedEndpoint((P,), "/benepia/payment", 200, NO_SUCH_PG),
    UnsupportedEndpoint((G, P, U, D), "/kcpquick/{rest:path}", 200, NO_SUCH_PG),
    UnsupportedEndpoint((G, P, U, D), "/payments/{imp_uid:str}/naver/{rest:path}", 404, NO_PAYMENT, (400, NO_SUCH_PG)),
    UnsupportedEndpoint((G, P, U, D), "/naver/product-orders/{rest:path}", 404, NO_PAYMENT),
    UnsupportedEndpoint((G,), "/naver/reviews", 404, NO_PAYMENT),
)


def _handler(entry: UnsupportedEndpoint) -> Any:
    async def answer(request: AnyRequest) -> Response[bytes]:
        services, tokens, _ = context_of(request)
        merchant_id = await tokens.merchant_id(request)
        if entry.if_payment_exists is not None:
            imp_uid = str(request.path_params["imp_uid"])
            if "\0" not in imp_uid and await services.store.payments.find(merchant_id, imp_uid) is not None:
                raise ApiRefusal(entry.if_payment_exists[0], -1, entry.if_payment_exists[1])
        raise ApiRefusal(entry.status, -1, entry.message)

    named: Callable[[AnyRequest], Any] = answer
    return route(entry.path, http_method=list(entry.methods), status_code=200)(named)


HANDLERS = [_handler(entry) for entry in TABLE]

# Some of these say whether a payment is there, and that is all they do.
NEEDED.update(
    {
        (method.value, _TYPE.sub("", entry.path)): Scope.PAYMENTS_READ if entry.if_payment_exists else None
        for entry in TABLE
        for method in entry.methods
    }
)
