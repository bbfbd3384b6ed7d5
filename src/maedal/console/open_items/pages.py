"""The desk: what the gateway could not settle by itself, with the evidence, and what a person may do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.billing_keys.last_approval import is_later_one
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import form_id, new_form_id, require_confirmation
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.cancel import CANCELLABLE
from maedal.flows.close_findings import close_findings
from maedal.flows.deactivate_key import end_now
from maedal.flows.failover import missing_approvals, young_server
from maedal.flows.resolve_by_hand import ManualResolution, Verdict, ask_now, resolve_by_hand, supply_tid
from maedal.operators.role import Permission
from maedal.payments.attempt import Verb
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.reconciliation.finding import REFUND_PROPOSED, Finding
from maedal.storage.findings.reads import FindingFilter
from maedal.storage.reconciliation.reads import KeptRow
from maedal.storage.unknown_outcomes.reads import UnknownCall
from maedal.storage.webhooks.reads import DeliverySearch
from maedal.webhooks.webhook import GIVEN_UP_OPEN_FOR, DeliveryState

SEE, SETTLE = requires(Permission.SEE_PAYMENTS), requires(Permission.SETTLE_BY_HAND)
SHOWN_MAX = 50
TABS = ("unknown", "tid", "findings", "keys", "webhooks", "refunds")


@get("/merchants/{code:str}/desk", opt=SEE)
async def open_items(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what is open of one kind: the kind that is asked for, or the first of which anything is."""
    visit = visit_of(request)
    counts = dict(zip(TABS, _counts(visit), strict=True))
    first = next((tab for tab in TABS if counts[tab]), TABS[0])
    tab = request.query_params.get("tab", first)
    return await _page(visit, code, tab if tab in TABS else first)


