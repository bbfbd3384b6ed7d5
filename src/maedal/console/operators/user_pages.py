"""The users of the console: who may sign in, and as what."""

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

MANAGE_USERS = requires(Permission.MANAGE_USERS)
PAGE = "/console/users"
LOG_MAX = 100
TICKED_MAX = 40
"""Of more merchants than this no form has a box each; `maedal user set` names them."""


@get("/users", opt=MANAGE_USERS)
async def users(request: AnyRequest) -> Response[str]:
    """List the users, and offer to make one."""
    return await _users(visit_of(request))


@post("/users", opt=MANAGE_USERS)
async def add_user(request: AnyRequest) -> Response[str]:
    """Make a user; the link by which they choose a password is shown once."""
    visit = visit_of(request)
    try:
        # The password that is drawn here is told to nobody.
        made = await manage_operators.create_operator(
            visit.services, visit.value("name"), _role(visit), _author(visit), merchant_codes=_merchants(visit)
        )
        link = await invite(visit.services, made.user, _author(visit))
    except InvalidParameter as error:
        return await _users(visit, error)
    return _with_link(visit, link, visit.t("사용자를 추가했습니다.", "The user was added."))


@post("/users/{user_id:str}/role", opt=MANAGE_USERS)
async def change_role(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
    """Give a user another role."""
    visit = visit_of(request)
    try:
        user = await manage_operators.change_role(
            visit.services, await _user(visit, user_id), _role(visit), _author(visit)
        )
    except InvalidParameter as error:
        return await _users(visit, error)
    return redirect(visit, PAGE, visit.t(f"{user.name}: 역할을 바꾸었습니다.", f"{user.name}: the role was changed."))


@post("/users/{user_id:str}/merchants", opt=MANAGE_USERS)
async def limit_merchants(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
    """Let somebody see the merchants that are ticked alone, or every one."""
    visit = visit_of(request)
    try:
        user = await manage_operators.limit_merchants(
            visit.services, await _user(visit, user_id), _merchants(visit), _author(visit)
        )
    except InvalidParameter as error:
        return await _users(visit, error)
    done = visit.t(f"{user.name}: 볼 수 있는 가맹점을 바꾸었습니다.", f"{user.name}: merchants changed.")
    return redirect(visit, PAGE, done)


@post("/users/{user_id:str}/password", opt=MANAGE_USERS)
async def give_password(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
    """End a password and the sessions begun with it; the link by which they choose another is shown once."""
    visit = visit_of(request)
    try:
        made = await manage_operators.reset_password(visit.services, await _user(visit, user_id), _author(visit))
        link = await invite(visit.services, made.user, _author(visit))
    except InvalidParameter as error:
        return await _users(visit, error)
    return _with_link(visit, link, visit.t("새 초대 링크를 만들었습니다.", "A new invite was made."))


@post("/users/{user_id:str}/disable", opt=MANAGE_USERS)
async def disable(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
    """Keep somebody from signing in."""
    visit = visit_of(request)
    try:
        user = await manage_operators.disable(visit.services, await _user(visit, user_id), _author(visit))
    except InvalidParameter as error:
        return await _users(visit, error)
    return redirect(visit, PAGE, visit.t(f"{user.name}: 로그인을 막았습니다.", f"{user.name} cannot sign in any more."))


@post("/users/{user_id:str}/enable", opt=MANAGE_USERS)
async def enable(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
    """Let somebody sign in again."""
    visit = visit_of(request)
    try:
        user = await manage_operators.enable(visit.services, await _user(visit, user_id), _author(visit))
    except InvalidParameter as error:
        return await _users(visit, error)
    return redirect(visit, PAGE, visit.t(f"{user.name}: 로그인할 수 있습니다.", f"{user.name} can sign in again."))


@post("/users/second-step", opt=requires(Permission.DEMAND_SECOND_STEP))
async def demand_second_step(request: AnyRequest) -> Response[str]:
    """Demand the second step of everybody in the roles that are ticked, and of nobody else."""
    visit = visit_of(request)
    roles = frozenset(role for role in Role if role in visit.form.get("role", []))
    await demand_second_step_of(visit.services, roles, _author(visit))
    return redirect(visit, PAGE, visit.t("2단계 인증을 요구할 역할을 저장했습니다.", "Saved of whom it is demanded."))


async def _users(visit: Visit, error: InvalidParameter | None = None) -> Response[str]:
    mine = visit.present.user
    known = await visit.services.store.operators.all()
    return render(
        visit,
        "operators/users.html",
        status=422 if error else 200,
        users=known,
        whole={user.id for user in known if has_own_rights(visit.services, user)},
        mine=mine,
        roles=[role for role in Role if may_give(mine.role, role)],
        operator_entries=await visit.services.store.audit.operator_entries(LOG_MAX),
        manages=lambda user: may_give(mine.role, user.role),
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


async def _user(visit: Visit, user_id: str) -> Operator:
    user = await visit.services.store.operators.find(user_id)
    if user is None:
        raise HTTPException(status_code=404)
    return user


def _author(visit: Visit) -> Actor:
    return Actor(visit.present.user.name, visit.present.user.role)


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
            [visit.t("이름", "Name"), link.user.name],
            [visit.t(f"초대 링크({until}까지 한 번)", f"Invite, once until {until} (Korean time)"), address],
        ],
    )


HANDLERS = [users, add_user, change_role, limit_merchants, give_password, disable, enable, demand_second_step]
