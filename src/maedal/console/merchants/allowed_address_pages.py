"""Allowed addresses: from where the REST API may be called in a merchant's name."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.allowed_addresses import allow_address, end_address, locked_out
from maedal.merchants.addresses import ADDRESSES_MAX
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

CHANGE = requires(Permission.CHANGE_SETTINGS)


@get("/merchants/{code:str}/allowed-addresses", opt=requires(Permission.SEE_SETTINGS))
async def addresses(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the list, and from where each key was used last."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/allowed-addresses", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Let an address call."""
    visit = visit_of(request)
    try:
        await allow_address(
            visit.services,
            code,
            visit.value("network"),
            visit.value("memo"),
            sure=visit.value("sure") == "on",
            who=visit.present.operator.name,
        )
    except InvalidParameter as error:
        return await _page(visit, code, error)
    return redirect(
        visit, _address(code), visit.t("추가했습니다. 2초 안에 적용됩니다.", "Added. It holds within two seconds.")
    )


@post("/merchants/{code:str}/allowed-addresses/end", opt=CHANGE)
async def end(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Let it call no more."""
    visit = visit_of(request)
    try:
        await end_address(
            visit.services,
            code,
            visit.value("network"),
            sure=visit.value("sure") == "on",
            who=visit.present.operator.name,
        )
    except InvalidParameter as error:
        return await _page(visit, code, error)
    return redirect(
        visit, _address(code), visit.t("삭제했습니다. 2초 안에 적용됩니다.", "Removed. It holds within two seconds.")
    )


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    return render(
        visit,
        "merchants/allowed_addresses.html",
        status=422 if error else 200,
        merchant=merchant,
        keys=[
            key for key in await visit.services.store.merchants.api_keys(code) if key.last_used_at and not key.ended_at
        ],
        shut_out=await locked_out(visit.services, code, merchant.allowed_addresses),
        mine=visit.browser.address,
        most=ADDRESSES_MAX,
        typed={"network": visit.value("network"), "memo": visit.value("memo")},
        ending=visit.request.url.path.endswith("/end"),
        problem=None if error is None else problem_of(visit, error),
    )


def _address(code: str) -> str:
    return f"/console/merchants/{code}/allowed-addresses"


HANDLERS = [addresses, add, end]
