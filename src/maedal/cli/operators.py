"""`maedal user`: who may sign in to the console."""

from __future__ import annotations

from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Json, Listing
from maedal.cli.running import give_up, out, whoever, with_gateway
from maedal.cli.settings import read
from maedal.operators.actor import Actor
from maedal.operators.role import Role

app = Commands(no_args_is_help=True, help="Users of the console: who may sign in, and as what.")

LOG_MAX = 1_000

NameArgument = Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")]


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="What they type to sign in.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.READ_ONLY,
    merchant: Annotated[
        list[str] | None, typer.Option(help="A merchant that they see; repeatable. Without it, every one.")
    ] = None,
) -> None:
    """Create a user of the console. The password is drawn, shown once, and changed at the first sign-in."""
    from maedal.app import Gateway
    from maedal.flows.manage_operators import create_operator

    async def work(gateway: Gateway) -> None:
        codes = None if merchant is None else frozenset(merchant)
        made = await create_operator(gateway.services, name, role, Actor(whoever()), merchant_codes=codes)
        _show_password(gateway.addresses.public_url, made.operator.name, made.password)

    with_gateway(read(), work)


@app.command("list")
def list_operators(as_json: Json = False) -> None:
    """List the users of the console."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        now = gateway.services.clock.now()
        operators = await gateway.store.operators.all()
        nobody = "nobody can sign in yet: maedal user create --name NAME --role owner"
        with Listing(as_json=as_json, empty=nobody) as listing:
            for operator in operators:
                sessions = await gateway.store.operators.sessions(operator.id)
                codes = operator.merchant_codes
                listing.row(
                    "name",
                    operator.name,
                    role=operator.role,
                    merchants="all" if codes is None else sorted(codes),
                    second_step=operator.two_steps,
                    signed_in=sum(s.lives(now) and not s.half for s in sessions),
                    disabled=False if operator.disabled_at is None else operator.disabled_at,
                    created=operator.created_at,
                )

    with_gateway(read(), work)


@app.command("set")
def change(
    name: NameArgument,
    role: Annotated[Role | None, typer.Option(help="What they may do from now on.")] = None,
    merchant: Annotated[
        list[str] | None, typer.Option(help="A merchant that they see from now on, and no other; repeatable.")
    ] = None,
    every_merchant: Annotated[
        bool, typer.Option("--every-merchant", help="They see every merchant from now on.")
    ] = False,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether they may sign in at all.")] = None,
) -> None:
    """Change what a user may do, for which merchants, or whether they may sign in. Disabling ends their sessions."""
    from maedal.app import Gateway
    from maedal.flows import manage_operators

    if merchant is not None and every_merchant:
        give_up("--merchant and --every-merchant contradict each other")

    async def work(gateway: Gateway) -> None:
        operator, by = await manage_operators.find_operator(gateway.services, name), Actor(whoever())
        if merchant is not None or every_merchant:
            codes = None if merchant is None else frozenset(merchant)
            operator = await manage_operators.limit_merchants(gateway.services, operator, codes, by)
        if role is not None:
            operator = await manage_operators.change_role(gateway.services, operator, role, by)
        if enabled is not None:
            turn = manage_operators.enable if enabled else manage_operators.disable
            operator = await turn(gateway.services, operator, by)
        out.print(f"{operator.name} is {operator.role}, {'enabled' if operator.disabled_at is None else 'disabled'}")

    with_gateway(read(), work)


@app.command("new-password")
def new_password(name: NameArgument) -> None:
    """Draw a new password for a user, show it once, and end their sessions. A second step stays."""
    from maedal.app import Gateway
    from maedal.cli.installation import rights_text
    from maedal.flows import manage_operators
    from maedal.flows.sign_in import has_own_rights

    async def work(gateway: Gateway) -> None:
        operator = await manage_operators.find_operator(gateway.services, name)
        made = await manage_operators.reset_password(gateway.services, operator, Actor(whoever()))
        _show_password(gateway.addresses.public_url, made.operator.name, made.password)
        if not has_own_rights(gateway.services, made.operator):
            out.print(f"[red]✗[/] {rights_text(made.operator)}")

    with_gateway(read(), work)


@app.command("two-steps-off")
def two_steps_off(name: NameArgument) -> None:
    """Take away a user's second step, for who lost phone, passkeys and recovery codes."""
    from maedal.app import Gateway
    from maedal.flows import manage_operators

    async def work(gateway: Gateway) -> None:
        operator = await manage_operators.find_operator(gateway.services, name)
        await manage_operators.remove_second_step(gateway.services, operator, Actor(whoever()))
        out.print(f"{operator.name} signs in with the password alone")

    with_gateway(read(), work)


@app.command("sign-out")
def sign_out(name: NameArgument) -> None:
    """End every session of a user."""
    from maedal.app import Gateway
    from maedal.flows import manage_operators

    async def work(gateway: Gateway) -> None:
        operator = await manage_operators.find_operator(gateway.services, name)
        count = await manage_operators.end_sessions(gateway.services, operator, None, Actor(whoever()))
        out.print(f"{count} sessions ended")

    with_gateway(read(), work)


@app.command("log")
def log(
    limit: Annotated[int, typer.Option(min=1, max=LOG_MAX, help="At most so many, the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """List what was done about users, and who signed in, newest first. The log is never changed and never removed."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        with Listing(as_json=as_json) as listing:
            for entry in await gateway.store.audit.operator_entries(limit):
                listing.row(
                    "kind",
                    entry.kind,
                    entry.happened_at,
                    operator=entry.subject,
                    who=entry.who,
                    before=entry.before,
                    after=entry.after,
                )

    with_gateway(read(), work)


def _show_password(public_url: str, name: str, password: str) -> None:
    out.print(f"console    {public_url}/console")
    out.print(f"name       {name}")
    out.print(f"password   {password}")
    out.print("[yellow]The password is kept nowhere; write it down now.[/]")
