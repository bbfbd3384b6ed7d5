"""The words for the terms of what the roles may do, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.operators.role import Permission, Role

PERMISSIONS: Words = {
    Permission.ANYBODY: ("로그인 화면", "The sign-in page"),
    Permission.HALF_SIGNED_IN: ("2단계 인증 화면", "The second step"),
    Permission.OWN_ACCOUNT: ("내 비밀번호, 2단계 인증, 세션", "One's own password, second step and sessions"),
    Permission.SEE_PAYMENTS: ("결제와 빌링키 조회", "See payments and billing keys"),
    Permission.EXPORT_PAYMENTS: ("결제 내역 내려받기", "Export payments"),
    Permission.CANCEL_PAYMENTS: ("결제 취소", "Cancel payments"),
    Permission.CHANGE_SCHEDULES: ("예약 변경, 보류, 재시도", "Change, hold and retry scheduled charges"),
    Permission.END_KEYS: ("빌링키 종료", "End billing keys"),
    Permission.WRITE_NOTES: ("메모와 태그", "Write notes and tags"),
    Permission.SETTLE_BY_HAND: ("결과 확정과 대사 차이 종결", "Settle outcomes and close findings"),
    Permission.RESEND_WEBHOOKS: ("웹훅 다시 보내기", "Send webhooks again"),
    Permission.SEE_SETTINGS: ("설정 조회", "See settings"),
    Permission.CHANGE_SETTINGS: (
        "채널, API 키, 웹훅, 허용 IP 변경",
        "Change channels, API keys, webhooks, allowed addresses",
    ),
    Permission.SEE_AUDIT_LOG: ("변경 기록 조회", "See the audit log"),
    Permission.MANAGE_OPERATORS: ("사용자 관리", "Manage users"),
    Permission.DEMAND_SECOND_STEP: ("역할에 2단계 인증 요구", "Demand the second step of a role"),
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
        "결제 조회·취소·내려받기, 예약 변경·보류, 빌링키 해지, 확인 필요 처리, 설정 조회",
        "Sees, cancels, exports payments, changes scheduled charges, ends keys, settles what is open; sees settings",
    ),
    Role.READ_ONLY: ("조회만", "Sees, changes nothing"),
}

WORDS: Mapping[str, Words] = {
    "permission": PERMISSIONS,
    "duty": DUTIES,
}
