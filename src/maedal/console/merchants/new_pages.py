"""Adding a merchant."""

from __future__ import annotations

from litestar import Response, get, post

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.page import redirect, render
from maedal.console.frame.visit import AnyRequest
from maedal.flows.set_up_merchant import create_merchant
from maedal.operators.role import Permission

NAME_CHARS_MAX = 60


@get("/merchants/new", opt=requires(Permission.ADD_MERCHANTS), sync_to_thread=False)
def new_merchant(request: AnyRequest) -> Response[str]:
    """Ask for the name of a new merchant."""
    return render(visit_of(request), "merchants/new.html", name="", problem=None)


@post("/merchants/new", opt=requires(Permission.ADD_MERCHANTS))
async def add_merchant(request: AnyRequest) -> Response[str]:
    """Make a merchant; its API secret is shown once."""
    visit = visit_of(request)
    name = " ".join(visit.value("name").split())
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        problem = visit.t("이름을 입력해 주세요.", "Type a name.")
        return render(visit, "merchants/new.html", status=422, name=name, problem=problem)
    made = await create_merchant(visit.services, name, who=visit.present.operator.name)
    return redirect(
        visit,
        f"/console/merchants/{made.merchant.code}/keys",
        visit.t("가맹점을 추가했습니다. 다음은 채널입니다.", "The merchant was added. Its channel comes next."),
        secrets=[
            [visit.t("가맹점 식별코드", "Identification code"), made.merchant.code],
            ["REST API key", made.api_key],
            ["REST API secret", made.api_secret],
        ],
    )


HANDLERS = [new_merchant, add_merchant]
