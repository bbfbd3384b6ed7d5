"""What answers hold: every field, its type, and whether it may be null (docs/wire/portone-v1-rest.md 2.1, 3, 4)."""

from __future__ import annotations

from typing import Any

from maedal.payments.failure_causes import FailureCause, Retry
from maedal.payments.money import Currency
from maedal.payments.payment import KeyUse, Origin
from maedal.rest.api_document.words import Words
from maedal.rest.field_sets import CANCEL_2021, CUSTOMER_2021, PAYMENT_2021, PREPARED_2021, SCHEDULE_2021
from maedal.rest.wire import PAY_METHOD, PAYMENT_STATUS, STATUS
from maedal.schedules.schedule import ScheduleStatus

Schema = dict[str, Any]

EPOCH = Words("UNIX 초(UTC). 0은 아직 없음.", "Unix seconds, UTC; 0 when it has not happened.")
UNUSED = Words("카카오페이에서는 항상 null.", "Always null with KakaoPay.")


def text(ko: str, en: str, **more: Any) -> Schema:
    """Return the schema of a string."""
    return {"type": "string", "description": Words(ko, en)} | more


def whole(ko: str, en: str, **more: Any) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "description": Words(ko, en)} | more


def flag(ko: str, en: str, **more: Any) -> Schema:
    """Return the schema of a switch."""
    return {"type": "boolean", "description": Words(ko, en)} | more


def moment(ko: str, en: str) -> Schema:
    """Return the schema of a time that is 0 until it comes."""
    return whole(f"{ko} {EPOCH.ko}", f"{en} {EPOCH.en}", minimum=0)


def or_null(schema: Schema) -> Schema:
    """Return `schema` with null allowed."""
    also = schema | {"type": [schema["type"], "null"]}
    return also | {"enum": [*schema["enum"], None]} if "enum" in schema else also


def unused() -> Schema:
    """Return the schema of a field that belongs to other PGs."""
    return {"type": "null", "description": UNUSED}


def listed(items: Schema, ko: str, en: str, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "description": Words(ko, en), "items": items} | more


def record(ko: str, en: str, fields: dict[str, Schema]) -> Schema:
    """Return the schema of an object that has exactly these fields."""
    return {
        "type": "object",
        "description": Words(ko, en),
        "additionalProperties": False,
        "required": list(fields),
        "properties": fields,
    }


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


AMOUNT = {"minimum": 0}
BUYER = {
    "buyer_name": or_null(text("구매자 이름", "Buyer's name")),
    "buyer_email": or_null(text("구매자 이메일", "Buyer's e-mail address")),
    "buyer_tel": or_null(text("구매자 전화번호", "Buyer's telephone number")),
    "buyer_addr": or_null(text("구매자 주소", "Buyer's address")),
    "buyer_postcode": or_null(text("구매자 우편번호", "Buyer's postcode")),
}
CARD = {
    "card_code": or_null(
        text("카드사 코드(/cards). 모르면 null.", "Code of the card company (/cards), null if unknown.")
    ),
    "card_type": or_null(
        whole("0 신용카드, 1 체크카드. 모르면 null.", "0 credit card, 1 check card, null if unknown.", enum=[0, 1])
    ),
    "card_issuer_code": unused(),
    "card_issuer_name": unused(),
    "card_publisher_code": unused(),
    "card_publisher_name": unused(),
    "card_number": unused(),
}
CURRENCY = text("통화", "Currency", enum=[Currency.KRW.value])
PAYMENT_STATUSES = sorted(set(STATUS.values()))
PG_PROVIDER = text("PG사", "PG", examples=["kakaopay"])
PG_ID = text("PG 상점아이디. 카카오페이는 CID.", "The merchant's id at the PG; KakaoPay's CID.")

