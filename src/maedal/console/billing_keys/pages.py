"""Billing keys: a list that a link can hold, the story of each, and ending one by hand."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import begin_of, first_of_month, today
from maedal.console.frame.links import schedule_path_of
from maedal.console.frame.lists import page_number
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation
from maedal.console.frame.page import redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.frame.words import plural
from maedal.errors import GatewayError
from maedal.flows.change_schedules import ChangeRequest, change_schedules
from maedal.flows.deactivate_key import KeyByHand, deactivate_key
from maedal.operators.role import Permission
from maedal.payments.attempt import Method
from maedal.payments.errors import InvalidParameter
from maedal.schedules.manual_changes import ManualChange, mark_of
from maedal.schedules.schedule import HORIZON, ScheduleStatus
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding
from maedal.storage.schedules.reads import ScheduleFilter

SEE = requires(Permission.SEE_PAYMENTS)
ROWS = 50
COUNT_MAX = 20_000
WORD_CHARS_MAX = 80
PAYMENTS_MAX = 30
PLANNED_MAX = 30
REVOKED_MAX = 1_000
KEYS_MAX = 20
AUDIT_ENTRIES_MAX = 20
REASON_CHARS_MAX = 200
FIRST_DAY = date(2000, 1, 1)


@get("/merchants/{code:str}/billing-keys", opt=SEE)
async def billing_keys(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List billing keys, each with what it was used for in this month and when it is charged next."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store, number = visit.reading.store, page_number(visit)
    channels = {channel.id: channel for channel in await store.channels.of_merchant(code)}
    wanted = read_filter(visit)
    found = await store.billing_keys.search(code, wanted, ROWS, (number - 1) * ROWS)
    total = await store.billing_keys.count(code, wanted, COUNT_MAX)

    def link(**changes: object) -> str:
        own = {
            "standing": wanted.standing,
            "word": wanted.word,
            "channel": wanted.channel_id or "",
            "method": wanted.method or "",
            "mode": "" if wanted.test_mode is None else ("test" if wanted.test_mode else "live"),
        }
        return f"{request.url.path}?{urlencode({name: v for name, v in (own | changes).items() if str(v)})}"

    return render(
        visit,
        "billing_keys/list.html",
        merchant=merchant,
        found=found,
        uses=await store.billing_keys.usage(code, found, begin_of(first_of_month(today(visit)))),
        ending=await store.billing_keys.with_pending_ending(code, [key.id for key in found]),
        wanted=wanted,
        standings=list(KeyStanding),
        methods=list(Method),
        channels=channels,
        total=total,
        counted=total < COUNT_MAX,
        number=number,
        last=max(1, -(-total // ROWS)),
        link=link,
    )


@get("/merchants/{code:str}/billing-keys/{key_id:str}", opt=SEE)
async def billing_key(request: AnyRequest, code: FromPath[str], key_id: FromPath[str]) -> Response[str]:
    """Show a billing key: how it came to be, its charges and scheduled charges, what followed it, and how it ends."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store = visit.services.store
    key = await _found(visit, code, key_id)
    channel = next((c for c in await store.channels.of_merchant(code) if c.id == key.channel_id), None)
    others = await store.billing_keys.of_customer(code, key.customer_uid, KEYS_MAX)
    later = [one for one in others if (one.inserted_at, one.id) > (key.inserted_at, key.id)]
    planned = await store.schedules.page(code, _planned_of(visit, key.customer_uid, PLANNED_MAX))
    uses = await store.billing_keys.usage(code, [key], begin_of(first_of_month(today(visit))))
    return render(
        visit,
        "billing_keys/billing_key.html",
        merchant=merchant,
        key=key,
        channel=channel,
        use=uses[key.id],
        issued=await store.payments.issue_of_key(code, key),
        payments=await store.payments.of_key(code, key, PAYMENTS_MAX),
        planned=planned.schedules,
        planned_total=planned.total,
        planned_sum=sum(one.order.price.total.amount for one in planned.schedules),
        ending=await store.billing_keys.pending_ending(code, key.id),
        followed_by=later[-1] if later else None,
        others=[one for one in others if one.id != key.id],
        audit_entries=await store.audit.about(code, key.id, AUDIT_ENTRIES_MAX),
        one=lambda s: schedule_path_of(code, s),
        now=visit.services.clock.now(),
    )


