"""`maedal figures`: what months came to, and whether what is kept of them is what the rows say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from maedal.cli.lists import Json, print_json
from maedal.cli.running import give_up, out, with_gateway
from maedal.cli.settings import read

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.flows.month_figures import MonthSums

Merchant = Annotated[str, typer.Option(help="Identification code.")]
MonthName = Annotated[
    datetime | None, typer.Option("--month", formats=["%Y-%m"], help="The last month. Without it, the present one.")
]
COLUMNS = ("month", "mrr", "active", "new", "returned", "churned", "charged", "cancelled", "net", "recovered")


def figures(
    merchant: Merchant,
    month: MonthName = None,
    months: Annotated[int, typer.Option(min=1, max=60, help="How many months, the last one included.")] = 12,
    test_mode: Annotated[
        bool, typer.Option("--test-mode/--live", help="Payments for tests instead of live ones.")
    ] = False,
    as_json: Json = False,
    check: Annotated[
        bool, typer.Option("--check", help="Count every final month anew, and fail if anything differs.")
    ] = False,
) -> None:
    """Show what each month came to, in won: recurring revenue (MRR), customers, and what was charged and cancelled."""

    async def work(gateway: Gateway) -> None:
        from maedal.flows.count_months import differing_months
        from maedal.flows.month_figures import month_figures, span_before
        from maedal.flows.overview import a_day_in_seoul

        services = gateway.services
        await services.merchant_cache.merchant(merchant)
        if check:
            differing = await differing_months(services, merchant)
            if differing:
                give_up(f"what is kept of these months is not what the payments say: {', '.join(differing)}")
            out.print("what is kept of each final month is what the payments say")
            return
        last = a_day_in_seoul(services.clock.now()) if month is None else month.date()
        found = await month_figures(services, merchant, span_before(last, months), last, test_mode=test_mode)
        rows = [_row(one) for one in found.months]
        if as_json:
            print_json(rows)
            return
        table = Table(*COLUMNS)
        for row in rows:
            table.add_row(*("-" if row[name] is None else str(row[name]) for name in COLUMNS))
        out.print(table)

    with_gateway(read(), work)


def _row(one: MonthSums) -> dict[str, Any]:
    """Return a month; who is gone is told once it is over."""
    return {
        "month": one.name,
        "mrr": one.mrr,
        "active": one.active,
        "new": one.new,
        "returned": one.returned,
        "churned": one.churned.total() if one.is_over else None,
        "charged": one.charged.total(),
        "cancelled": one.cancelled.total(),
        "net": one.net,
        "recovered": one.recovered,
        "counted_at": one.counted_at and one.counted_at.isoformat(),
    }
