"""The search of the frame: what was found for a word, with scripts beneath the field, without them as a page."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.links import schedule_path_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.search_everything import WORD_CHARS_MAX, WORD_CHARS_MIN, search_everything
from maedal.operators.role import Permission

# Where each page of the menu is, by the words that people look for; who may not see one does not find it either.
PAGES: Sequence[tuple[str, str, str, Permission]] = (
    ("", "홈", "Home", Permission.SEE_PAYMENTS),
    ("/payments", "결제 내역", "Payments", Permission.SEE_PAYMENTS),
    ("/payments/export", "결제 내역 내려받기", "Export payments", Permission.EXPORT_PAYMENTS),
    ("/customers", "고객", "Customers", Permission.SEE_PAYMENTS),
    ("/billing-keys", "빌링키", "Billing keys", Permission.SEE_PAYMENTS),
    ("/plans", "정기결제", "Plans", Permission.SEE_PAYMENTS),
    (
        "/plans/attention",
        "동의가 필요한 정기결제, 다음 결제가 없는 빌링키",
        "Plans that need attention",
        Permission.SEE_PAYMENTS,
    ),
    ("/holidays", "휴일", "Holidays", Permission.SEE_PAYMENTS),
    ("/upcoming", "다가오는 결제", "Coming up", Permission.SEE_PAYMENTS),
    ("/schedules", "예약", "Scheduled charges", Permission.SEE_PAYMENTS),
    ("/schedules/calendar", "예약 달력", "Calendar of scheduled charges", Permission.SEE_PAYMENTS),
    ("/figures", "매출 지표, MRR, 고객", "Figures: MRR and customers", Permission.SEE_PAYMENTS),
    ("/figures/months", "월별 합계", "Monthly sums", Permission.SEE_PAYMENTS),
    ("/figures/cohorts", "코호트", "Cohorts", Permission.SEE_PAYMENTS),
    ("/desk", "확인 필요", "Needs review", Permission.SEE_PAYMENTS),
    ("/webhook-log", "웹훅 기록", "Webhook log", Permission.SEE_PAYMENTS),
    ("/channels", "채널 설정", "Channels", Permission.SEE_SETTINGS),
    ("/go-live", "실연동 준비", "Going live", Permission.SEE_SETTINGS),
    ("/keys", "식별코드 · API 키", "Codes and API keys", Permission.SEE_SETTINGS),
    ("/api-log", "API 요청 기록", "API request log", Permission.SEE_SETTINGS),
    ("/dunning", "미납 안내", "Unpaid notices", Permission.SEE_SETTINGS),
    ("/alerts", "알림", "Alerts", Permission.SEE_SETTINGS),
    ("/messages", "보낸 알림", "Sent messages", Permission.SEE_SETTINGS),
    ("/mail-server", "메일 서버", "Mail server", Permission.SEE_SETTINGS),
    ("/webhook", "웹훅 설정", "Webhook settings", Permission.SEE_SETTINGS),
    ("/allowed-addresses", "허용 IP", "Allowed addresses", Permission.SEE_SETTINGS),
    ("/recovery", "재시도 규칙", "Retries", Permission.SEE_SETTINGS),
    ("/log", "변경 기록", "Audit log", Permission.SEE_AUDIT_LOG),
)
OF_THE_INSTALLATION: Sequence[tuple[str, str, str, Permission]] = (
    ("/console/account", "내 계정 비밀번호", "My account and password", Permission.OWN_ACCOUNT),
    ("/console/users", "사용자", "Users", Permission.MANAGE_OPERATORS),
    ("/console/shortcuts", "단축키", "Keyboard shortcuts", Permission.OWN_ACCOUNT),
)


@get("/merchants/{code:str}/find", opt=requires(Permission.SEE_PAYMENTS))
async def find(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what a merchant has under a word."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    typed = request.query_params.get("q", "")
    word = "".join(c for c in typed if c.isprintable()).strip()[:WORD_CHARS_MAX]
    found = await search_everything(visit.services, code, word, visit.test_mode)
    return render(
        visit,
        "search/results.html",
        merchant=merchant,
        found_word=word,
        short=len(word) < WORD_CHARS_MIN,
        shortest=WORD_CHARS_MIN,
        found=found,
        pages=_pages(visit, code, word),
        one=lambda s: schedule_path_of(code, s),
    )


@get("/shortcuts", opt=requires(Permission.OWN_ACCOUNT), sync_to_thread=False)
def shortcuts(request: AnyRequest) -> Response[str]:
    """Show the keys of the console, and let letter keys be switched off."""
    return render(visit_of(request), "search/shortcuts.html")


def _pages(visit: Visit, code: str, word: str) -> list[tuple[str, str]]:
    """Return the pages whose names, in either language, hold a word."""
    folded = word.casefold()
    if not folded:
        return []
    of = f"/console/merchants/{code}"
    every = [(f"{of}{path}", korean, english, needed) for path, korean, english, needed in PAGES]
    return [
        (path, visit.t(korean, english))
        for path, korean, english, permission in (*every, *OF_THE_INSTALLATION)
        if visit.may(permission) and (folded in korean.casefold() or folded in english.casefold())
    ]


HANDLERS = [find, shortcuts]