PAYMENT = record(
    "결제",
    "A payment",
    {
        "imp_uid": text("거래 고유번호", "The gateway's id of the payment", maxLength=32),
        "merchant_uid": text("가맹점 주문번호", "The merchant's order number", maxLength=40),
        "status": text(
            "결제 상태. 결과를 확인하고 있는 결제는 ready. 일부만 취소되어도 cancelled.",
            "Status. A payment whose outcome is being clarified is `ready`; one cancelled in part is `cancelled`.",
            enum=PAYMENT_STATUSES,
        ),
        "amount": whole("결제금액(원)", "Amount in whole won", **AMOUNT),
        "cancel_amount": whole("취소된 금액의 합(원)", "Sum of what was cancelled, in whole won", **AMOUNT),
        "currency": CURRENCY,
        "name": or_null(text("주문명", "Name of the order")),
        **BUYER,
        "customer_uid": or_null(text("빌링키를 가리키는 가맹점의 값", "The merchant's name of the billing key")),
        "customer_uid_usage": or_null(
            text(
                "빌링키와의 관계: 발급, 결제, 예약결제",
                "What the payment had to do with the key: issued it, charged it, charged it as planned",
                enum=[use.value for use in KeyUse],
            )
        ),
        "custom_data": or_null(
            text("요청에 담았던 값. 객체는 JSON 문자열로.", "What was sent; an object as JSON text.")
        ),
        "channel": text("결제가 시작된 곳", "Where it was started", enum=[origin.value for origin in Origin]),
        "pay_method": or_null(
            text(
                "card 카드, point 카카오페이머니",
                "`card`, or `point` for KakaoPay Money",
                enum=sorted(PAY_METHOD.values()),
            )
        ),
        "pg_provider": PG_PROVIDER,
        "pg_id": PG_ID,
        "pg_tid": or_null(text("PG 거래번호. 실패한 결제는 null.", "The PG's id; null for a failed payment.")),
        "emb_pg_provider": unused(),
        "apply_num": or_null(text("카드 승인번호", "The card's approval number")),
        **CARD,
        "card_name": or_null(text("카드사 이름", "Name of the card company")),
        "card_quota": whole("할부 개월 수. 0은 일시불.", "Months of instalment, 0 for none.", **AMOUNT),
        "receipt_url": or_null(text("매출전표 주소", "Address of the receipt")),
        "started_at": moment("시작한 시각.", "When it was started."),
        "paid_at": moment("결제된 시각.", "When it was paid."),
        "failed_at": moment("실패한 시각.", "When it failed."),
        "cancelled_at": moment("마지막으로 취소된 시각.", "When it was last cancelled."),
        "fail_reason": or_null(text("실패 사유. PG의 코드와 문구.", "Why it failed: the PG's code and words.")),
        "cancel_reason": or_null(text("마지막 취소 사유", "Reason of the last cancel")),
        "cancel_history": listed(ref("Cancellation"), "취소 내역, 오래된 것부터", "Its cancels, oldest first"),
        "cancel_receipt_urls": listed({"type": "string"}, "취소 매출전표 주소", "Addresses of the cancels' receipts"),
        "deposit_history": listed({}, "항상 빈 배열", "Always empty", maxItems=0),
        "cash_receipt_issued": flag(
            "항상 false. 현금영수증은 카카오페이가 발급.", "Always false: KakaoPay issues these itself."
        ),
        "escrow": flag("결제창 호출에 담았던 값", "As sent when the window was opened"),
        "sandbox": flag("테스트 결제 여부", "Whether it is a test"),
        "promotion": unused(),
        "user_agent": or_null(text("결제를 시작한 프로그램", "The program that started it")),
        "bank_code": unused(),
        "bank_name": unused(),
        "vbank_code": unused(),
        "vbank_name": unused(),
        "vbank_num": unused(),
        "vbank_holder": unused(),
        "vbank_date": whole("항상 0", "Always 0", enum=[0]),
        "vbank_issued_at": whole("항상 0", "Always 0", enum=[0]),
    },
)

CANCELLATION = record(
    "취소 한 건",
    "One cancel",
    {
        "cancellation_id": text("취소 고유번호", "The gateway's id of the cancel"),
        "amount": whole("취소금액(원)", "Amount in whole won", **AMOUNT),
        "cancelled_at": moment("취소된 시각.", "When it was cancelled."),
        "reason": text("취소 사유", "Reason"),
        "pg_tid": text("PG 거래번호", "The PG's id"),
        "receipt_url": or_null(text("매출전표 주소", "Address of the receipt")),
    },
)

