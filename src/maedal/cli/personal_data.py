"""What was told of buyers: `maedal merchant erase-buyer`, for one who asks for it, and `maedal retention`, for all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maedal.cli.running import give_up, out, whoever, with_gateway

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.settings import Settings
    from maedal.storage.personal_data.reads import Counts, Kind


def erase_buyer(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    reason: Annotated[str, typer.Option(help="Why, such as who asked and when; kept in the audit log.")],
    customer_uid: Annotated[str | None, typer.Option(help="Everything of this customer.")] = None,
    merchant_uid: Annotated[str | None, typer.Option(help="This order alone.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask back.")] = False,
) -> None:
    """Erase for good what is told of a buyer: names, addresses, custom data and more; what proves money stays."""
    from maedal.cli.settings import read
    from maedal.flows import erase_personal_data as flow

    settings = read()

    async def count(gateway: Gateway) -> Counts:
        return await flow.count_buyer(gateway.services, merchant, customer_uid, merchant_uid)

    async def erase(gateway: Gateway) -> Counts:
        return await flow.erase_buyer(
            gateway.services, merchant, customer_uid, merchant_uid, who=whoever(), reason=reason
        )

    counts = with_gateway(settings, count)
    if not dry_run:
        if counts.all and not yes and not typer.confirm(f"erase for good: {_shown(counts)}?"):
            give_up("nothing was erased")
        counts = with_gateway(settings, erase)
    out.print(f"{'would be erased' if dry_run else 'erased'}: {_shown(counts)}")
    if counts.under_way:
        out.print(f"[yellow]{counts.under_way} payments are still under way and keep it; run this again later[/]")


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
) -> None:
    """Erase for good what is told of buyers and is kept longer than the settings MAEDAL_RETENTION_… say."""
    from maedal.cli.settings import read
    from maedal.flows import erase_personal_data as flow

    settings = read()
    kept = _kept(settings)
    if not kept:
        give_up("no MAEDAL_RETENTION_… is set, so everything is kept; the manual's page on personal data tells of them")

    async def work(gateway: Gateway) -> None:
        if dry_run:
            found = await flow.expired(gateway.services, kept)
        else:
            found = await flow.erase_expired(gateway.services, kept, who=whoever())
        done = "would be erased" if dry_run else "erased"
        for one in found:
            out.print(f"{escape(one.merchant_id)} {one.kind}: {done}: {_shown(one.counts)}")
        if not found:
            out.print("nothing is kept longer than it may be")

    with_gateway(settings, work)


def _kept(settings: Settings) -> dict[Kind, timedelta]:
    from maedal.storage.personal_data.reads import Kind

    days = {
        Kind.PAID: settings.retention_paid_days,
        Kind.UNPAID: settings.retention_unpaid_days,
        Kind.ENDED_KEY: settings.retention_ended_key_days,
    }
    return {kind: timedelta(days=number) for kind, number in days.items() if number is not None}


def _shown(counts: Counts) -> str:
    noted = f", notes on {counts.customers} customers" if counts.customers else ""
    plans = f", {counts.plans} plans" if counts.plans else ""
    return f"{counts.payments} payments, {counts.schedules} schedules, {counts.billing_keys} billing keys{noted}{plans}"
