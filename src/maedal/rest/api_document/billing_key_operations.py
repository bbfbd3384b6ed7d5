"""The calls about billing keys, and the charge of one."""

from __future__ import annotations

from maedal.billing_keys.errors import BillingKeyBusy, BillingKeyNotFound, BillingKeyUnclear
from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound
from maedal.payments.errors import InvalidParameter, MerchantUidUsed
from maedal.rest import pages, subscribe
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, body_of, in_query
from maedal.rest.api_document.parameters import (
    BAD_PAGE,
    CHARGING,
    CUSTOMER_UID,
    CUSTOMER_UID_FIELD,
    FAILURES,
    NO_KEY_IN,
    ORDER,
    PAGE,
    PAID_OR_NOT,
    array,
    bad,
)
from maedal.rest.api_document.schemas import listed, ref
from maedal.rest.api_document.words import Words
from maedal.rest.errors import ApiRefusal
from maedal.rest.pages import IDS_MAX

NO_SUCH_KEY = ApiRefusal(200, 1, "요청하신 customer_uid(gildong_0001_1234)로 등록된 정보를 찾을 수 없습니다.")
NOT_HERE = Words(
    "카드번호를 직접 받는 결제입니다. 카카오페이는 지원하지 않으므로 아무것도 읽거나 저장하지 않고 그 사실을 답합니다.",
    "Takes a card number, which KakaoPay does not. Nothing is read or kept; the answer says so.",
)
DECLINE = Words(
    "빌링키로 결제합니다. **code 0은 PG가 답했다는 뜻**이고, 결제되었는지는 response.status가 "
    "말합니다(paid 또는 failed). 결과를 알 수 없으면 실패라고 하지 않고 다시 결제하지도 않습니다.",
    "Charges a billing key. **Code 0 means that the PG answered**; whether it paid says `response.status`, `paid` or "
    "`failed`. When the outcome is unknown it is neither called failed nor charged again.",
)

OF_BILLING_KEYS: tuple[Operation, ...] = (
    Operation(
        subscribe.charge_again, "POST", "/subscribe/payments/again", "billing keys",
        Words("빌링키 결제", "Charge a billing key"), DECLINE, ref("Payment"), PAID_OR_NOT,
        body=body_of({"customer_uid": CUSTOMER_UID_FIELD, **ORDER}, "customer_uid", "merchant_uid", "amount"),
        body_example={"customer_uid": "gildong_0001_1234", "merchant_uid": "order_2024_05", "amount": 8900,
                      "name": "월간 이용권", "buyer_name": "홍길동"},
        errors=(InvalidParameter, MerchantUidUsed, BillingKeyNotFound, *CHARGING),
    ),
    Operation(
        subscribe.charge_onetime, "POST", "/subscribe/payments/onetime", "billing keys",
        Words("카드번호 결제", "Charge a card number"), NOT_HERE, None, refusals=(NO_KEY_IN,),
    ),
    Operation(
        subscribe.customer, "GET", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("빌링키 조회", "Give a billing key"),
        Words("빌링키를 조회합니다. 없는 빌링키는 HTTP 200에 code 1입니다.",
              "Gives a billing key. An unknown one is HTTP 200 with code 1."),
        ref("Customer"), {"key": examples.CUSTOMER}, (CUSTOMER_UID,),
        errors=(InvalidParameter,), refusals=(NO_SUCH_KEY,),
    ),
    Operation(
        subscribe.customer, "POST", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("카드번호로 빌링키 발급", "Issue a billing key from a card number"), NOT_HERE, None, {}, (CUSTOMER_UID,),
        errors=(InvalidParameter,), refusals=(NO_KEY_IN,),
    ),
    Operation(
        subscribe.customer, "DELETE", "/subscribe/customers/{customer_uid}", "billing keys",
        Words("빌링키 삭제", "Delete a billing key"),
        Words("빌링키를 카카오페이에서도 비활성화합니다. 결제예약은 철회되지 않습니다.",
              "Deletes a billing key, at KakaoPay too. Its scheduled charges are not revoked."),
        ref("Customer"), {"key": examples.CUSTOMER}, (CUSTOMER_UID,),
        errors=(InvalidParameter, BillingKeyBusy, BillingKeyUnclear, ChannelNotFound, ChannelMisconfigured),
        refusals=(NO_SUCH_KEY,),
    ),
    Operation(
        subscribe.list_customers, "GET", "/subscribe/customers", "billing keys",
        Words("여러 빌링키 조회", "Give several billing keys"),
        Words(f"{IDS_MAX}개까지 요청한 순서로 조회합니다. 일부가 없으면 HTTP 207입니다.",
              f"Gives up to {IDS_MAX} billing keys in the order asked for; HTTP 207 when some are unknown."),
        array(ref("Customer")), {"keys": [examples.CUSTOMER]},
        (in_query("customer_uid[]", listed({"type": "string"}, "빌링키를 가리키는 값", "The merchant's names of keys"),
                  ["gildong_0001_1234"]),),
        refusals=(bad(404, "등록된 고객정보가 없습니다."),
                  bad(400, pages.TOO_MANY_IDS.format(names="customer_uid", most=IDS_MAX))),
        some_missing=True,
    ),
    Operation(
        subscribe.customer, "GET", "/subscribe/customers/{customer_uid}/payments", "billing keys",
        Words("빌링키의 결제 목록", "A billing key's payments"),
        Words("빌링키를 발급하거나 빌링키로 한 결제를 조회합니다.", "Gives the payments that issued or charged a key."),
        ref("PaymentPage"), {"page": examples.page(examples.PAYMENT)}, (CUSTOMER_UID, *PAGE, FAILURES),
        errors=(InvalidParameter,), refusals=BAD_PAGE,
    ),
)  # fmt: skip
