"""What `maedal doctor` and `serve` say of files and of the database login: who else could read or change the books."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from maedal.cli.running import out
from maedal.private_files import Exposed, exposed
from maedal.settings import FILE_VARIABLE, Settings

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.operators.operator import Operator

FINE, CAREFUL, BAD = "[green]✓[/]", "[yellow]![/]", "[red]✗[/]"
CHANGING = 0o022
OTHER_USERS = 0o007


def open_files(settings: Settings) -> Sequence[Exposed]:
    """Return what of this installation's files and folders is open to others than its owner."""
    from maedal.storage.open import sqlite_files

    found = exposed([*sqlite_files(settings.database_url)])
    if settings.key_file is not None:
        found += exposed([settings.key_file])
        # A folder that others may write to lets them put another file in the place of ours.
        found += exposed([settings.key_file.parent], CHANGING)
    if settings.audit_anchor_file is not None:
        found += exposed([settings.audit_anchor_file], CHANGING)
    named = os.environ.get(FILE_VARIABLE)
    # It may hold the database's password. A group of those who run the gateway is often meant to read it.
    if named and settings.database_url.partition("@")[1]:
        found += exposed([Path(named)], OTHER_USERS)
    return found


def tell_of_files(settings: Settings) -> bool:
    """Print what is open to others, with what closes it; return whether the database and the keys are not."""
    found = open_files(settings)
    out.print("[bold]files[/]")
    if not found:
        out.print(f"{FINE} {'modes':<11}what is secret here is its owner's alone")
    for one in found:
        mark = CAREFUL if stat.S_ISDIR(one.path.stat().st_mode) else BAD
        out.print(f"{mark} {'modes':<11}{escape(str(one.path))} is open to others (mode {one.mode:04o})")
        out.print(f"  {'':<11}[dim]→ {escape(one.mend)}[/]")
    return all(stat.S_ISDIR(one.path.stat().st_mode) for one in found)


async def tell_of_login(gateway: Gateway) -> None:
    """Print what the database login could do to the logs besides adding to them; nothing is said of a file."""
    login = await gateway.store.log_chain.login()
    if login is None:
        return
    role = escape(login.role)
    if login.owns:
        out.print(
            f"{CAREFUL} {'login':<11}{role} owns the tables, and so can empty the logs and switch their triggers off"
        )
        out.print(f"  {'':<11}[dim]→ let another role own them; manual, Keeping the records safe[/]")
    elif login.may:
        out.print(f"{CAREFUL} {'login':<11}{role} may do more than add to the logs: {escape(', '.join(login.may))}")
        out.print(f"  {'':<11}[dim]→ as the owner: maedal migrate --serving-role {role}[/]")
    else:
        out.print(f"{FINE} {'login':<11}{role} can add to the logs, and neither change nor empty them")


async def tell_of_operators(gateway: Gateway) -> bool:
    """Print whose way in or rights were changed by other means than ours; return whether there is nobody."""
    from maedal.flows.passkeys import known_passkeys
    from maedal.flows.sign_in import has_own_rights, is_whole

    services, found = gateway.services, []
    operators = await gateway.store.operators.all()
    for operator in operators:
        if not has_own_rights(services, operator):
            found.append(rights_text(operator))
        if not is_whole(services, operator):
            found.append(
                f"how {operator.name} signs in was changed outside maedal: maedal user new-password {operator.name}"
            )
        elif len(await known_passkeys(services, operator)) != len(operator.passkey_ids):
            found.append(
                f"passkeys of {operator.name} were changed outside maedal: they remove them, and add them anew"
            )
    demanded = await gateway.store.operators.second_step_roles()
    found += [
        f"the second step of the role {role} is demanded no more, and nobody said so here: set it anew"
        for role in sorted({operator.role for operator in operators if operator.second_step_required} - demanded)
    ]
    if operators:
        out.print("[bold]users[/]")
    if operators and not found:
        out.print(f"{FINE} {'sealed':<11}how users sign in and what they may do is as it was said here")
    for text in found:
        out.print(f"{BAD} {'changed':<11}{escape(text)}")
    return not found


def rights_text(operator: Operator) -> str:
    """Return what to do about an operator whose rights were changed by other means; until then they do not get in."""
    return (
        f"what {operator.name} may do (now: {operator.role}) was changed outside maedal, and lets nobody in: "
        f"maedal user set {operator.name} --role ROLE, with --merchant or --every-merchant"
    )
