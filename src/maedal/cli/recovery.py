"""`maedal recovery`: when scheduled charges that failed are tried again, and what is planned."""

from __future__ import annotations

from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Json, Listing, show_one
from maedal.cli.running import whoever, with_gateway
from maedal.cli.settings import read
from maedal.payments.attempt import DeclineReason
from maedal.schedules.recovery import NEVER, RecoveryRules, read_waits, written

app = Commands(no_args_is_help=True, help="Trying failed scheduled charges again, by rules of the merchant's own.")

PLANNED_MAX = 500

Merchant = Annotated[str, typer.Option(help="Identification code.")]


@app.command("set")
def set_rule(
    merchant: Merchant,
    reason: Annotated[str, typer.Option(help=f"Why the charge failed: {', '.join(DeclineReason)}.")],
    after: Annotated[
        str,
        typer.Option(help=f"How long to wait before each try: 1d,3d,7d (m, h or d), until a day: @25, or `{NEVER}`."),
    ],
) -> None:
    """Try charges that failed for a reason again: once for each wait, so long after the failure before it."""
    from maedal.app import Gateway
    from maedal.flows.recovery import set_rule as change

    async def work(gateway: Gateway) -> None:
        _print(merchant, await change(gateway.services, merchant, reason, read_waits(after), who=whoever()))

    with_gateway(read(), work)


@app.command("show")
def show_rules(merchant: Merchant, as_json: Json = False) -> None:
    """Show when a merchant's failed charges are tried again, for each reason."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        rules = (await gateway.services.merchant_cache.merchant(merchant)).recovery
        _print(merchant, rules, as_json=as_json)

    with_gateway(read(), work)


@app.command("planned")
def planned(
    merchant: Merchant,
    limit: Annotated[int, typer.Option(min=1, max=PLANNED_MAX, help="At most so many, the soonest.")] = 50,
    as_json: Json = False,
) -> None:
    """List failed charges that will be tried again, the soonest first."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        found = await gateway.store.schedules.next_tries(merchant, limit)
        with Listing(as_json=as_json, empty="nothing will be tried again") as listing:
            for schedule in found:
                assert schedule.next_try is not None, "only these were asked for"
                listing.row(
                    "merchant_uid",
                    schedule.order.merchant_uid,
                    customer_uid=schedule.order.customer_uid,
                    amount=schedule.order.price.total.amount,
                    next_try=schedule.next_try.at,
                    because=schedule.next_try.reason,
                    tries_made=schedule.tries,
                    failed=schedule.payment.fail_reason if schedule.payment else None,
                )

    with_gateway(read(), work)


def _print(merchant: str, rules: RecoveryRules, *, as_json: bool = False) -> None:
    waits: dict[str, str] = {reason: written(rules.get(reason, ())).replace(",", ", ") for reason in DeclineReason}
    show_one("merchant", merchant, as_json=as_json, **waits)
