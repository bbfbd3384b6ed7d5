"""The words for the terms of payments, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.payments.attempt import Outcome, Proof
from maedal.payments.cancellation import RefundKind
from maedal.payments.moves import Event, Start
from maedal.payments.payment import Origin
from maedal.storage.payment_lists.reads import Basis, ListOrder, PaymentStanding, SearchField, Use

EVENTS: Words = {
    Event.BEGIN: ("PG사 호출 시작", "PG being called"),
    Event.APPROVED: ("승인 확인", "Approved"),
    Event.DECLINED: ("거절 확인", "Declined"),
    Event.NOT_SENT: ("보내지 못함", "Not sent"),
    Event.LOST: ("응답 유실", "Answer lost"),
    Event.GIVEN_UP: ("결제 전에 끝남", "Ended before paying"),
    Event.CANCEL: ("취소 완료", "Cancelled"),
    Event.IDENTIFIED: ("거래번호 확인", "tid found"),
}
STARTS: Words = {
    Start.OPEN: ("결제창 열림", "Window opened"),
    Start.PLAN: ("예약 실행", "Scheduled charge taken up"),
    Start.ENTER: ("빠진 결제 넣음", "Missing payment entered"),
    Start.IMPORTED: ("가져옴", "Imported"),
}
PROOFS: Words = {
    Proof.REPLY: ("PG사의 응답", "the PG's own answer"),
    Proof.NO_CONNECTION: ("연결되지 않음", "no connection was made"),
    Proof.ORDER_LOOKUP: ("거래번호로 조회한 주문", "the PG's order, looked up"),
    Proof.KEY_STATUS: ("조회한 빌링키 상태", "the PG's status of the billing key"),
    Proof.SETTLEMENT_FILE: ("PG사의 거래내역 파일", "the PG's file of the day"),
    Proof.MERCHANT_REFUSED: (
        "상점의 confirm_url 또는 사전등록과 달라 중단",
        "the shop's confirm_url, or what it had registered, said no",
    ),
    Proof.PERSON: ("담당자의 확인", "a named person"),
    Proof.IMPORTED: ("가져온 파일", "an imported file"),
    Proof.LOST: ("없음", "nothing yet"),
}
OUTCOMES: Words = {
    Outcome.APPROVED: ("승인", "approved"),
    Outcome.DECLINED: ("거절", "declined"),
    Outcome.NOT_SENT: ("보내지 못함", "not sent"),
    Outcome.UNKNOWN: ("알 수 없음", "unknown"),
}
ORIGINS: Words = {
    Origin.PC: ("PC", "PC"),
    Origin.MOBILE: ("모바일", "Mobile"),
    Origin.API: ("API", "API"),
}
PAYMENT_STANDINGS: Words = {
    PaymentStanding.PAID: ("결제완료", "Paid"),
    PaymentStanding.FAILED: ("결제실패", "Failed"),
    PaymentStanding.CANCELLED: ("결제취소", "Cancelled"),
    PaymentStanding.PARTLY: ("부분취소", "Partly"),
    PaymentStanding.WHOLLY: ("전체취소", "Wholly"),
    PaymentStanding.WAITING: ("승인대기", "Waiting"),
    PaymentStanding.UNKNOWN: ("결과 미확인", "Outcome unknown"),
}
BASES: Words = {
    Basis.REQUESTED: ("결제 요청 시각", "When requested"),
    Basis.PAID: ("결제 승인 시각", "When paid"),
    Basis.STATUS: ("상태가 바뀐 시각", "When it came to its status"),
}
PAYMENT_USES: Words = {
    Use.ONE_TIME: ("일반결제", "One-time"),
    Use.ISSUE: ("빌링키 발급", "Key issue"),
    Use.CHARGE: ("빌링키 결제", "Recurring"),
    Use.SCHEDULED: ("예약 결제", "Planned"),
}
LIST_ORDERS: Words = {
    ListOrder.NEWEST: ("최신순", "Newest first"),
    ListOrder.OLDEST: ("오래된 순", "Oldest first"),
    ListOrder.LARGEST: ("금액 큰 순", "Largest first"),
    ListOrder.SMALLEST: ("금액 작은 순", "Smallest first"),
}
SEARCH_FIELDS: Words = {
    SearchField.IMP_UID: ("imp_uid", "imp_uid"),
    SearchField.MERCHANT_UID: ("merchant_uid", "merchant_uid"),
    SearchField.CUSTOMER_UID: ("customer_uid", "customer_uid"),
    SearchField.NAME: ("주문명", "Order name"),
    SearchField.BUYER_NAME: ("구매자 이름", "Buyer's name"),
    SearchField.BUYER_EMAIL: ("구매자 이메일", "Buyer's email"),
    SearchField.BUYER_TEL: ("구매자 전화번호", "Buyer's phone"),
    SearchField.BUYER_ADDR: ("구매자 주소", "Buyer's address"),
    SearchField.PG_TID: ("PG 거래번호 (tid)", "PG's id (tid)"),
    SearchField.APPROVAL_NUMBER: ("카드 승인번호", "Card approval no."),
    SearchField.CARD_ISSUER: ("카드사", "Card company"),
    SearchField.FAIL_REASON: ("실패 사유", "Failure reason"),
    SearchField.CANCEL_REASON: ("취소 사유", "Cancel reason"),
}

REFUND_KINDS: Words = {
    RefundKind.CHANGED_MIND: ("고객 변심", "Changed their mind"),
    RefundKind.SUBSCRIPTION_ENDED: ("구독 해지", "Subscription ended"),
    RefundKind.SERVICE_FAILED: ("상품·서비스 문제", "Not delivered or faulty"),
    RefundKind.PAID_TWICE: ("중복 결제", "Paid twice"),
    RefundKind.WRONG_AMOUNT: ("금액 오류", "Wrong amount"),
    RefundKind.NOT_BY_BUYER: ("본인이 결제하지 않음", "Not paid by the buyer"),
    RefundKind.TEST: ("테스트 결제", "A test"),
    RefundKind.OTHER: ("기타", "Other"),
}

WORDS: Mapping[str, Words] = {
    "event": EVENTS,
    "start": STARTS,
    "proof": PROOFS,
    "outcome": OUTCOMES,
    "origin": ORIGINS,
    "payment_standing": PAYMENT_STANDINGS,
    "basis": BASES,
    "payment_use": PAYMENT_USES,
    "list_order": LIST_ORDERS,
    "search_field": SEARCH_FIELDS,
    "refund_kind": REFUND_KINDS,
}
