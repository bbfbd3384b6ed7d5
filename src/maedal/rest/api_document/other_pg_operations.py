"""The calls that belong to other PGs."""

from __future__ import annotations

from typing import Any

from maedal.rest import unsupported
from maedal.rest.api_document.operation import Operation, in_path
from maedal.rest.api_document.parameters import IMP_UID, MERCHANT_UID, bad
from maedal.rest.api_document.schemas import text
from maedal.rest.api_document.words import Words

SUBJECTS = {
    "certifications": Words("본인인증", "Identity check"),
    "escrows": Words("에스크로 배송정보", "Delivery of an escrow payment"),
    "receipts": Words("현금영수증", "Cash receipt"),
    "partners": Words("현금영수증", "Cash receipt"),
    "vbanks": Words("가상계좌", "Virtual account"),
    "kakao": Words("카카오페이 주문내역", "KakaoPay's list of orders"),
    "tiers": Words("하위상점", "Sub-merchant"),
    "subscribe": Words("해외카드 결제", "Charge of a foreign card"),
    "payco": Words("페이코", "PAYCO"),
    "paymentwall": Words("페이먼트월", "Paymentwall"),
    "cvs": Words("편의점 결제", "Payment in a convenience store"),
    "benepia": Words("베네피아", "Benepia"),
    "kcpquick": Words("KCP 퀵페이", "KCP Quick Pay"),
    "payments": Words("네이버페이", "Naver Pay"),
    "naver": Words("네이버페이", "Naver Pay"),
}
"""What the calls that belong to other PGs are about, by the first part of their path."""
PARTS = {
    "imp_uid": IMP_UID,
    "merchant_uid": MERCHANT_UID,
    "tier_code": in_path("tier_code", text("하위상점 코드", "Code of the sub-merchant"), "ABC"),
    "rest": in_path("rest", text("나머지 주소", "The rest of the address"), "orders"),
}
OF_OTHERS = Words(
    "다른 PG사의 기능입니다. 보낸 것을 읽거나 저장하지 않고, 지원하지 않는다고 답합니다.",
    "Belongs to other PGs. Nothing that is sent is read or kept; the answer says that it is not supported.",
)


def _of_others(entry: unsupported.UnsupportedEndpoint, handler: Any) -> tuple[Operation, ...]:
    path = entry.path.replace(":str}", "}").replace(":path}", "}")
    known = (bad(*entry.if_payment_exists),) if entry.if_payment_exists else ()
    return tuple(
        Operation(
            handler, method.value, path, "other PGs", SUBJECTS[path.split("/")[1]], OF_OTHERS, None, {},
            tuple(part for name, part in PARTS.items() if f"{{{name}}}" in path),
            refusals=(bad(entry.status, entry.message), *known),
        )
        for method in entry.methods
    )  # fmt: skip


OF_OTHER_PGS: tuple[Operation, ...] = tuple(
    operation
    for entry, handler in zip(unsupported.TABLE, unsupported.HANDLERS, strict=True)
    for operation in _of_others(entry, handler)
)
