"""The way to live mode: a checklist that looks for itself, and says on what each line rests."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.frame.words import plural
from maedal.flows.go_live import Installation, call_and_look, confirm_backup, look
from maedal.merchants.go_live import OF_THE_INSTALLATION, Point, Readiness, ready
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

CHANGE = requires(Permission.CHANGE_SETTINGS)
PLACES = {
    Point.CHANNEL: "channels",
    Point.WEBHOOK: "webhook",
    Point.PAGES: "channels",
    Point.ADDRESSES: "allowed-addresses",
    Point.SECRET: "keys",
}
"""The page of the merchant's on which something can be done about a line."""


@get("/merchants/{code:str}/go-live", opt=requires(Permission.SEE_SETTINGS))
async def go_live(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show every line as it stands, without calling anybody."""
    return await _page(visit_of(request), code)


@post("/merchants/{code:str}/go-live", opt=CHANGE)
async def check(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Call the PG and the receiver of live results, and keep what came of it."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    checks = await call_and_look(visit.services, _installation(visit), merchant)
    if ready(checks):
        text = visit.t("모두 확인했습니다. 실연동을 시작할 수 있습니다.", "All is checked. You can go live.")
        return redirect(visit, _address(code), text)
    left = sum(check.standing in {Readiness.TODO, Readiness.NOT_CHECKED} for check in checks)
    text = visit.t(
        f"확인했습니다. 할 일이 {left}가지 남았습니다.",
        plural(left, "Checked. {} thing is left to do.", "Checked. {} things are left to do.").format(left),
    )
    return redirect(visit, _address(code), text, tone="problem")


@post("/merchants/{code:str}/go-live/backup", opt=CHANGE)
async def backup(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep that a copy of the key file exists, proved by its fingerprint."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    try:
        await confirm_backup(
            visit.services, _installation(visit), code, visit.value("fingerprint"), who=visit.present.operator.name
        )
    except InvalidParameter as error:
        return await _page(visit, code, error)
    return redirect(visit, _address(code), visit.t("백업을 확인했습니다.", "The backup is confirmed."))


async def _page(visit: Visit, code: str, error: InvalidParameter | None = None) -> Response[str]:
    merchant = await merchant_of(visit, code)
    checks = await look(visit.services, _installation(visit), merchant)
    done = sum(check.standing in {Readiness.DONE, Readiness.CAREFUL} for check in checks)
    return render(
        visit,
        "merchants/go_live.html",
        status=422 if error else 200,
        merchant=merchant,
        groups=[
            ("merchant", [check for check in checks if check.point not in OF_THE_INSTALLATION]),
            ("house", [check for check in checks if check.point in OF_THE_INSTALLATION]),
        ],
        done=done,
        count=len(checks),
        ready=ready(checks),
        places=PLACES,
        tell=lambda sentence: translated(visit, sentence),
        typed=visit.value("fingerprint"),
        key_file=str(visit.settings.key_file),
        problem=None if error is None else problem_of(visit, error),
    )


def _installation(visit: Visit) -> Installation:
    installation: Installation = visit.request.app.state.installation
    return installation


def _address(code: str) -> str:
    return f"/console/merchants/{code}/go-live"


HANDLERS = [go_live, check, backup]
