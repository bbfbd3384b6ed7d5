"""The mail server of a merchant."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.set_up_alerts import MailServerSettings, remove_mail_server, set_mail_server
from maedal.messages.mail_server import Encryption, read_port
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

FIELDS = ("host", "port", "encryption", "login", "sender", "sender_name")


@get("/merchants/{code:str}/mail-server", opt=requires(Permission.SEE_SETTINGS))
async def mail_server(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show through which server mail goes out."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/mail-server", opt=requires(Permission.CHANGE_SETTINGS))
async def change(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Set it."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        if visit.value("encryption") not in set(Encryption):
            raise InvalidParameter("encryption", f"encryption must be one of {', '.join(Encryption)}")
        settings = MailServerSettings(
            host=visit.value("host"),
            port=read_port(visit.value("port")),
            encryption=Encryption(visit.value("encryption")),
            login=visit.value("login"),
            password=visit.secret("password"),
            sender=visit.value("sender"),
            sender_name=visit.value("sender_name"),
        )
        await set_mail_server(visit.services, code, settings, who=visit.present.operator.name)
    except GatewayError as error:
        return await _page(visit, code, error)
    note = visit.t(
        "저장했습니다. 알림 받는 사람의 시험 단추로 확인하세요.", "Saved. Try it with the test button of a receiver."
    )
    return redirect(visit, f"/console/merchants/{code}/mail-server", note)


@post("/merchants/{code:str}/mail-server/remove", opt=requires(Permission.CHANGE_SETTINGS))
async def remove(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Send no more mail."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    await remove_mail_server(visit.services, code, who=visit.present.operator.name)
    return redirect(visit, f"/console/merchants/{code}/mail-server", visit.t("삭제했습니다.", "Removed."))


async def _page(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    server = await visit.services.store.messages.mail_server(code)
    typed: dict[str, Any] = {"host": "", "port": "587", "encryption": "starttls", "login": "", "sender": ""}
    typed["sender_name"] = merchant.name
    if server is not None:
        typed = {name: getattr(server, name) for name in FIELDS}
    if error is not None:
        typed = {name: visit.value(name) for name in FIELDS}
    return render(
        visit,
        "alerts/mail_server.html",
        status=422 if error else 200,
        merchant=merchant,
        server=server,
        typed=typed,
        encryptions=list(Encryption),
        problem=None if error is None else problem_of(visit, error),
    )


HANDLERS = [mail_server, change, remove]
