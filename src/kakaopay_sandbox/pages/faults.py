"""The page on which people make things go wrong, and see what came of it (docs/wire/kakaopay.md, 14.21).

Plain forms; the script beside it only spares the way to the top of the page and keeps what is shown up to date.
"""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer
from kakaopay_sandbox.control_body import BadControl, Body
from kakaopay_sandbox.control_faults import fault_of
from kakaopay_sandbox.control_kakaopay import refund_at_the_pg
from kakaopay_sandbox.faults import Fault, Kind
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.pages import fault_texts
from kakaopay_sandbox.pages.account import set_points, won_of
from kakaopay_sandbox.pages.page import Page, form_of
from kakaopay_sandbox.results import CARD_RESULTS, MONEY_RESULTS
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.sids import Sid
from kakaopay_sandbox.time_offsets import PLACES, SECONDS_MAX, Offset

FAULTS = "/faults"
KEYS_SHOWN = 50
ORDERS_SHOWN = 12
EVENTS_SHOWN = 30


def faults_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    def keys(chosen: str) -> list[Sid]:
        """The billing keys that still run, newest first; the chosen one in any case."""
        latest = [sid for sid in sandbox.sids.latest(KEYS_SHOWN) if sid.is_active]
        known = sandbox.sids.find(chosen)
        return latest if known is None or chosen in [sid.sid for sid in latest] else [known, *latest]

    def refundable() -> list[Order]:
        latest = sandbox.orders.latest(100, sandbox.clock.now())
        return [order for order in latest if order.cancelable.total > 0][:ORDERS_SHOWN]

    def now_of(page: Page) -> dict[str, Any]:
        """What is armed, and what it did."""
        events = sandbox.call_log.struck(EVENTS_SHOWN)
        return {
            "armed": [(fault, describe(page, fault)) for fault in sandbox.faults.waiting(sandbox.clock.now())],
            "offset": sandbox.time_offsets.offset,
            "wallet": sandbox.wallet,
            "events": [(event, tell(page, event)) for event in events],
            "words": fault_texts,
            "key_name": key_name,
            "path": FAULTS,
        }

    def key_name(sid: str | None) -> str:
        known = sandbox.sids.find(sid or "")
        return "" if known is None else f"{known.item_name} · …{known.sid[-6:]}"

    def show(
        request: AnyRequest, form: dict[str, str] | None = None, *, problem: str = "", said: str = ""
    ) -> Response[Any]:
        page = Page(request)
        # Also where a form is shown again, the other language is the page's own.
        page.path = FAULTS
        chosen = form if form is not None else dict(request.query_params.items())
        return page.show(
            "faults.html",
            chosen=lambda name: chosen.get(name, ""),
            keys=keys(chosen.get("sid", "")),
            orders=refundable(),
            money_results=MONEY_RESULTS,
            card_results=CARD_RESULTS,
            places=PLACES,
            problem=page.t(*fault_texts.PROBLEMS[problem]) if problem else "",
            said=said,
            status_code=400 if problem else 200,
            **now_of(page),
        )

    @get(FAULTS)
    async def faults(request: AnyRequest) -> Response[Any]:
        page = Page(request)
        return show(request, said=page.t(*SAID[code]) if (code := request.query_params.get("said", "")) in SAID else "")

    @get(FAULTS + "/now")
    async def now(request: AnyRequest) -> Response[Any]:
        """The part of the page that changes by itself."""
        page = Page(request)
        return page.show("faults_now.html", **now_of(page))

    @post(FAULTS + "/arm", status_code=200)
    async def arm(request: AnyRequest) -> Response[Any]:
        """Arm one fault: the kind by the button, the rest by the fields that belong to it."""
        page = Page(request)
        form = await form_of(request)
        if form.get("sid") and sandbox.sids.find(form["sid"]) is None:
            return show(request, form, problem="sid")
        try:
            fault = fault_of(Body(_described(form)), sandbox.clock.now())
        except BadControl as mistake:
            return show(request, form, problem=_field_of(mistake))
        sandbox.faults.add(fault)
        return page.go(FAULTS, said="armed", **{name: form[name] for name in ("operation", "sid") if form.get(name)})

    @post(FAULTS + "/remove/{fault_id:int}", status_code=200)
    async def remove(request: AnyRequest, fault_id: FromPath[int]) -> Response[Any]:
        page = Page(request)
        if not sandbox.faults.remove(fault_id):
            return show(request, {}, problem="id")
        return page.go(FAULTS, said="removed")

    @post(FAULTS + "/clear", status_code=200)
    async def clear(request: AnyRequest) -> Response[Any]:
        """Make everything well again: no fault, no difference of times, no discount. Points stay what they are."""
        page = Page(request)
        sandbox.faults.clear()
        with sandbox.database.transaction():
            sandbox.time_offsets.change(Offset())
            sandbox.wallet.set_discount(0)
            sandbox.wallet.set_use_points(False)
        return page.go(FAULTS, said="cleared")

    @post(FAULTS + "/times", status_code=200)
    async def change_times(request: AnyRequest) -> Response[Any]:
        page = Page(request)
        form = await form_of(request)
        seconds, spread = _whole(form.get("seconds", "")), _whole(form.get("spread", ""))
        is_possible = seconds is not None and spread is not None and abs(seconds) <= SECONDS_MAX
        if not is_possible or not 0 <= (spread or 0) <= SECONDS_MAX:
            return show(request, form, problem="seconds")
        places = tuple(place for place in PLACES if f"of_{place}" in form) or PLACES
        with sandbox.database.transaction():
            sandbox.time_offsets.change(Offset(seconds=seconds or 0, spread=spread or 0, of=places))
        return page.go(FAULTS, said="times")

    @post(FAULTS + "/points", status_code=200)
    async def change_points(request: AnyRequest) -> Response[Any]:
        page = Page(request)
        form = await form_of(request)
        if not set_points(sandbox, form):
            return show(request, form, problem="points")
        return page.go(FAULTS, said="points")

    @post(FAULTS + "/refund/{tid:str}", status_code=200)
    async def refund(request: AnyRequest, tid: FromPath[str]) -> Response[Any]:
        page = Page(request)
        form = await form_of(request)
        try:
            refund_at_the_pg(sandbox, buyer, tid, Body({"amount": won_of(form.get("amount", "")) or 0}))
        except BadControl as mistake:
            return show(request, form, problem=_field_of(mistake))
        return page.go(FAULTS, said="refunded")

    return [faults, now, arm, remove, clear, change_times, change_points, refund]