CUSTOMER = record(
    "빌링키",
    "A billing key",
    {
        "customer_uid": text("빌링키를 가리키는 가맹점의 값", "The merchant's name of the billing key", maxLength=80),
        "customer_id": or_null(text("가맹점 회원 아이디", "The merchant's id of the buyer")),
        "customer_name": or_null(text("이름", "Name")),
        "customer_email": or_null(text("이메일", "E-mail address")),
        "customer_tel": or_null(text("전화번호", "Telephone number")),
        "customer_addr": or_null(text("주소", "Address")),
        "customer_postcode": or_null(text("우편번호", "Postcode")),
        "pg_provider": PG_PROVIDER,
        "pg_id": PG_ID,
        **CARD,
        "card_name": text(
            "카드사 이름 또는 카카오페이머니", "Name of the card company, or 카카오페이머니 (KakaoPay Money)"
        ),
        "inserted": moment("처음 발급된 시각.", "When it was first issued."),
        "updated": moment("마지막으로 발급된 시각.", "When it was last issued."),
        "sandbox": flag("테스트 빌링키 여부", "Whether it is a test"),
    },
)

SCHEDULE = record(
    "결제예약",
    "A scheduled charge",
    {
        "merchant_uid": text("가맹점 주문번호", "The merchant's order number", maxLength=40),
        "customer_uid": text("빌링키를 가리키는 가맹점의 값", "The merchant's name of the billing key", maxLength=80),
        "customer_id": unused(),
        "schedule_status": text(
            "scheduled 대기, executed 실행됨, revoked 철회됨",
            "`scheduled` waits, `executed` has begun, `revoked` was taken back",
            enum=[status.value for status in ScheduleStatus],
        ),
        "schedule_at": moment("결제할 시각.", "When it is to be charged."),
        "executed_at": moment("실행된 시각.", "When it was executed."),
        "revoked_at": moment("철회된 시각.", "When it was revoked."),
        "amount": whole("결제금액(원)", "Amount in whole won", **AMOUNT),
        "currency": CURRENCY,
        "name": text("주문명", "Name of the order"),
        **BUYER,
        "custom_data": or_null(text("요청에 담았던 값", "What was sent")),
        "imp_uid": or_null(text("실행된 결제의 거래 고유번호", "Id of the payment once executed")),
        "payment_status": or_null(
            text(
                "실행된 결제의 상태. 확인 중이면 null.",
                "Status of its payment; null while open.",
                enum=sorted({status for status in PAYMENT_STATUS.values() if status}),
            )
        ),
        "fail_reason": or_null(text("실패 사유", "Why it failed")),
        "pg_provider": or_null(PG_PROVIDER),
        "pg_id": or_null(PG_ID),
        "promotion_id": unused(),
    },
)

TOKEN = record(
    "액세스 토큰",
    "An access token",
    {
        "access_token": text("30분간 쓸 수 있는 토큰", "The token; it lives 30 minutes", pattern="^[0-9a-f]{40}$"),
        "now": whole("서버의 현재 시각, UNIX 초", "The server's clock, Unix seconds"),
        "expired_at": whole("만료되는 시각, UNIX 초", "When the token expires, Unix seconds"),
    },
)

CHANNEL = record(
    "채널",
    "A channel: the merchant's contract with one PG",
    {
        "channel_key": text("채널 키", "Id of the channel"),
        "channel_name": text("채널 이름", "Name"),
        "pg_provider": PG_PROVIDER,
        "pg_id": PG_ID,
        "sandbox": flag("테스트 채널 여부", "Whether it is a test"),
        "type": text("채널 속성", "Kind", enum=["payment"]),
    },
)

PREPARED = record(
    "사전등록된 금액",
    "A registered amount",
    {
        "merchant_uid": text("가맹점 주문번호", "The merchant's order number", maxLength=40),
        "amount": whole("결제될 금액(원)", "Amount to be paid, in whole won", **AMOUNT),
        "currency": or_null(
            CURRENCY | {"description": Words("통화. null이면 검사하지 않음.", "Currency; null is not compared.")}
        ),
    },
)

CODE = record("코드와 이름", "A code and its name", {"code": text("코드", "Code"), "name": text("이름", "Name")})


