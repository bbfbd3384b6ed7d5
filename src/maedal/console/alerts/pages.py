"""Receivers of alerts: who is told what, and when."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.set_up_alerts import ReceiverSettings, put_receiver, remove_receiver, send_test
from maedal.messages.alert import AlertKind, Quiet, Receiver, When, read_minutes
from maedal.messages.message import Way
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

SEE, CHANGE = requires(Permission.SEE_SETTINGS), requires(Permission.CHANGE_SETTINGS)
WAYS = (Way.MAIL, Way.SLACK, Way.WEBHOOK)
LANGUAGES = ("ko", "en")
HOUR_CHARS_MAX = 2
USUAL = dict.fromkeys(AlertKind, When.AT_ONCE) | {AlertKind.FINDING: When.DIGEST}


@get("/merchants/{code:str}/alerts", opt=SEE)
async def alerts(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List receivers, and offer to add one."""
    return await _list(visit_of(request), code)


@post("/merchants/{code:str}/alerts", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Add a receiver; the secret of a webhook is shown this once."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        receiver, secret = await put_receiver(visit.services, code, _settings(visit), who=visit.present.operator.name)
    except GatewayError as error:
        return await _list(visit, code, error)
    shown: dict[str, Any] = {}
    if secret is not None:
        shown["secrets"] = [[visit.t("웹훅 서명 secret", "Secret of the signature"), secret]]
    note = visit.t("추가했습니다. 시험 알림을 보내 보세요.", "Added. Send a test.")
    return redirect(visit, f"/console/merchants/{code}/alerts/{receiver.id}", note, **shown)


@get("/merchants/{code:str}/alerts/{receiver_id:str}", opt=SEE)
async def receiver(request: AnyRequest, code: FromPath[str], receiver_id: FromPath[str]) -> Response[str]:
    """Show one receiver."""
    return await _one(visit_of(request), code, receiver_id)


@post("/merchants/{code:str}/alerts/{receiver_id:str}", opt=CHANGE)
async def change(request: AnyRequest, code: FromPath[str], receiver_id: FromPath[str]) -> Response[str]:
    """Change one."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        await put_receiver(visit.services, code, _settings(visit), receiver_id, who=visit.present.operator.name)
    except GatewayError as error:
        return await _one(visit, code, receiver_id, error)
    return redirect(visit, f"/console/merchants/{code}/alerts/{receiver_id}", visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/alerts/{receiver_id:str}/remove", opt=CHANGE)
async def remove(request: AnyRequest, code: FromPath[str], receiver_id: FromPath[str]) -> Response[str]:
    """Tell one nothing more."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    await remove_receiver(visit.services, code, receiver_id, who=visit.present.operator.name)
    return redirect(visit, f"/console/merchants/{code}/alerts", visit.t("삭제했습니다.", "Removed."))


@post("/merchants/{code:str}/alerts/{receiver_id:str}/test", opt=CHANGE)
async def test(request: AnyRequest, code: FromPath[str], receiver_id: FromPath[str]) -> Response[str]:
    """Send one a test."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        await send_test(visit.services, code, receiver_id)
    except GatewayError as error:
        return await _list(visit, code, error)
    note = visit.t(
        "시험 알림을 보냅니다. 결과는 이 목록에 나옵니다.", "A test is on its way. This list shows its outcome."
    )
    return redirect(visit, f"/console/merchants/{code}/messages", note)


async def _list(visit: Visit, code: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    return render(
        visit,
        "alerts/list.html",
        status=422 if error else 200,
        merchant=merchant,
        receivers=await visit.services.store.messages.receivers(code),
        server=await visit.services.store.messages.mail_server(code),
        **_form(visit, None, error),
    )


async def _one(visit: Visit, code: str, receiver_id: str, error: GatewayError | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    found = await visit.services.store.messages.receiver(code, receiver_id)
    if found is None:
        raise HTTPException(status_code=404)
    return render(
        visit,
        "alerts/receiver.html",
        status=422 if error else 200,
        merchant=merchant,
        receiver=found,
        **_form(visit, found, error),
    )


def _form(visit: Visit, kept: Receiver | None, error: GatewayError | None) -> dict[str, Any]:
    """Return what the form shows: what was typed, what is kept, or what most teams want."""
    typed: dict[str, Any]
    if error is not None and visit.form:
        typed = {name: visit.value(name) for name in ("name", "way", "quiet_begins", "quiet_ends", "language")}
        typed |= {"digest_hour": visit.value("digest_hour"), "rules": _rules(visit)}
        # A Slack address is a secret: it is typed again.
        typed["address"] = visit.value("address") if typed["way"] == Way.MAIL else ""
    elif kept is not None:
        quiet = kept.quiet
        typed = {
            "name": kept.name,
            "way": kept.way.value,
            "address": "",
            "quiet_begins": "" if quiet is None else _clock(quiet.begins),
            "quiet_ends": "" if quiet is None else _clock(quiet.ends),
            "language": kept.language,
            "digest_hour": str(kept.digest_hour),
            "rules": {kind: kept.rule(kind) for kind in AlertKind},
        }
    else:
        typed = {
            "name": "",
            "way": Way.MAIL.value,
            "address": "",
            "quiet_begins": "",
            "quiet_ends": "",
            "language": "en" if visit.english else "ko",
            "digest_hour": "9",
            "rules": USUAL,
        }
    return {
        "typed": typed,
        "ways": WAYS,
        "kinds": list(AlertKind),
        "whens": list(When),
        "problem": None if error is None else problem_of(visit, error),
    }


def _settings(visit: Visit) -> ReceiverSettings:
    way = visit.value("way")
    if way not in WAYS:
        raise InvalidParameter("way", "way must be one of mail, slack, webhook")
    hour = visit.value("digest_hour")
    if not hour.isascii() or not hour.isdigit() or len(hour) > HOUR_CHARS_MAX:
        raise InvalidParameter("digest_hour", "digest_hour must be a whole number from 0 to 23")
    begins, ends = visit.value("quiet_begins"), visit.value("quiet_ends")
    quiet = None
    if begins or ends:
        quiet = Quiet(read_minutes("quiet_begins", begins), read_minutes("quiet_ends", ends))
        if quiet.begins == quiet.ends:
            raise InvalidParameter("quiet_ends", "the quiet time must end at another time than it begins")
    return ReceiverSettings(
        name=visit.value("name"),
        way=Way(way),
        address=visit.value("address"),
        rules=_rules(visit),
        quiet=quiet,
        digest_hour=int(hour),
        language=visit.value("language") if visit.value("language") in LANGUAGES else "ko",
    )


def _rules(visit: Visit) -> dict[AlertKind, When]:
    typed = {kind: visit.value(f"rule_{kind.value}") for kind in AlertKind}
    return {kind: When(value) if value in set(When) else When.NEVER for kind, value in typed.items()}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


HANDLERS = [alerts, add, receiver, change, remove, test]
