"""Webhooks: where results are told, how they are signed, a call for a test, and what was told."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows import resend_webhooks, sign_webhook
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import PageNotices, WebhookRetry, WebhookType
from maedal.operators.role import Permission
from maedal.storage.webhooks.reads import DeliveryFilter
from maedal.webhooks.address import ADDRESSES_MAX, WebhookEvent
from maedal.webhooks.webhook import EXAMPLE_STATUS

SEE, CHANGE = requires(Permission.SEE_SETTINGS), requires(Permission.CHANGE_SETTINGS)
SHOWN_MAX = 20
# What is told waits in a cookie, and browsers take no more than 4096 bytes of one.
ANSWER_CHARS_MAX = 300
URL_CHARS_MAX = 200


@get("/merchants/{code:str}/webhook", opt=SEE)
async def webhook(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show where and how results are told, and the newest of them."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/webhook", opt=CHANGE)
async def change(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Change it."""
    visit = visit_of(request)
    try:
        await set_webhook(
            visit.services,
            code,
            live=visit.value("live"),
            test=visit.value("test"),
            body=None,
            type_live=visit.value("type_live"),
            type_test=visit.value("type_test"),
            retry=visit.value("retry"),
            failures=visit.value("failures") == "on",
            first=visit.value("first") == "on",
            confirm=visit.value("confirm") == "on",
            page_notices=visit.value("page_notices"),
            who=visit.present.operator.name,
        )
    except GatewayError as error:
        return await _page(visit, code, error)
    return redirect(visit, _address(code), visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/webhook/test", opt=CHANGE)
async def call_for_test(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Send an example to a saved address and tell what the receiver answered."""
    visit = visit_of(request)
    try:
        made = await resend_webhooks.call_for_test(
            visit.services,
            code,
            test_mode=visit.value("mode") != "live",
            status=visit.value("status") or EXAMPLE_STATUS,
        )
    except GatewayError as error:
        return redirect(visit, f"{_address(code)}#call", problem_of(visit, error)["text"], tone="problem", place="call")
    answered = str(made.answer.status or visit.t("응답 없음", "no answer"))
    taken = made.answer.status is not None and 200 <= made.answer.status < 300
    took = round(made.duration.total_seconds() * 1000)
    said = made.answer.text[:ANSWER_CHARS_MAX]
    # What a receiver said stays in its own words; why none did is told in the visitor's.
    why = said if made.answer.status is not None else translated(visit, said)
    text = f"{made.url[:URL_CHARS_MAX]} → {answered} ({took} ms) {why}"
    return redirect(visit, f"{_address(code)}#call", text, tone="done" if taken else "problem", place="call")


@post("/merchants/{code:str}/webhook/secret", opt=CHANGE)
async def new_secret(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Sign with a new secret, shown once; the one before signs beside it."""
    visit = visit_of(request)
    secret = await sign_webhook.new_secret(visit.services, code, who=visit.present.operator.name)
    text = visit.t(
        "이제 새 비밀 값으로 서명합니다. 받는 서버에 넣으세요.", "The new secret signs now. Give it to your receivers."
    )
    return redirect(visit, _address(code), text, secrets=[[visit.t("웹훅 비밀 값", "Webhook secret"), secret]])


@post("/merchants/{code:str}/webhook/secret/end-old", opt=CHANGE)
async def end_old_secret(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Sign with the new secret alone."""
    visit = visit_of(request)
    await sign_webhook.end_old_secret(visit.services, code, who=visit.present.operator.name)
    return redirect(visit, _address(code), visit.t("이제 새 비밀 값만 서명합니다.", "Only the new secret signs now."))


@post("/merchants/{code:str}/webhook/secret/stop", opt=CHANGE)
async def stop_signing(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Sign no more."""
    visit = visit_of(request)
    await sign_webhook.stop_signing(visit.services, code, who=visit.present.operator.name)
    return redirect(visit, _address(code), visit.t("이제 서명하지 않습니다.", "Webhooks are not signed any more."))


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    supplied = {
        "live": merchant.webhook_url_live or "",
        "test": merchant.webhook_url_test or "",
        "type_live": merchant.webhook_type_live.value,
        "type_test": merchant.webhook_type_test.value,
        "retry": merchant.webhook_retry.value,
        "failures": "on" if merchant.webhook_failures else "",
        "first": "on" if merchant.webhook_first else "",
        "confirm": "" if merchant.confirm_url_ignored else "on",
        "page_notices": merchant.page_notices.value,
    }
    return render(
        visit,
        "webhooks/settings.html",
        status=422 if error else 200,
        merchant=merchant,
        supplied=supplied if error is None else {name: visit.value(name) for name in supplied},
        problem=None if error is None else problem_of(visit, error),
        types=list(WebhookType),
        retries=list(WebhookRetry),
        notices=list(PageNotices),
        further=await visit.services.store.webhooks.addresses(code),
        most=ADDRESSES_MAX,
        events=list(WebhookEvent),
        examples=resend_webhooks.EXAMPLES,
        recent=await visit.services.store.webhooks.deliveries(code, DeliveryFilter(SHOWN_MAX)),
    )


def _address(code: str) -> str:
    return f"/console/merchants/{code}/webhook"


HANDLERS = [webhook, change, call_for_test, new_secret, end_old_secret, stop_signing]
