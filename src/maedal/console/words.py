"""The words for what the console shows of the gateway's own terms, in both languages; a test proves them complete."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from maedal.billing_keys.billing_key import KeyEnd
from maedal.console.visit import Visit
from maedal.flows.overview import FailureGroup
from maedal.flows.resolve_by_hand import Verdict
from maedal.merchants.act import ActKind
from maedal.merchants.channel import ChannelKind, ReplacedKeys, UnknownPg, WindowForm
from maedal.merchants.go_live import Point, Readiness
from maedal.merchants.merchant import WebhookRetry, WebhookType
from maedal.operators.deed import DeedKind
from maedal.operators.role import Permission, Role
from maedal.payments.attempt import DeclineReason, Method, Outcome, Proof, Verb
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import KeyUse, Origin
from maedal.reconciliation.finding import FindingKind
from maedal.schedules.manual_changes import ManualChange, Obstacle
from maedal.storage.desk import AnswerClass
from maedal.storage.keyring import KeyStanding
from maedal.storage.payment_lists import Basis, ListOrder, SearchField, Standing, Use
from maedal.storage.plans import Tab
from maedal.webhooks.webhook import DeliveryState

Words = Mapping[StrEnum, tuple[str, str]]

ROLES: Words = {
    Role.OWNER: ("소유자", "Owner"),
    Role.ADMIN: ("관리자", "Admin"),
    Role.DEVELOPER: ("개발자", "Developer"),
    Role.MANAGER: ("매니저", "Manager"),
    Role.READ_ONLY: ("읽기 전용", "Read only"),
}
PERMISSIONS: Words = {
    Permission.ANYBODY: ("로그인 화면", "The sign-in page"),
    Permission.HALF_SIGNED_IN: ("2단계 인증 화면", "The second step"),
    Permission.OWN_ACCOUNT: ("내 비밀번호, 2단계 인증, 세션", "One's own password, second step and sessions"),
    Permission.SEE_PAYMENTS: ("결제와 빌링키 조회", "See payments and billing keys"),
    Permission.EXPORT_PAYMENTS: ("결제 내역 내려받기", "Export payments"),
    Permission.CANCEL_PAYMENTS: ("결제 취소", "Cancel payments"),
    Permission.CHANGE_SCHEDULES: ("예약 변경, 보류, 재시도", "Change, hold and retry planned charges"),
    Permission.END_KEYS: ("빌링키 종료", "End billing keys"),
    Permission.SETTLE_BY_HAND: ("결과 확정과 대사 차이 종결", "Settle outcomes and close findings"),
    Permission.RESEND_WEBHOOKS: ("웹훅 다시 보내기", "Send webhooks again"),
    Permission.SEE_SETTINGS: ("설정 조회", "See settings"),
    Permission.CHANGE_SETTINGS: (
        "채널, API 키, 웹훅, 허용 IP 변경",
        "Change channels, API keys, webhooks, allowed addresses",
    ),
    Permission.SEE_AUDIT_LOG: ("변경 기록 조회", "See the audit log"),
    Permission.MANAGE_USERS: ("사용자 관리", "Manage users"),
    Permission.ADD_MERCHANTS: ("가맹점 추가", "Add merchants"),
}
DUTIES: Words = {
    Role.OWNER: ("모든 일. 다른 소유자도 관리합니다", "Everything, other owners too"),
    Role.ADMIN: ("소유자 관리를 뺀 모든 일", "Everything but owners"),
    Role.DEVELOPER: (
        "채널·키·웹훅 설정, 웹훅 다시 보내기, 결제 조회",
        "Channels, keys and webhooks, sends webhooks again; sees payments",
    ),
    Role.MANAGER: (
        "결제 조회·취소·내려받기, 예약 변경·보류, 빌링키 해지, 확인할 일 처리, 설정 조회",
        "Sees, cancels, exports payments, changes planned charges, ends keys, settles what is open; sees the settings",
    ),
    Role.READ_ONLY: ("조회만", "Sees, changes nothing"),
}
KINDS: Words = {
    ChannelKind.ONE_TIME: ("일반결제", "One-time"),
    ChannelKind.RECURRING: ("정기결제", "Recurring"),
}
UNKNOWN_PG: Words = {
    UnknownPg.REJECT: ("거절합니다", "Refuse it"),
    UnknownPg.DEFAULT: ("기본 채널로 결제창을 엽니다", "Open the default channel"),
}
WINDOW_FORMS: Words = {
    WindowForm.LAYER: ("상점 페이지 위에", "Over the shop's page"),
    WindowForm.POPUP: ("새 창(팝업)으로", "In a window of its own"),
}
REPLACED_KEYS: Words = {
    ReplacedKeys.DEACTIVATE: ("카카오페이에서 비활성화합니다", "Deactivate it at KakaoPay"),
    ReplacedKeys.KEEP: ("그대로 둡니다 (포트원과 같음)", "Keep it, as PortOne does"),
}
STATUSES: Words = {
    Status.READY: ("결제 대기", "Waiting"),
    Status.CALLING: ("결제 중", "In progress"),
    Status.UNKNOWN: ("결과 확인 중", "Being clarified"),
    Status.PAID: ("결제완료", "Paid"),
    Status.FAILED: ("결제실패", "Failed"),
    Status.CANCELLED: ("결제취소", "Cancelled"),
}
METHODS: Words = {Method.CARD: ("카드", "Card"), Method.MONEY: ("카카오페이머니", "KakaoPay Money")}
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
    Start.PLAN: ("예약 실행", "Planned charge taken up"),
    Start.ENTER: ("빠진 결제 넣음", "Missing payment entered"),
    Start.IMPORTED: ("가져옴", "Imported"),
}
PROOFS: Words = {
    Proof.REPLY: ("PG사의 응답", "the PG's own answer"),
    Proof.NO_CONNECTION: ("연결되지 않음", "no connection was made"),
    Proof.ORDER_LOOKUP: ("거래번호로 조회한 주문", "the PG's order, looked up"),
    Proof.KEY_STATUS: ("조회한 빌링키 상태", "the PG's status of the billing key"),
    Proof.SETTLEMENT_FILE: ("PG사의 거래내역 파일", "the PG's file of the day"),
    Proof.MERCHANT_REFUSED: ("상점의 confirm_url이 거절", "the shop's confirm_url said no"),
    Proof.PERSON: ("담당자의 확인", "a named person"),
    Proof.IMPORTED: ("가져온 파일", "an imported file"),
    Proof.LOST: ("없음", "nothing yet"),
}
KEY_USES: Words = {
    KeyUse.ISSUE: ("빌링키 발급", "Issues a billing key"),
    KeyUse.CHARGE: ("빌링키 결제", "Charges a billing key"),
    KeyUse.SCHEDULED: ("예약된 빌링키 결제", "Planned charge of a billing key"),
}
REASONS: Words = {
    DeclineReason.LIMIT: ("한도 초과", "Limit used up"),
    DeclineReason.BALANCE: ("잔액 부족", "Too little money"),
    DeclineReason.LOCKED: ("일시 정지 · 진행 중인 거래", "Locked for now"),
    DeclineReason.ENDED_KEY: ("만료 · 해지된 결제수단", "Key or method ended"),
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
STANDINGS: Words = {
    Standing.PAID: ("결제완료", "Paid"),
    Standing.FAILED: ("결제실패", "Failed"),
    Standing.CANCELLED: ("결제취소", "Cancelled"),
    Standing.PARTLY: ("부분취소", "Partly"),
    Standing.WHOLLY: ("전체취소", "Wholly"),
    Standing.WAITING: ("승인대기", "Waiting"),
    Standing.UNKNOWN: ("결과 확인 중", "Being clarified"),
}
BASES: Words = {
    Basis.REQUESTED: ("결제 요청 시각", "When requested"),
    Basis.PAID: ("결제 승인 시각", "When paid"),
    Basis.STATUS: ("상태가 바뀐 시각", "When it came to its status"),
}
USES: Words = {
    Use.ONE_TIME: ("일반결제", "One-time"),
    Use.ISSUE: ("빌링키 발급", "Key issue"),
    Use.CHARGE: ("빌링키 결제", "Recurring"),
    Use.SCHEDULED: ("예약 결제", "Planned"),
}
ORDERS: Words = {
    ListOrder.NEWEST: ("최근 순", "Newest first"),
    ListOrder.OLDEST: ("오래된 순", "Oldest first"),
    ListOrder.LARGEST: ("금액 큰 순", "Largest first"),
    ListOrder.SMALLEST: ("금액 작은 순", "Smallest first"),
}
FIELDS: Words = {
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
FAILURES: Words = {
    FailureGroup.BALANCE: ("잔액 부족", "Too little money"),
    FailureGroup.LIMIT: ("한도 초과", "Limit used up"),
    FailureGroup.LOCKED: ("일시 정지", "Locked for now"),
    FailureGroup.ENDED_KEY: ("해지된 키 · 수단", "Key or method ended"),
    FailureGroup.OTHER: ("기타", "Other"),
    FailureGroup.LEFT: ("구매자가 그만둠", "Left by the buyer"),
}
WEBHOOK_TYPES: Words = {WebhookType.JSON: ("JSON", "JSON"), WebhookType.FORM: ("폼 (form)", "Form")}
WEBHOOK_RETRIES: Words = {
    WebhookRetry.NONE: ("다시 보내지 않음", "Never"),
    WebhookRetry.FEW: ("1분 간격으로 5번까지", "Up to 5 times, a minute apart"),
    WebhookRetry.PATIENT: ("사흘에 걸쳐 9번까지", "Up to 9 times over three days"),
}
DELIVERIES: Words = {
    DeliveryState.WAITING: ("보내는 중", "Waiting"),
    DeliveryState.DELIVERED: ("전달됨", "Delivered"),
    DeliveryState.FAILED: ("실패", "Failed"),
    DeliveryState.RECORDED: ("기록만", "Recorded only"),
}
ACTS: Words = {
    ActKind.SETTLE_CHARGED: ("결과 확정: 결제됨", "Settled: charged"),
    ActKind.SETTLE_NOT_CHARGED: ("결과 확정: 결제 안 됨", "Settled: not charged"),
    ActKind.SETTLE_CANCELLED: ("결과 확정: 취소됨", "Settled: cancelled"),
    ActKind.SETTLE_NOT_CANCELLED: ("결과 확정: 취소 안 됨", "Settled: not cancelled"),
    ActKind.SUPPLY_TID: ("거래번호(tid) 입력", "tid supplied"),
    ActKind.CLOSE_FINDING: ("대사 차이 종결", "Finding closed"),
    ActKind.CANCEL: ("결제 취소", "Payment cancelled"),
    ActKind.HOLD_SCHEDULE: ("예약 보류", "Planned charge held"),
    ActKind.RELEASE_SCHEDULE: ("예약 보류 해제", "Planned charge released"),
    ActKind.REVOKE_SCHEDULE: ("예약 해지", "Planned charge revoked"),
    ActKind.MOVE_SCHEDULE: ("예약 시각 변경", "Planned charge moved"),
    ActKind.RETRY_SCHEDULE: ("예약 결제 재시도", "Planned charge retried"),
    ActKind.END_KEY: ("빌링키 해지", "Billing key ended"),
    ActKind.ASK_PG: ("PG사에 결과 확인", "PG asked for the outcome"),
    ActKind.ENTER_PAYMENT: ("빠진 결제 넣기", "Missing payment entered"),
    ActKind.ENTER_REFUND: ("PG에서 한 취소 넣기", "Refund made at the PG entered"),
    ActKind.END_KEY_AGAIN: ("빌링키 종료 다시 알림", "Key's end told again"),
    ActKind.RESEND_WEBHOOKS: ("웹훅 다시 보내기", "Webhooks sent again"),
    ActKind.EXPORT_PAYMENTS: ("결제 내역 내려받기", "Payments exported"),
    ActKind.SAVE_VIEW: ("보기 저장", "View saved"),
    ActKind.DELETE_VIEW: ("보기 삭제", "View deleted"),
    ActKind.CREATE_MERCHANT: ("가맹점 추가", "Merchant created"),
    ActKind.IMPORT: ("파일에서 가져오기", "Imported from a file"),
    ActKind.ADD_CHANNEL: ("채널 추가", "Channel added"),
    ActKind.CHANGE_CHANNEL: ("채널 변경", "Channel changed"),
    ActKind.CHANGE_WEBHOOK: ("웹훅 변경", "Webhooks changed"),
    ActKind.CHANGE_SIGNING: ("웹훅 서명 변경", "Signing changed"),
    ActKind.CHANGE_FIELDS: ("응답 필드 변경", "Answer fields changed"),
    ActKind.CHANGE_RECOVERY: ("재시도 규칙 변경", "Recovery rules changed"),
    ActKind.NEW_API_SECRET: ("API secret 재발급", "New API secret"),
    ActKind.END_OLD_API_SECRET: ("이전 API secret 종료", "Old API secret ended"),
    ActKind.NAME_API_KEY: ("API 키 이름 변경", "API key named"),
    ActKind.CHANGE_ADDRESSES: ("허용 IP 변경", "Allowed addresses changed"),
    ActKind.CONFIRM_BACKUP: ("키 파일 백업 확인", "Key file backup confirmed"),
}
KEY_STANDINGS: Words = {
    KeyStanding.LIVING: ("사용 중", "Living"),
    KeyStanding.GONE: ("구매자·PG사가 해지", "Ended by buyer or PG"),
    KeyStanding.REPLACED: ("새 키로 교체됨", "Replaced"),
    KeyStanding.DELETED: ("상점이 해지", "Ended by the shop"),
    KeyStanding.ENDING: ("카카오페이 해지 대기", "Pending at KakaoPay"),
    KeyStanding.ALL: ("전체", "All"),
}
TABS: Words = {
    Tab.ALL: ("전체", "All"),
    Tab.WAITING: ("예약", "Planned"),
    Tab.OPEN: ("결제 중", "In progress"),
    Tab.PAID: ("성공", "Paid"),
    Tab.FAILED: ("실패", "Failed"),
    Tab.REVOKED: ("해지", "Revoked"),
}
CHANGES: Words = {
    ManualChange.HOLD: ("보류", "Hold"),
    ManualChange.RELEASE: ("보류 해제", "Release"),
    ManualChange.REVOKE: ("해지", "Revoke"),
    ManualChange.MOVE: ("예정일 변경", "Move"),
    ManualChange.RETRY: ("실패 건 재시도", "Retry failed"),
    ManualChange.ANEW: ("재예약", "Plan anew"),
}
OBSTACLES: Words = {
    Obstacle.HELD_ALREADY: ("이미 보류 중", "Held already"),
    Obstacle.NOT_HELD: ("보류 중이 아님", "Not held"),
    Obstacle.NOT_AHEAD: ("앞으로 결제할 것이 없음", "Nothing left to be charged"),
    Obstacle.NOT_WAITING: ("대기 중인 예약이 아님", "Does not wait"),
    Obstacle.STILL_WAITS: ("아직 대기 중", "Still waits for its time"),
    Obstacle.HELD: ("보류 중이라 먼저 해제해야 함", "Held; release it first"),
    Obstacle.UNCLEAR: ("결제 중이거나 결과 확인 중", "In progress, or being clarified"),
    Obstacle.PAID: ("이미 결제됨", "Paid already"),
    Obstacle.TIME_OVER: ("옮길 시각이 지났거나 너무 멂", "The new time is over or too far away"),
}
POINTS: Words = {
    Point.CHANNEL: ("계약한 CID", "Contracted CID"),
    Point.WEBHOOK: ("실결제 웹훅", "Live webhook"),
    Point.ADDRESSES: ("허용 IP", "Allowed addresses"),
    Point.SECRET: ("API secret 교체", "API secret rotated"),
    Point.HTTPS: ("https 주소", "https address"),
    Point.KEY_BACKUP: ("키 파일 백업", "Key file backed up"),
    Point.DATABASE: ("데이터베이스", "Database"),
    Point.CLOCK: ("시계", "Clock"),
    Point.TORTURE: ("장애 시험 (make torture)", "Torture run"),
}
READINESS: Words = {
    Readiness.DONE: ("완료", "Done"),
    Readiness.CAREFUL: ("확인 필요", "Take care"),
    Readiness.TODO: ("할 일", "To do"),
    Readiness.NOT_CHECKED: ("확인 전", "Not checked"),
}
DEEDS: Words = {
    DeedKind.CREATE_USER: ("사용자 추가", "User added"),
    DeedKind.CHANGE_ROLE: ("역할 변경", "Role changed"),
    DeedKind.NEW_PASSWORD: ("비밀번호 변경", "Password changed"),
    DeedKind.TWO_STEPS_ON: ("2단계 인증 켬", "Second step on"),
    DeedKind.TWO_STEPS_OFF: ("2단계 인증 끔", "Second step off"),
    DeedKind.NEW_RECOVERY_CODES: ("복구 코드 재발급", "New recovery codes"),
    DeedKind.DISABLE_USER: ("로그인 차단", "User disabled"),
    DeedKind.ENABLE_USER: ("로그인 허용", "User enabled"),
    DeedKind.SIGN_IN: ("로그인", "Signed in"),
    DeedKind.END_SESSIONS: ("세션 종료", "Sessions ended"),
    DeedKind.ADD_MAINTENANCE: ("PG 점검 시간 추가", "PG maintenance added"),
    DeedKind.END_MAINTENANCE: ("PG 점검 시간 종료", "PG maintenance ended"),
}

VERBS: Words = {
    Verb.PREPARE: ("결제창 준비", "Preparing a window"),
    Verb.APPROVE: ("결제 승인", "Approval"),
    Verb.CHARGE: ("빌링키 결제", "Charge of a billing key"),
    Verb.CANCEL: ("결제 취소", "Cancel"),
    Verb.DEACTIVATE: ("빌링키 종료", "Ending a billing key"),
}
VERDICTS: Words = {
    Verdict.CHARGED: ("결제됨", "It was charged"),
    Verdict.NOT_CHARGED: ("결제되지 않음", "It was not charged"),
    Verdict.CANCELLED: ("취소됨", "It was cancelled"),
    Verdict.NOT_CANCELLED: ("취소되지 않음", "It was not cancelled"),
}
FINDINGS: Words = {
    FindingKind.CHARGED_THERE: ("카카오페이에만 있는 결제", "Charged at KakaoPay only"),
    FindingKind.CHARGED_TWICE: ("이중 결제", "Charged twice"),
    FindingKind.CHARGED_HERE: ("여기에만 있는 결제", "Charged here only"),
    FindingKind.AMOUNT_DIFFERS: ("금액이 다름", "The amounts differ"),
    FindingKind.CANCELLED_THERE: ("카카오페이에서 직접 한 취소", "Cancelled at KakaoPay"),
    FindingKind.CANCELLED_HERE: ("여기에만 있는 취소", "Cancelled here only"),
}
MEANINGS: Words = {
    FindingKind.CHARGED_THERE: (
        (
            "카카오페이는 돈을 받았지만 여기에는 그 주문의 완료된 결제가 없습니다. "
            "이 CID로 다른 시스템이 결제했거나, 결과를 잃은 결제입니다."
        ),
        (
            "KakaoPay took money, and here is no paid payment for it: "
            "another system charges under this CID, or a result was lost."
        ),
    ),
    FindingKind.CHARGED_TWICE: (
        "이미 결제된 주문에 카카오페이가 한 번 더 돈을 받았습니다. 구매자에게 돌려줄 돈으로 보입니다.",
        "KakaoPay took money once more for what is paid already. It seems to be the buyer's, to be given back.",
    ),
    FindingKind.CHARGED_HERE: (
        "여기서는 결제완료이지만 카카오페이의 그날 파일에는 없습니다. 받지 못한 돈일 수 있습니다.",
        "It is paid here, and KakaoPay's file of the day does not know it: perhaps no money was taken.",
    ),
    FindingKind.AMOUNT_DIFFERS: (
        "카카오페이가 받은 금액이 여기의 결제 금액과 다릅니다.",
        "KakaoPay took another amount than the payment's here.",
    ),
    FindingKind.CANCELLED_THERE: (
        (
            "여기서 요청하지 않은 취소를 카카오페이가 했습니다. 카카오페이 파트너 어드민에서 취소했을 수 있습니다. "
            "여기의 금액이 함께 보이면 이미 결제의 취소 내역에 넣었으니 확인하고 닫으면 됩니다."
        ),
        (
            "KakaoPay gave money back that was not asked for here: perhaps in KakaoPay's own console. "
            "If an amount here is shown too, it is in the payment's history already: read it and close it."
        ),
    ),
    FindingKind.CANCELLED_HERE: (
        "여기서는 취소했지만 카카오페이의 파일에는 그 취소가 없습니다. 구매자가 돈을 돌려받지 못했을 수 있습니다.",
        "It is cancelled here, and KakaoPay's file does not know it: perhaps the buyer has not been given the money.",
    ),
}
ANSWERS: Words = {
    AnswerClass.TAKEN: ("2xx 받음", "2xx taken"),
    AnswerClass.REDIRECT: ("3xx 다른 주소로", "3xx elsewhere"),
    AnswerClass.REFUSED: ("4xx 거절", "4xx refused"),
    AnswerClass.BROKEN: ("5xx 서버 오류", "5xx broken"),
    AnswerClass.NONE: ("응답 없음", "No answer"),
}
KEY_ENDS: Words = {
    KeyEnd.DELETED: ("상점이 삭제", "Deleted by the shop"),
    KeyEnd.REPLACED: ("새 빌링키로 교체", "Replaced by a new key"),
}

ALL: Mapping[str, Words] = {
    "role": ROLES,
    "duty": DUTIES,
    "permission": PERMISSIONS,
    "kind": KINDS,
    "unknown_pg": UNKNOWN_PG,
    "replaced_keys": REPLACED_KEYS,
    "window_form": WINDOW_FORMS,
    "status": STATUSES,
    "webhook_type": WEBHOOK_TYPES,
    "webhook_retry": WEBHOOK_RETRIES,
    "deed": DEEDS,
    "method": METHODS,
    "reason": REASONS,
    "failure": FAILURES,
    "event": EVENTS,
    "start": STARTS,
    "proof": PROOFS,
    "key_use": KEY_USES,
    "act": ACTS,
    "tab": TABS,
    "key_standing": KEY_STANDINGS,
    "change": CHANGES,
    "obstacle": OBSTACLES,
    "point": POINTS,
    "standing": STANDINGS,
    "delivery": DELIVERIES,
    "verb": VERBS,
    "verdict": VERDICTS,
    "finding": FINDINGS,
    "finding_means": MEANINGS,
    "answer": ANSWERS,
    "key_end": KEY_ENDS,
    "outcome": OUTCOMES,
    "origin": ORIGINS,
    "readiness": READINESS,
    "basis": BASES,
    "use": USES,
    "order": ORDERS,
    "field": FIELDS,
}


def say(visit: Visit, kind: str, value: StrEnum) -> str:
    """Return the word for a value in the visitor's language."""
    return visit.t(*ALL[kind][value])