@post("/merchants/{code:str}/desk/unknown/{imp_uid:str}/settle", opt=SETTLE)
async def settle(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Settle an unknown outcome by hand; KakaoPay is asked once more first."""
    visit = visit_of(request)

    async def work() -> str:
        require_confirmation(visit)
        verdict = visit.value("verdict")
        if verdict not in set(Verdict):
            raise InvalidParameter("verdict", "say what became of it")
        resolution = ManualResolution(
            Verdict(verdict),
            visit.present.operator.name,
            visit.value("reason"),
            tid=visit.value("tid") or None,
            attempt_id=visit.value("attempt"),
        )
        settled = await resolve_by_hand(visit.services, code, imp_uid, resolution)
        if settled.by_hand:
            return visit.t("확정했습니다.", "It is settled.")
        return _outcome_text(visit, settled.payment)

    return await _carry_out(visit, code, "unknown", imp_uid, work)


@post("/merchants/{code:str}/desk/unknown/{imp_uid:str}/ask", opt=SETTLE)
async def ask_pg(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Ask KakaoPay now what became of a call."""
    visit = visit_of(request)

    async def work() -> str:
        asked = await ask_now(
            visit.services, code, imp_uid, visit.present.operator.name, form_id(visit, f"ask:{code}:{imp_uid}")
        )
        if asked.by_hand:
            return visit.t(
                "카카오페이에 물었지만 아직 알 수 없습니다. 본 것은 아래에 있습니다.",
                "KakaoPay was asked and does not tell yet. What was seen is below.",
            )
        return _outcome_text(visit, asked.payment)

    return await _carry_out(visit, code, "unknown", imp_uid, work)


@post("/merchants/{code:str}/desk/tid/{imp_uid:str}", opt=SETTLE)
async def tid(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Supply the tid of a payment that was found paid without one; KakaoPay must confirm order and amount."""
    visit = visit_of(request)

    async def work() -> str:
        require_confirmation(visit)
        if not visit.value("tid"):
            raise InvalidParameter("tid", "type the tid")
        who, reason = visit.present.operator.name, visit.value("reason")
        await supply_tid(visit.services, code, imp_uid, visit.value("tid"), who, reason)
        return visit.t(
            "거래번호를 넣었습니다. 이제 취소할 수 있습니다.", "The tid is kept; the payment can be cancelled now."
        )

    return await _carry_out(visit, code, "tid", imp_uid, work)


@post("/merchants/{code:str}/desk/findings/{finding_id:str}/close", opt=SETTLE)
async def close(request: AnyRequest, code: FromPath[str], finding_id: FromPath[str]) -> Response[str]:
    """Close a finding with what a person says of it."""
    visit = visit_of(request)

    async def work() -> str:
        require_confirmation(visit)
        reason = visit.value("reason")
        if await close_findings(visit.services, code, [finding_id], visit.present.operator.name, reason):
            return visit.t("닫았습니다. 기록에는 남습니다.", "It is closed, and stays in the record.")
        return visit.t("이미 닫혀 있습니다.", "It is closed already.")

    return await _carry_out(visit, code, "findings", finding_id, work)


@post("/merchants/{code:str}/desk/keys/{attempt_id:str}/end", opt=SETTLE)
async def end_key(request: AnyRequest, code: FromPath[str], attempt_id: FromPath[str]) -> Response[str]:
    """Tell KakaoPay once more, now, that a billing key has ended."""
    visit = visit_of(request)

    async def work() -> str:
        audit_entry_id = form_id(visit, f"end:{code}:{attempt_id}")
        pending = await visit.services.store.billing_keys.pending_endings_of(code, SHOWN_MAX)
        found = next((one for one in pending if one.ending.attempt_id == attempt_id), None)
        if found is None or await end_now(
            visit.services, code, found.ending, visit.present.operator.name, audit_entry_id
        ):
            return visit.t("카카오페이가 종료를 확인했습니다.", "KakaoPay confirms that it has ended.")
        return visit.t(
            "아직 확인되지 않았습니다. 계속 다시 알립니다.", "Not confirmed yet. KakaoPay is told again and again."
        )

    return await _carry_out(visit, code, "keys", attempt_id, work)


async def _carry_out(visit: Visit, code: str, tab: str, item: str, work: Callable[[], Awaitable[str]]) -> Response[str]:
    """Do it and see the desk again, or show the form again with what is wrong."""
    await merchant_of(visit, code)
    try:
        note = await work()
    except InvalidParameter as error:
        return await _page(visit, code, tab, item, problem_of(visit, error))
    except GatewayError as error:
        return redirect(visit, f"{_address(code)}?tab={tab}", problem_of(visit, error)["text"], tone="problem")
    return redirect(visit, f"{_address(code)}?tab={tab}", note)


async def _page(
    visit: Visit, code: str, tab: str, item: str = "", problem: Mapping[str, str] | None = None
) -> Response[str]:
    merchant = await merchant_of(visit, code)
    now = visit.services.clock.now()
    return render(
        visit,
        "open_items/list.html",
        status=422 if problem else 200,
        merchant=merchant,
        tab=tab,
        counts=dict(zip(TABS, _counts(visit), strict=True)),
        opened=item,
        problem=problem,
        typed={name: visit.value(name) for name in ("verdict", "tid", "reason")} if problem else {},
        at=_address(code),
        shown_max=SHOWN_MAX,
        age=lambda since: _age(visit, now - since),
        form_id=lambda action: new_form_id(visit, action),
        evidence_text=lambda text: _evidence_text(visit, text),
        server=await young_server(visit.services),
        missing=await missing_approvals(visit.services, code, SHOWN_MAX),
        **await _TABS_DATA[tab](visit, code),
    )


async def _unknown(visit: Visit, code: str) -> dict[str, Any]:
    calls = await visit.services.store.unknown_outcomes.of_merchant(code, SHOWN_MAX, visit.test_mode)
    return {"calls": calls, "verdicts": {call.attempt.id: _verdicts(call) for call in calls}, "moved": _moved}


async def _tid(visit: Visit, code: str) -> dict[str, Any]:
    return {"payments": await visit.services.store.payments.without_tid_of(code, SHOWN_MAX, visit.test_mode)}


async def _findings(visit: Visit, code: str) -> dict[str, Any]:
    store = visit.services.store
    found = await store.findings.search(code, FindingFilter(SHOWN_MAX, test_mode=visit.test_mode))
    imp_uids = sorted({one.imp_uid for one in found if one.imp_uid})
    payments = {one.imp_uid: one for one in await store.payments.by_ids(code, imp_uids, [])} if imp_uids else {}
    tids = sorted({one.pg_tid for one in found if one.pg_tid})
    rows = await store.reconciliation.kept_rows(code, (), tids)
    return {
        "findings": found,
        "payments": payments,
        "rows": {one.id: [kept for kept in rows if kept.row.pg_tid == one.pg_tid] for one in found},
        "given_back": {one.id: _given_back(rows, one) for one in found},
        "proposed": REFUND_PROPOSED,
        "cancellable": lambda one: _cancellable(one, payments.get(one.imp_uid or "")),
    }


async def _keys(visit: Visit, code: str) -> dict[str, Any]:
    store = visit.services.store
    return {"endings": await store.billing_keys.pending_endings_of(code, SHOWN_MAX, visit.test_mode)}


async def _webhooks(visit: Visit, code: str) -> dict[str, Any]:
    since = visit.services.clock.now() - GIVEN_UP_OPEN_FOR
    page = await visit.services.store.webhooks.search(
        code, DeliverySearch(SHOWN_MAX, [DeliveryState.FAILED], test_mode=visit.test_mode, since=since)
    )
    return {"webhooks": page.rows, "days": GIVEN_UP_OPEN_FOR.days}


async def _refunds(visit: Visit, code: str) -> dict[str, Any]:
    since = visit.services.clock.now() - GIVEN_UP_OPEN_FOR
    reads = visit.services.store.cancellations
    return {
        "refused": await reads.refused_since(code, since, SHOWN_MAX, visit.test_mode),
        "days": GIVEN_UP_OPEN_FOR.days,
    }


_TABS_DATA = {
    "unknown": _unknown,
    "tid": _tid,
    "findings": _findings,
    "keys": _keys,
    "webhooks": _webhooks,
    "refunds": _refunds,
}


def _counts(visit: Visit) -> tuple[int, ...]:
    counts = visit.open_items
    return (
        counts.unknown, counts.without_tid, counts.findings, counts.key_endings, counts.webhooks, counts.refunds,
    )  # fmt: skip


def _verdicts(call: UnknownCall) -> tuple[Verdict, Verdict]:
    if call.attempt.verb is Verb.CANCEL:
        return Verdict.CANCELLED, Verdict.NOT_CANCELLED
    return Verdict.CHARGED, Verdict.NOT_CHARGED


def _moved(call: UnknownCall) -> bool | None:
    """Return whether the key's last approval is a later one than before the call; None when nobody has seen it yet."""
    before, after = call.approved_before, call.approved_after
    if after is None:
        return None
    return before is None or is_later_one(after, before, in_reply=call.approved_before_in_reply)


def _given_back(rows: Sequence[KeptRow], finding: Finding) -> int:
    return sum(k.row.amount for k in rows if k.row.pg_tid == finding.pg_tid and k.row.action == "cancel")


def _cancellable(finding: Finding, payment: Payment | None) -> bool:
    """Return whether the money of a finding can be given back by a cancel of a payment here."""
    return (
        payment is not None
        and payment.status in CANCELLABLE
        and payment.pg_tid is not None
        and payment.pg_tid == finding.pg_tid
        and payment.cancelled_amount < payment.order.price.total.amount
    )


def _outcome_text(visit: Visit, payment: Payment) -> str:
    korean, english = {
        Status.PAID: ("결제된 것으로", "it was charged"),
        Status.FAILED: ("결제되지 않은 것으로", "it was not charged"),
        Status.CANCELLED: ("취소된 것으로", "it was cancelled"),
    }.get(payment.status, ("결과가", "the outcome is known"))
    return visit.t(f"카카오페이가 {korean} 확인해 주었습니다.", f"KakaoPay told it at last: {english}.")


def _age(visit: Visit, age: timedelta) -> str:
    minutes = max(int(age.total_seconds()), 0) // 60
    days, hours, minutes = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    if days:
        return visit.t(f"{days}일 {hours}시간", f"{days} d {hours} h")
    return (
        visit.t(f"{hours}시간 {minutes}분", f"{hours} h {minutes} min")
        if hours
        else visit.t(f"{minutes}분", f"{minutes} min")
    )


def _evidence_text(visit: Visit, text: str | None) -> str:
    if text is None:
        return ""
    kind, _, rest = text.partition(" ")
    korean, english = {
        "key": ("빌링키", "the billing key"),
        "order": ("주문", "the order"),
        "no": ("응답을 받지 못함", "no answer"),
        "nothing": ("물어볼 거래번호가 없음", "no tid to ask for"),
    }.get(kind, (kind, kind))
    return visit.t(korean, english) + (f" {rest}" if kind in {"key", "order"} else "")


def _address(code: str) -> str:
    return f"/console/merchants/{code}/desk"


HANDLERS = [open_items, settle, ask_pg, tid, close, end_key]
