"""`maedal doctor`: look at everything that has to be so before real money flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maedal.cli.channels import pause_text
from maedal.cli.installation import tell_of_files, tell_of_login, tell_of_operators
from maedal.cli.lists import moment
from maedal.cli.running import give_up, out, with_gateway
from maedal.cli.settings import read
from maedal.merchants.go_live import Readiness, ready
from maedal.storage.health import replica_text

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.merchants.merchant import Merchant

NO_WAIT = "no write waits for one, so a failover may lose what was answered last"
MARKS = {
    Readiness.DONE: "[green]✓[/]",
    Readiness.CAREFUL: "[yellow]![/]",
    Readiness.TODO: "[red]✗[/]",
    Readiness.NOT_CHECKED: "[dim]?[/]",
}


async def _database(gateway: Gateway) -> bool:
    """Print how the database server stands; return whether charges can be made on it. Nothing is said of a file."""
    standing = await gateway.store.standing()
    if standing.host is None:
        return True
    major, minor = divmod(standing.version or 0, 10_000)
    between = ", through a pooler such as PgBouncer" if standing.pooled else ""
    out.print("[bold]database[/]")
    out.print(f"{MARKS[Readiness.DONE]} {'server':<11}PostgreSQL {major}.{minor} at {escape(standing.host)}{between}")
    if standing.problem is not None:
        out.print(f"{MARKS[Readiness.TODO]} {'writes':<11}{escape(standing.problem)}")
    if standing.followers is not None:
        kept = f"each write waits for {standing.synchronous_wanted}" if standing.synchronous_wanted else NO_WAIT
        mark = MARKS[Readiness.DONE if standing.synchronous_wanted or not standing.followers else Readiness.CAREFUL]
        out.print(f"{mark} {'standbys':<11}{standing.followers}; {kept}")
    if gateway.replica is not None:
        replica = gateway.replica.standing()
        mark = MARKS[Readiness.CAREFUL if replica.problem else Readiness.DONE]
        out.print(f"{mark} {'replica':<11}{escape(replica_text(replica))}")
    await tell_of_login(gateway)
    for warning in (await gateway.store.health()).warnings:
        out.print(f"{MARKS[Readiness.CAREFUL]} {'database':<11}{escape(warning)}")
    return standing.problem is None


def _keys(gateway: Gateway) -> None:
    """Print which key seals; that it is this database's was looked at before anything else."""
    vault = gateway.services.vault
    known = f"{vault.primary} ({vault.fingerprints[vault.primary]}), as this database knows it"
    out.print(f"[bold]keys[/]\n{MARKS[Readiness.DONE]} {'primary':<11}{known}")
    if vault.takes_unbound:
        text = "a key from before sealed values were bound to their rows is in use: maedal keys add, then rotate"
        out.print(f"{MARKS[Readiness.CAREFUL]} {'binding':<11}{text}")


async def _channels(gateway: Gateway, merchant: Merchant) -> bool:
    """Print each channel through which scheduled charges cannot be made for now; return whether there is none."""
    resting = [p for p in await gateway.store.channels.pauses() if p.merchant_id == merchant.code]
    for pause in resting:
        channel = await gateway.services.merchant_cache.channel(merchant.code, pause.channel_id)
        text = f"{channel.name} works: {pause_text(pause)}"
        out.print(f"{MARKS[Readiness.TODO]} {'channel':<11}{escape(text)}")
    return not resting


def doctor(
    merchant: Annotated[
        str | None, typer.Option(help="Identification code of the merchant; without it, every merchant.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--no-calls", help="Call neither the PG nor the webhook; tell what was found last.")
    ] = False,
) -> None:
    """Check what has to be so before real money flows, as the console's page of live mode does. Status 1: not ready."""
    from maedal.flows.go_live import call_and_look, look

    async def work(gateway: Gateway) -> bool:
        fine = await _database(gateway)
        fine = tell_of_files(gateway.settings) and fine
        _keys(gateway)
        fine = await tell_of_operators(gateway) and fine
        known = (
            [await gateway.services.merchant_cache.merchant(merchant)]
            if merchant
            else await gateway.store.merchants.all()
        )
        for one in known:
            out.print(f"[bold]{escape(one.code)}[/] {escape(one.name)}")
            checks = await (look if quiet else call_and_look)(gateway.services, gateway.installation, one)
            for check in checks:
                name = check.point.replace("_", " ")
                when = f" [dim]({moment(check.checked_at)})[/]" if check.checked_at else ""
                out.print(f"{MARKS[check.standing]} {name:<11}{escape(check.evidence)}{when}")
                if check.advice:
                    out.print(f"  {'':<11}[dim]→ {escape(check.advice)}[/]")
            fine = await _channels(gateway, one) and fine and ready(checks)
        if not known:
            give_up("there is no merchant yet: maedal merchant create")
        return fine

    if not with_gateway(read(), work):
        give_up("not ready for live payments; the lines with ✗ say why")
