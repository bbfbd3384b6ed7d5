"""The words for the gateway's own terms, in both languages: those that several subjects show; each adds its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from maedal.billing_keys.billing_key import KeyEnd
from maedal.console.frame.visit import Visit
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.operators.role import Role
from maedal.payments.attempt import Method, Verb
from maedal.payments.failure_causes import Retry
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.payments.moves import Status
from maedal.webhooks.webhook import DeliveryState

Words = Mapping[StrEnum, tuple[str, str]]
"""Of each member of an enumeration its Korean and its English word; a test proves that none is missing."""

ROLES: Words = {
    Role.OWNER: ("소유자", "Owner"),
    Role.ADMIN: ("관리자", "Admin"),
    Role.DEVELOPER: ("개발자", "Developer"),
    Role.MANAGER: ("매니저", "Manager"),
    Role.READ_ONLY: ("읽기 전용", "Read only"),
}
STATUSES: Words = {
    Status.READY: ("결제 대기", "Waiting"),
    Status.CALLING: ("결제 중", "In progress"),
    Status.UNKNOWN: ("결과 미확인", "Outcome unknown"),
    Status.PAID: ("결제완료", "Paid"),
    Status.FAILED: ("결제실패", "Failed"),
    Status.CANCELLED: ("결제취소", "Cancelled"),
}
OPERATOR_ENTRIES: Words = {
    OperatorAuditAction.CREATE_OPERATOR: ("사용자 추가", "User added"),
    OperatorAuditAction.CHANGE_ROLE: ("역할 변경", "Role changed"),
    OperatorAuditAction.INVITE_OPERATOR: ("초대 링크 발급", "Invited"),
    OperatorAuditAction.CHANGE_MERCHANTS: ("가맹점 범위 변경", "Merchants changed"),
    OperatorAuditAction.NEW_PASSWORD: ("비밀번호 변경", "Password changed"),
    OperatorAuditAction.TWO_STEPS_ON: ("2단계 인증 켬", "Second step on"),
    OperatorAuditAction.TWO_STEPS_OFF: ("2단계 인증 끔", "Second step off"),
    OperatorAuditAction.ADD_PASSKEY: ("패스키 추가", "Passkey added"),
    OperatorAuditAction.REMOVE_PASSKEY: ("패스키 삭제", "Passkey removed"),
    OperatorAuditAction.PASSKEY_COUNTED_BACK: (
        "패스키 거절(사용 횟수가 되돌아감)",
        "Passkey refused: its count went back",
    ),
    OperatorAuditAction.NEW_RECOVERY_CODES: ("복구 코드 재발급", "New recovery codes"),
    OperatorAuditAction.DISABLE_OPERATOR: ("로그인 차단", "User disabled"),
    OperatorAuditAction.ENABLE_OPERATOR: ("로그인 허용", "User enabled"),
    OperatorAuditAction.DEMAND_SECOND_STEP: ("2단계 인증 요구 변경", "Second step demanded"),
    OperatorAuditAction.SIGN_IN: ("로그인", "Signed in"),
    OperatorAuditAction.END_SESSIONS: ("세션 종료", "Sessions ended"),
    OperatorAuditAction.EXPORT_LOG: ("사용자 기록 내려받기", "Log of users exported"),
    OperatorAuditAction.ADD_MAINTENANCE: ("PG 점검 시간 추가", "PG maintenance added"),
    OperatorAuditAction.END_MAINTENANCE: ("PG 점검 시간 종료", "PG maintenance ended"),
}
METHODS: Words = {Method.CARD: ("카드", "Card"), Method.MONEY: ("카카오페이머니", "KakaoPay Money")}
AUDIT_ENTRIES: Words = {
    AuditAction.SETTLE_CHARGED: ("결과 확정: 결제됨", "Settled: charged"),
    AuditAction.SETTLE_NOT_CHARGED: ("결과 확정: 결제 안 됨", "Settled: not charged"),
    AuditAction.SETTLE_CANCELLED: ("결과 확정: 취소됨", "Settled: cancelled"),
    AuditAction.SETTLE_NOT_CANCELLED: ("결과 확정: 취소 안 됨", "Settled: not cancelled"),
    AuditAction.SUPPLY_TID: ("거래번호(tid) 입력", "tid supplied"),
    AuditAction.CLOSE_FINDING: ("대사 차이 종결", "Finding closed"),
    AuditAction.CANCEL: ("결제 취소", "Payment cancelled"),
    AuditAction.HOLD_SCHEDULE: ("예약 보류", "Scheduled charge held"),
    AuditAction.RELEASE_SCHEDULE: ("예약 보류 해제", "Scheduled charge released"),
    AuditAction.REVOKE_SCHEDULE: ("예약 해지", "Scheduled charge revoked"),
    AuditAction.MOVE_SCHEDULE: ("예약 시각 변경", "Scheduled charge moved"),
    AuditAction.RETRY_SCHEDULE: ("예약 결제 재시도", "Scheduled charge retried"),
    AuditAction.ADD_PLAN: ("정기결제 추가", "Plan added"),
    AuditAction.CHANGE_PLAN: ("정기결제 변경", "Plan changed"),
    AuditAction.PAUSE_PLAN: ("정기결제 일시정지", "Plan paused"),
    AuditAction.RESUME_PLAN: ("정기결제 다시 시작", "Plan resumed"),
    AuditAction.SKIP_OCCURRENCE: ("회차 건너뛰기", "Day skipped"),
    AuditAction.CHANGE_PLAN_AMOUNT: ("정기결제 금액 변경", "Plan amount changed"),
    AuditAction.KEEP_CONSENT: ("동의 기록", "Consent recorded"),
    AuditAction.END_PLAN: ("정기결제 종료", "Plan ended"),
    AuditAction.SET_HOLIDAY: ("휴일 설정", "Holiday set"),
    AuditAction.DROP_HOLIDAY: ("휴일 설정 삭제", "Holiday dropped"),
    AuditAction.END_KEY: ("빌링키 해지", "Billing key ended"),
    AuditAction.ASK_PG: ("PG사에 결과 확인", "PG asked for the outcome"),
    AuditAction.ENTER_PAYMENT: ("빠진 결제 넣기", "Missing payment entered"),
    AuditAction.ENTER_REFUND: ("PG에서 한 취소 넣기", "Refund made at the PG entered"),
    AuditAction.END_KEY_AGAIN: ("빌링키 종료 다시 알림", "Key's end told again"),
    AuditAction.RESEND_WEBHOOKS: ("웹훅 다시 보내기", "Webhooks sent again"),
    AuditAction.EXPORT_PAYMENTS: ("결제 내역 내려받기", "Payments exported"),
    AuditAction.EXPORT_LIST: ("목록 내려받기", "List exported"),
    AuditAction.EXPORT_LOG: ("변경 기록 내려받기", "Audit log exported"),
    AuditAction.SAVE_VIEW: ("조건 저장", "Filters saved"),
    AuditAction.DELETE_VIEW: ("저장한 조건 삭제", "Saved filters deleted"),
    AuditAction.ADD_NOTE: ("메모 추가", "Note added"),
    AuditAction.REMOVE_NOTE: ("메모 삭제", "Note deleted"),
    AuditAction.ADD_TAG: ("태그 추가", "Tag added"),
    AuditAction.REMOVE_TAG: ("태그 삭제", "Tag removed"),
    AuditAction.PLAN_CHARGE: ("결제 예약", "Charge scheduled"),
    AuditAction.CREATE_MERCHANT: ("가맹점 추가", "Merchant created"),
    AuditAction.IMPORT: ("파일에서 가져오기", "Imported from a file"),
    AuditAction.ADD_CHANNEL: ("채널 추가", "Channel added"),
    AuditAction.CHANGE_CHANNEL: ("채널 변경", "Channel changed"),
    AuditAction.CHANGE_WEBHOOK: ("웹훅 변경", "Webhooks changed"),
    AuditAction.ADD_WEBHOOK_ADDRESS: ("웹훅 주소 추가", "Webhook address added"),
    AuditAction.CHANGE_WEBHOOK_ADDRESS: ("웹훅 주소 변경", "Webhook address changed"),
    AuditAction.REMOVE_WEBHOOK_ADDRESS: ("웹훅 주소 삭제", "Webhook address removed"),
    AuditAction.CHANGE_SIGNING: ("웹훅 서명 변경", "Signing changed"),
    AuditAction.CHANGE_FIELDS: ("응답 필드 변경", "Answer fields changed"),
    AuditAction.CHANGE_RECOVERY: ("재시도 규칙 변경", "Recovery rules changed"),
    AuditAction.NEW_API_SECRET: ("API secret 재발급", "New API secret"),
    AuditAction.END_OLD_API_SECRET: ("이전 API secret 종료", "Old API secret ended"),
    AuditAction.NAME_API_KEY: ("API 키 이름 변경", "API key named"),
    AuditAction.CHANGE_ALERTS: ("알림 수신처 변경", "Alert receivers changed"),
    AuditAction.CHANGE_MAIL_SERVER: ("메일 서버 변경", "Mail server changed"),
    AuditAction.RESEND_MESSAGE: ("알림 재전송", "Message sent again"),
    AuditAction.CHANGE_DUNNING: ("미납 안내 설정 변경", "Unpaid notices changed"),
    AuditAction.ADD_API_KEY: ("API 키 추가", "API key added"),
    AuditAction.END_API_KEY: ("API 키 폐기", "API key ended"),
    AuditAction.CHANGE_SCOPES: ("API 키 권한 변경", "API key's scopes changed"),
    AuditAction.CHANGE_ADDRESSES: ("허용 IP 변경", "Allowed addresses changed"),
    AuditAction.CONFIRM_BACKUP: ("키 파일 백업 확인", "Key file backup confirmed"),
    AuditAction.ERASE_BUYERS: ("구매자 정보 삭제", "Buyers' data erased"),
}
DELIVERIES: Words = {
    DeliveryState.WAITING: ("보내는 중", "Waiting"),
    DeliveryState.DELIVERED: ("전달됨", "Delivered"),
    DeliveryState.FAILED: ("실패", "Failed"),
    DeliveryState.RECORDED: ("기록만", "Recorded only"),
}
VERBS: Words = {
    Verb.PREPARE: ("결제창 준비", "Preparing a window"),
    Verb.APPROVE: ("결제 승인", "Approval"),
    Verb.CHARGE: ("빌링키 결제", "Charge of a billing key"),
    Verb.CANCEL: ("결제 취소", "Cancel"),
    Verb.DEACTIVATE: ("빌링키 종료", "Ending a billing key"),
}
KEY_ENDS: Words = {
    KeyEnd.DELETED: ("상점이 삭제", "Deleted by the shop"),
    KeyEnd.REPLACED: ("새 빌링키로 교체", "Replaced by a new key"),
}

FAILURE_CAUSES: Words = {cause: one.name for cause, one in EXPLANATIONS.items()}
RETRIES: Words = {
    Retry.NOW: ("지금 재시도 가능", "Retry now"),
    Retry.SOON: ("몇 분 뒤 재시도", "Retry in some minutes"),
    Retry.LATER: ("나중에 재시도", "Retry later"),
    Retry.AFTER_BUYER: ("구매자 조치 후", "After the buyer acted"),
    Retry.AFTER_REGISTERING: ("다시 등록해야 함", "Register again"),
    Retry.AFTER_SHOP: ("상점 조치 후", "After the shop acted"),
    Retry.NO: ("재시도하지 않음", "Do not retry"),
    Retry.UNKNOWN: ("원문 확인", "Read the PG's text"),
}

ALL: dict[str, Words] = {
    "role": ROLES,
    "status": STATUSES,
    "deed": OPERATOR_ENTRIES,
    "method": METHODS,
    "act": AUDIT_ENTRIES,
    "delivery": DELIVERIES,
    "verb": VERBS,
    "key_end": KEY_ENDS,
    "failure_cause": FAILURE_CAUSES,
    "retry": RETRIES,
}


def add(words: Mapping[str, Words]) -> None:
    """Make the words of a subject known to `say`. Raises ValueError for a name that another has taken."""
    for name, table in words.items():
        if ALL.setdefault(name, table) is not table:
            raise ValueError(f"two subjects call their words {name}")


def plural(count: int, one: str, many: str) -> str:
    """Return the English words for so many."""
    return one if count == 1 else many


def say(visit: Visit, name: str, value: StrEnum) -> str:
    """Return the word for a value in the visitor's language."""
    return visit.t(*ALL[name][value])


def mode_word(visit: Visit, *, test_mode: bool) -> str:
    """Return what the mode of a payment, key or channel is called."""
    return visit.t("테스트", "Test") if test_mode else visit.t("실연동", "Live")
