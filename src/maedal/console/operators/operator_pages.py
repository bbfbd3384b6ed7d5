"""The operators of the console: who may sign in, and as what."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import when
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows import manage_operators
from maedal.flows.demand_second_step import demand_second_step as demand_second_step_of
from maedal.flows.invite_operator import Invited, invite
from maedal.flows.sign_in import has_own_rights
from maedal.operators.actor import Actor
from maedal.operators.operator import Operator
from maedal.operators.role import Permission, Role, may, may_give
from maedal.payments.errors import InvalidParameter

MANAGE_OPERATORS = requires(Permission.MANAGE_OPERATORS)
PAGE = "/console/users"
LOG_MAX = 100
TICKED_MAX = 40
"""Of more merchants than this no form has a box each; `maedal user set` names them."""


@get("/users", opt=MANAGE_OPERATORS)
async def operators(request: AnyRequest) -> Response[str]:
    """List the operators, and offer to make one."""
    return await _operators(visit_of(request))


@post("/users", opt=MANAGE_OPERATORS)
async def add_operator(request: AnyRequest) -> Response[str]:
    """Make an operator; the link by which they choose a password is shown once."""
    visit = visit_of(request)
    try:
        # The password that is drawn here is told to nobody.
        made = await manage_operators.create_operator(
            visit.services, visit.value("name"), _role(visit), _author(visit), merchant_codes=_merchants(visit)
        )
        link = await invite(visit.services, made.operator, _author(visit))
    except InvalidParameter as error:
        return await _operators(visit, error)
    return _with_link(visit, link, visit.t("사용자를 추가했습니다.", "The user was added."))


@post("/users/{operator_id:str}/role", opt=MANAGE_OPERATORS)
async def change_role(request: AnyRequest, operator_id: FromPath[str]) -> Response[str]:
    """Give an operator another role."""
    visit = visit_of(request)
    try:
        operator = await manage_operators.change_role(
            visit.services, await _operator(visit, operator_id), _role(visit), _author(visit)
        )
    except InvalidParameter as error:
        return await _operators(visit, error)
    return redirect(
        visit, PAGE, visit.t(f"{operator.name}: 역할을 바꾸었습니다.", f"{operator.name}: the role was changed.")
    )


@post("/users/{operator_id:str}/merchants", opt=MANAGE_OPERATORS)
async def limit_merchants(request: AnyRequest, operator_id: FromPath[str]) -> Response[str]:
    """Let somebody see the merchants that are ticked alone, or every one."""
    visit = visit_of(request)
    try:
        operator = await manage_operators.limit_merchants(
            visit.services, await _operator(visit, operator_id), _merchants(visit), _author(visit)
        )
    except InvalidParameter as error:
        return await _operators(visit, error)
    done = visit.t(f"{operator.name}: 볼 수 있는 가맹점을 바꾸었습니다.", f"{operator.name}: merchants changed.")
    return redirect(visit, PAGE, done)


@post("/users/{operator_id:str}/password", opt=MANAGE_OPERATORS)
async def give_password(request: AnyRequest, operator_id: FromPath[str]) -> Response[str]:
    """End a password and the sessions begun with it; the link by which they choose another is shown once."""
    visit = visit_of(request)
    try:
        made = await manage_operators.reset_password(
            visit.services, await _operator(visit, operator_id), _author(visit)
        )
        link = await invite(visit.services, made.operator, _author(visit))
    except InvalidParameter as error:
        return await _operators(visit, error)
    return _with_link(visit, link, visit.t("새 초대 링크를 만들었습니다.", "A new invite was made."))


@post("/users/{operator_id:str}/disable", opt=MANAGE_OPERATORS)
async def disable(request: AnyRequest, operator_id: FromPath[str]) -> Response[str]:
    """Keep somebody from signing in."""
    visit = visit_of(request)
    try:
        operator = await manage_operators.disable(visit.services, await _operator(visit, operator_id), _author(visit))
    except InvalidParameter as error:
        return await _operators(visit, error)
    return redirect(
        visit, PAGE, visit.t(f"{operator.name}: 로그인을 막았습니다.", f"{operator.name} cannot sign in any more.")
    )


@post("/users/{operator_id:str}/enable", opt=MANAGE_OPERATORS)
async def enable(request: AnyRequest, operator_id: FromPath[str]) -> Response[str]:
    """Let somebody sign in again."""
    visit = visit_of(request)
    try:
        operator = await manage_operators.enable(visit.services, await _operator(visit, operator_id), _author(visit))
    except InvalidParameter as error:
        return await _operators(visit, error)
    return redirect(
        visit, PAGE, visit.t(f"{operator.name}: 로그인할 수 있습니다.", f"{operator.name} can sign in again.")
    )


@post("/users/second-step", opt=requires(Permission.DEMAND_SECOND_STEP))
async def demand_second_step(request: AnyRequest) -> Response[str]:
    """Demand the second step of everybody in the roles that are ticked, and of nobody else."""
    visit = visit_of(request)
    roles = frozenset(role for role in Role if role in visit.form.get("role", []))
    await demand_second_step_of(visit.services, roles, _author(visit))
    return redirect(visit, PAGE, visit.t("2단계 인증을 요구할 역할을 저장했습니다.", "Saved of whom it is demanded."))


async def _operators(visit: Visit, error: InvalidParameter | None = None) -> Response[str]:
    mine = visit.present.operator
    known = await visit.services.store.operators.all()
    return render(
        visit,
        "operators/operators.html",
        status=422 if error else 200,
        operators=known,
        whole={operator.id for operator in known if has_own_rights(visit.services, operator)},
        mine=mine,
        roles=[role for role in Role if may_give(mine.role, role)],
        operator_entries=await visit.services.store.audit.operator_entries(LOG_MAX),
        manages=lambda operator: may_give(mine.role, operator.role),
        typed=visit.value("name"),
        every_role=list(Role),
        ticked_max=TICKED_MAX,
        demanded=await visit.services.store.operators.second_step_roles(),
        table=[
            (permission, [may(role, permission) for role in Role])
            for permission in Permission
            if permission not in {Permission.ANYBODY, Permission.HALF_SIGNED_IN}
        ],
        problem=None if error is None else problem_of(visit, error),
    )


async def _operator(visit: Visit, operator_id: str) -> Operator:
    operator = await visit.services.store.operators.find(operator_id)
    if operator is None:
        raise HTTPException(status_code=404)
    return operator


def _author(visit: Visit) -> Actor:
    return Actor(visit.present.operator.name, visit.present.operator.role)


def _role(visit: Visit) -> Role:
    word = visit.value("role")
    if word not in set(Role):
        raise InvalidParameter("role", "choose a role")
    return Role(word)


def _merchants(visit: Visit) -> frozenset[str] | None:
    """Return which merchants a form names; every one unless it says that these are all."""
    if visit.value("only") != "these":
        return None
    return frozenset(visit.form.get("merchant", []))


def _with_link(visit: Visit, link: Invited, text: str) -> Response[str]:
    address = f"{visit.settings.public_url}/console/invite/{link.token}"
    until = when(link.expires_at)
    return redirect(
        visit,
        PAGE,
        text,
        secrets=[
            [visit.t("이름", "Name"), link.operator.name],
            [visit.t(f"초대 링크({until}까지 한 번)", f"Invite, once until {until} (Korean time)"), address],
        ],
    )


HANDLERS = [operators, add_operator, change_role, limit_merchants, give_password, disable, enable, demand_second_step]
