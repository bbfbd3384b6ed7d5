"""`maedal schedule`: what is planned for a customer and what became of it. Nothing here changes anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Fact, Json, Listing, in_korea, show_one
from maedal.cli.running import give_up, with_gateway
from maedal.cli.settings import read
from maedal.storage.schedules.reads import ScheduleSearch, ScheduleTab

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.schedules.schedule import Schedule

app = Commands(no_args_is_help=True, help="Scheduled charges: the list, and all that is known of one. Changes nothing.")

LIST_MAX = 500
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

Merchant = Annotated[str, typer.Option(help="Identification code.")]


@app.command("list")
def list_schedules(
    merchant: Merchant,
    tab: Annotated[ScheduleTab, typer.Option("--status", help="Only those of which this became.")] = ScheduleTab.ALL,
    word: Annotated[str, typer.Option(help="A part of a merchant_uid, customer_uid, name or imp_uid.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="Only those due from this time on, in Korea.")
    ] = None,
    before: Annotated[
        datetime | None, typer.Option(formats=TIMES, help="Only those due before this time, in Korea.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the soonest.")] = 20,
    as_json: Json = False,
) -> None:
    """List a merchant's scheduled charges by when they are due, the soonest first; without a time, from now on."""

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        begins = in_korea(since) or (FIRST if word or before else gateway.services.clock.now())
        wanted = ScheduleSearch(begins, in_korea(before) or LAST, tab, word, oldest_first=True)
        found = await gateway.store.schedules.search(merchant, wanted, limit + 1)
        with Listing(as_json=as_json, empty="no such scheduled charge") as listing:
            for schedule in found[:limit]:
                listing.row("merchant_uid", schedule.order.merchant_uid, **_facts(schedule))
            if len(found) > limit:
                listing.note(f"there are more; these are the first {limit}: --limit, --since, --before")

    with_gateway(read(), work)


@app.command("show")
def show_schedule(
    merchant_uid: Annotated[str, typer.Argument(help="The merchant_uid it was planned under.", metavar="MERCHANT_UID")],
    merchant: Merchant,
    as_json: Json = False,
) -> None:
    """Show a scheduled charge, the payment that it became, and when it is tried again."""

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        found = await gateway.store.schedules.find(merchant, merchant_uid)
        if found is None:
            give_up(f"{merchant} has no scheduled charge with the merchant_uid {merchant_uid}")
        more: dict[str, Fact] = {
            "planned": found.inserted_at,
            "executed": found.executed_at,
            "revoked": found.revoked_at,
            "tries_made": found.tries,
            "fail_reason": found.payment.fail_reason if found.payment else None,
        }
        show_one("merchant_uid", merchant_uid, as_json=as_json, **_facts(found) | more)

    with_gateway(read(), work)


def _facts(schedule: Schedule) -> dict[str, Fact]:
    return {
        "customer_uid": schedule.order.customer_uid,
        "name": schedule.order.name,
        "amount": schedule.order.price.total.amount,
        "due": schedule.schedule_at,
        "status": schedule.status,
        "held": schedule.hold is not None,
        "imp_uid": schedule.imp_uid,
        "payment": schedule.payment.status if schedule.payment else None,
        "next_try": schedule.next_try.at if schedule.next_try else None,
    }