@post("/merchants/{code:str}/billing-keys/{key_id:str}/end", opt=requires(Permission.END_KEYS))
async def end_key(request: AnyRequest, code: FromPath[str], key_id: FromPath[str]) -> Response[str]:
    """End this key, never a newer one of the same customer; with it, if asked for, what is planned for the customer."""
    visit = visit_of(request)
    key = await _found(visit, code, key_id)
    page = f"/console/merchants/{code}/billing-keys/{key.id}"
    revoked = 0
    try:
        reason = visit.value("reason")
        require_confirmation(visit)
        if len(reason) > REASON_CHARS_MAX or not reason.isprintable():
            raise InvalidParameter("reason", f"a reason has at most {REASON_CHARS_MAX} printable characters")
        by_hand = KeyByHand(key.id, visit.present.operator.name, reason)
        await deactivate_key(visit.services, code, key.customer_uid, by_hand)
        if visit.value("planned") == "revoke":
            revoked = await _revoke_planned(visit, code, key.customer_uid, reason)
    except GatewayError as error:
        return redirect(visit, page, translated(visit, error.message), tone="problem")
    text = visit.t("빌링키를 해지했습니다.", "The billing key was ended.")
    if revoked:
        text += " " + visit.t(
            f"예약 {revoked:,}건도 해지했습니다.",
            plural(
                revoked, "{:,} scheduled charge was revoked too.", "{:,} scheduled charges were revoked too."
            ).format(revoked),
        )
    return redirect(visit, page, text)


async def _revoke_planned(visit: Visit, code: str, customer_uid: str, reason: str) -> int:
    services = visit.services
    waiting = await services.store.schedules.page(code, _planned_of(visit, customer_uid, REVOKED_MAX))
    seen = [(one.order.merchant_uid, mark_of(one)) for one in waiting.schedules]
    change_request = ChangeRequest(ManualChange.REVOKE, visit.present.operator.name, reason)
    return await change_schedules(services, code, seen, change_request, services.ids.row(services.clock.now()))


def _planned_of(visit: Visit, customer_uid: str, limit: int) -> ScheduleFilter:
    """Return the filter for what waits of a customer, the soonest first."""
    until = visit.services.clock.now() + HORIZON
    waiting = (ScheduleStatus.SCHEDULED,)
    return ScheduleFilter(begin_of(FIRST_DAY), until, 1, limit, waiting, oldest_first=True, customer_uid=customer_uid)


async def _found(visit: Visit, code: str, key_id: str) -> BillingKey:
    key = await visit.services.store.billing_keys.find_by_id(code, key_id)
    if key is None:
        raise BillingKeyNotFound("there is no such billing key")
    return key


def read_filter(visit: Visit) -> KeyFilter:
    """Read the filters of an address; what it says that cannot be is as if it were not said."""
    query = visit.request.query_params
    standing, method, mode = query.get("standing", ""), query.get("method", ""), query.get("mode", "")
    return KeyFilter(
        KeyStanding(standing) if standing in set(KeyStanding) else KeyStanding.LIVING,
        query.get("word", "").replace("\0", "").strip()[:WORD_CHARS_MAX],
        query.get("channel", "").replace("\0", "")[:WORD_CHARS_MAX] or None,
        Method(method) if method in set(Method) else None,
        visit.mode_of({"test": True, "live": False}.get(mode)),
    )


HANDLERS = [billing_keys, billing_key, end_key]
