"""The audit log of a merchant's matters."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import show
from maedal.console.visit import AnyRequest
from maedal.console.whose import merchant_of
from maedal.operators.role import Permission

SHOWN_MAX = 200


@get("/merchants/{code:str}/log", opt=asks(Permission.SEE_AUDIT_LOG))
async def audit_log(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what people did, the newest first."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    return show(visit, "log.html", merchant=merchant, acts=await visit.parts.store.acts(code, SHOWN_MAX))


HANDLERS = [audit_log]