def page_of(name: str) -> Schema:
    """Return the schema of a page of named objects (4.2.1)."""
    return record(
        "목록의 한 쪽",
        "A page of a list",
        {
            "total": whole("조건에 맞는 전체 건수", "How many match in all", **AMOUNT),
            "previous": whole("앞 쪽 번호. 없으면 0.", "Number of the page before, 0 if none.", **AMOUNT),
            "next": whole("뒤 쪽 번호. 없으면 0.", "Number of the page behind, 0 if none.", **AMOUNT),
            "list": listed(ref(name), "이 쪽의 내용", "What is on this page"),
        },
    )


def success(response: Schema) -> Schema:
    """Return the schema of an envelope of code 0."""
    return record(
        "처리된 요청",
        "A request that was carried out",
        {
            "code": whole("0은 처리됨", "0: carried out", enum=[0]),
            "message": {"type": "null", "description": Words("code가 0이면 null", "null when code is 0")},
            "response": response,
        },
    )


def refused(codes: list[int]) -> Schema:
    """Return the schema of an envelope that refuses with one of `codes`."""
    return record(
        "처리되지 않은 요청",
        "A request that was refused",
        {
            "code": whole("0이 아닌 값", "Not 0", enum=codes),
            "message": text("이유", "Why, in Korean", minLength=1),
            "response": {"type": "null", "description": Words("항상 null", "Always null")},
        },
    )


def of_2021(schema: Schema, keys: frozenset[str]) -> Schema:
    """Return the schema of the same object for merchants who chose the 2021 field set."""
    fields = {name: field for name, field in schema["properties"].items() if name in keys}
    if "cancel_history" in fields:
        fields["cancel_history"] = fields["cancel_history"] | {"items": ref("Cancellation2021")}
    words: Words = schema["description"]
    return record(f"{words.ko} (2021년 필드)", f"{words.en}, with the fields of 2021", fields)


FAILURE = or_null(
    record(
        "실패 원인. include_failure=true일 때만, 실패하지 않았으면 null.",
        "Why it failed; only with `include_failure=true`, null unless it failed.",
        {
            "cause": text("원인", "The cause", enum=[cause.value for cause in FailureCause]),
            "retry": text(
                "같은 결제를 다시 하는 것이 유용한지, 언제인지",
                "Whether and when the same charge may succeed",
                enum=[retry.value for retry in Retry],
            ),
            "buyer_message_ko": text("구매자에게 보낼 수 있는 한국어 문장", "A sentence for the buyer, in Korean"),
            "buyer_message_en": text("구매자에게 보낼 수 있는 영어 문장", "A sentence for the buyer, in English"),
        },
    )
)


def _may_have_failed(schema: Schema) -> Schema:
    """Return the schema of an object that also says why it failed, for those who ask."""
    return schema | {"properties": schema["properties"] | {"failure": FAILURE}}


def _either(name: str) -> Schema:
    return {
        "description": Words(
            "가맹점이 고른 필드 구성에 따라 둘 중 하나. 기본은 모든 필드.",
            "One of two, as the merchant chose its field set; every field unless told otherwise.",
        ),
        "oneOf": [ref(f"{name}Full"), ref(f"{name}2021")],
    }


NAMED: dict[str, Schema] = {
    "Cancellation": CANCELLATION,
    "Cancellation2021": of_2021(CANCELLATION, CANCEL_2021),
    "Token": TOKEN,
    "Channel": CHANNEL,
    "Code": CODE,
    "PaymentPage": page_of("Payment"),
    "SchedulePage": page_of("Schedule"),
}
for _name, _schema, _keys in (
    ("Payment", PAYMENT, PAYMENT_2021),
    ("Customer", CUSTOMER, CUSTOMER_2021),
    ("Schedule", SCHEDULE, SCHEDULE_2021),
    ("Prepared", PREPARED, PREPARED_2021),
):
    _of_2021 = of_2021(_schema, _keys)
    if _name in {"Payment", "Schedule"}:
        _schema, _of_2021 = _may_have_failed(_schema), _may_have_failed(_of_2021)
    NAMED |= {_name: _either(_name), f"{_name}Full": _schema, f"{_name}2021": _of_2021}
