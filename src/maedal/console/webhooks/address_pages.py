"""Further addresses of webhooks: what each is told, who signs for it, and a call for a test."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows import webhook_addresses
from maedal.flows.resend_webhooks import EXAMPLES, call_for_test
from maedal.flows.webhook_addresses import AddressSettings
from maedal.merchants.merchant import WebhookRetry, WebhookType
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.webhooks.address import ADDRESSES_MAX, WebhookAddress, WebhookEvent

SEE, CHANGE = requires(Permission.SEE_SETTINGS), requires(Permission.CHANGE_SETTINGS)
# What is told waits in a cookie, and browsers take no more than 4096 bytes of one.
ANSWER_CHARS_MAX = 300
URL_CHARS_MAX = 200
NEW = AddressSettings("", "", test_mode=True, events=list(WebhookEvent))


@get("/merchants/{code:str}/webhook/addresses/new", opt=CHANGE)
async def new_address(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Ask for a further address."""
    return await _page(visit_of(request), code, None, NEW)


@post("/merchants/{code:str}/webhook/addresses/new", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Add it; the secret that signs for it is shown once."""
    visit = visit_of(request)
    wanted = _wanted(visit)
    try:
        who = visit.present.operator.name
        address, secret = await webhook_addresses.add_address(visit.services, code, wanted, who=who)
    except InvalidParameter as error:
        return await _page(visit, code, None, wanted, error)
    text = visit.t(
        "주소를 추가했습니다. 비밀 값을 받는 서버에 넣으세요.",
        "Added. Give the secret to its receiver.",
    )
    secrets = [[visit.t("웹훅 비밀 값", "Webhook secret"), secret]]
    return redirect(visit, _address(code, address.id), text, secrets=secrets)


@get("/merchants/{code:str}/webhook/addresses/{address_id:str}", opt=SEE)
async def one(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Show a further address."""
    visit = visit_of(request)
    found = await _found(visit, code, address_id)
    return _gone(visit, code) if found is None else await _page(visit, code, found, _settings(found))


@post("/merchants/{code:str}/webhook/addresses/{address_id:str}", opt=CHANGE)
async def change(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Change it."""
    visit = visit_of(request)
    found = await _found(visit, code, address_id)
    if found is None:
        return _gone(visit, code)
    wanted = _wanted(visit)
    try:
        who = visit.present.operator.name
        await webhook_addresses.change_address(visit.services, code, address_id, wanted, who=who)
    except InvalidParameter as error:
        return await _page(visit, code, found, wanted, error)
    return redirect(visit, _address(code, address_id), visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/webhook/addresses/{address_id:str}/remove", opt=CHANGE)
async def remove(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Remove it; what it was told stays in the log."""
    visit = visit_of(request)
    try:
        require_confirmation(visit)
        await webhook_addresses.remove_address(visit.services, code, address_id, who=visit.present.operator.name)
    except InvalidParameter as error:
        return redirect(visit, _address(code, address_id), problem_of(visit, error)["text"], tone="problem")
    return redirect(visit, _settings_page(code), visit.t("주소를 삭제했습니다.", "The address was removed."))


@post("/merchants/{code:str}/webhook/addresses/{address_id:str}/secret", opt=CHANGE)
async def new_secret(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Sign for it with a new secret, shown once; the one before signs beside it."""
    visit = visit_of(request)
    try:
        who = visit.present.operator.name
        secret = await webhook_addresses.new_address_secret(visit.services, code, address_id, who=who)
    except InvalidParameter as error:
        return redirect(visit, _address(code, address_id), problem_of(visit, error)["text"], tone="problem")
    text = visit.t(
        "이제 새 비밀 값으로 서명합니다. 받는 서버에 넣으세요.", "The new secret signs now. Give it to the receiver."
    )
    secrets = [[visit.t("웹훅 비밀 값", "Webhook secret"), secret]]
    return redirect(visit, _address(code, address_id), text, secrets=secrets)


@post("/merchants/{code:str}/webhook/addresses/{address_id:str}/secret/end-old", opt=CHANGE)
async def end_old_secret(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Sign for it with the new secret alone."""
    visit = visit_of(request)
    try:
        who = visit.present.operator.name
        await webhook_addresses.end_old_address_secret(visit.services, code, address_id, who=who)
    except InvalidParameter as error:
        return redirect(visit, _address(code, address_id), problem_of(visit, error)["text"], tone="problem")
    text = visit.t("이제 새 비밀 값만 서명합니다.", "Only the new secret signs now.")
    return redirect(visit, _address(code, address_id), text)


@post("/merchants/{code:str}/webhook/addresses/{address_id:str}/test", opt=CHANGE)
async def test(request: AnyRequest, code: FromPath[str], address_id: FromPath[str]) -> Response[str]:
    """Send it an example of a chosen event and tell what it answered."""
    visit = visit_of(request)
    here = f"{_address(code, address_id)}#call"
    try:
        made = await call_for_test(visit.services, code, address_id=address_id, status=visit.value("status"))
    except GatewayError as error:
        return redirect(visit, here, problem_of(visit, error)["text"], tone="problem", place="call")
    answered = str(made.answer.status or visit.t("응답 없음", "no answer"))
    taken = made.answer.status is not None and 200 <= made.answer.status < 300
    took = round(made.duration.total_seconds() * 1000)
    said = made.answer.text[:ANSWER_CHARS_MAX]
    # What a receiver said stays in its own words; why none did is told in the visitor's.
    why = said if made.answer.status is not None else translated(visit, said)
    text = f"{made.url[:URL_CHARS_MAX]} → {answered} ({took} ms) {why}"
    return redirect(visit, here, text, tone="done" if taken else "problem", place="call")


def _wanted(visit: Visit) -> AddressSettings:
    return AddressSettings(
        visit.value("name"),
        visit.value("url"),
        visit.value("mode") != "live",
        visit.form.get("event", []),
        visit.value("type"),
        visit.value("retry"),
        visit.value("active") == "on",
    )


def _settings(address: WebhookAddress) -> AddressSettings:
    return AddressSettings(
        address.name,
        address.url,
        address.test_mode,
        list(address.events),
        address.webhook_type,
        address.retry,
        address.active,
    )


async def _found(visit: Visit, code: str, address_id: str) -> WebhookAddress | None:
    await merchant_of(visit, code)
    found = await visit.services.store.webhooks.addresses(code)
    return next((address for address in found if address.id == address_id), None)


def _gone(visit: Visit, code: str) -> Response[str]:
    text = visit.t("그런 웹훅 주소가 없습니다.", "There is no such webhook address.")
    return redirect(visit, _settings_page(code), text, tone="problem")


async def _page(
    visit: Visit,
    code: str,
    address: WebhookAddress | None,
    supplied: AddressSettings,
    error: InvalidParameter | None = None,
) -> Response[str]:
    merchant = await merchant_of(visit, code)
    more: dict[str, Any] = {"problem": None if error is None else problem_of(visit, error)}
    return render(
        visit,
        "webhooks/address.html",
        status=422 if error else 200,
        merchant=merchant,
        address=address,
        supplied=supplied,
        here=_address(code, "new" if address is None else address.id),
        settings=_settings_page(code),
        events=list(WebhookEvent),
        types=list(WebhookType),
        retries=list(WebhookRetry),
        examples=EXAMPLES[1:],
        most=ADDRESSES_MAX,
        **more,
    )


def _settings_page(code: str) -> str:
    return f"/console/merchants/{code}/webhook"


def _address(code: str, address_id: str) -> str:
    return f"/console/merchants/{code}/webhook/addresses/{address_id}"


HANDLERS = [new_address, add, one, change, remove, new_secret, end_old_secret, test]