SAID: dict[str, fault_texts.Words] = {
    "armed": ("걸었습니다. 다음 호출을 기다립니다.", "Armed. It waits for the next call."),
    "removed": ("뺐습니다.", "Removed."),
    "cleared": ("모두 정상으로 되돌렸습니다.", "Everything is well again."),
    "times": ("이제부터 알려 주는 시각에 적용됩니다.", "It holds for the times that are told from now on."),
    "points": ("다음 결제부터 적용됩니다.", "It holds from the next payment on."),
    "refunded": (
        "카카오페이에서 환불했습니다. 가맹점은 아직 모릅니다.",
        "Refunded at KakaoPay. The merchant does not know yet.",
    ),
}


def describe(page: Page, fault: Fault) -> str:
    """What is special to an armed fault: seconds, codes, its end."""
    parts = []
    if fault.kind is Kind.DELAY:
        before = page.t("처리하기 전에", "before it is done")
        after = page.t("처리한 뒤에", "after it is done")
        parts.append(page.t(f"{fault.delay_seconds:g}초, ", f"{fault.delay_seconds:g} s, "))
        parts[-1] += before if fault.delay_at == "before" else after
    if fault.error_code is not None:
        words = fault_texts.REFUSALS.get(fault.error_code)
        parts.append(f"{fault.error_code} {page.t(*words)}" if words else str(fault.error_code))
    if fault.method_result_code:
        parts.append(fault.method_result_code)
    if fault.kind is Kind.DECLINE and fault.extras.value != "given":
        parts.append(page.t(*fault_texts.EXTRAS[fault.extras]))
    if fault.ends_at is not None:
        parts.append(page.t("자정까지", "until midnight"))
    return " · ".join(parts)


def tell(page: Page, event: dict[str, object]) -> tuple[str, str]:
    """What happened at KakaoPay, and what the merchant heard of it."""
    outcome = fault_texts.OUTCOMES.get(str(event["outcome"]))
    happened = page.t(*outcome) if outcome else str(event["outcome"])
    if event["operation"] == "refund":
        return happened, page.t("아무것도 듣지 못함", "nothing")
    lines = []
    for kind in str(event["fault"] or "").split("+"):
        words = fault_texts.BY_KIND.get(kind)
        if words is None:
            continue
        text = page.t(*words.caller_sees)
        if words.kind is Kind.DECLINE:
            text = f"{text} {event['error_code']} {event['method_result_code']}"
        elif words.kind is Kind.REFUSE:
            text = f"{text} {event['error_code']}"
        lines.append(text)
    return happened, ", ".join(lines)


def _described(form: dict[str, str]) -> dict[str, Any]:
    """The form as a request to the control API: of the fields of all kinds, those of the chosen one."""
    kind = form.get("kind", "")
    values: dict[str, Any] = {"kind": kind, "operation": form.get("operation"), "sid": form.get("sid") or None}
    values["times"] = _whole(form.get("times", "1"))
    if values["times"] is None:
        values["times"] = 0
    if kind == Kind.DELAY:
        values |= {"delay_seconds": _decimal(form.get("delay_seconds", "")), "delay_at": form.get("delay_at")}
    if kind == Kind.DECLINE:
        values |= {"method_result_code": form.get("method_result_code") or None, "extras": form.get("extras")}
    if kind in {Kind.REFUSE, Kind.REFUSE_AFTER}:
        code = _whole(form.get(f"other_code_{kind}") or form.get(f"error_code_{kind}", ""))
        values["error_code"] = 0 if code is None else code
    if kind == Kind.REFUSE:
        values["until_midnight"] = form.get("until_midnight") == "on"
    return values


def _field_of(mistake: BadControl) -> str:
    """The field that a mistake is about: what its text begins with."""
    return str(mistake).split()[0].rstrip(":")


def _whole(text: str) -> int | None:
    text = text.replace(",", "").strip()
    digits = text[1:] if text[:1] in {"-", "+"} else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None


def _decimal(text: str) -> float:
    """Seconds as people write them; what is no number is one that no field takes."""
    whole, _, part = text.strip().partition(".")
    is_number = len(whole) <= 6 and all(one.isascii() and one.isdigit() for one in (whole, part or "0"))
    return float(text) if is_number else -1.0
