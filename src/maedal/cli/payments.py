"""`maedal payment`: what support asks most, from a terminal. Nothing here changes anything."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.events import event_facts, tell_events
from maedal.cli.lists import Fact, Json, Listing, in_korea, json_of, print_json, show_one
from maedal.cli.running import give_up, with_gateway
from maedal.cli.settings import read
from maedal.storage.payment_lists.reads import ListFilter, ListOrder, ListQuery, PaymentStanding

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.flows.services import Services
    from maedal.payments.payment import Payment

app = Commands(no_args_is_help=True, help="Payments: the list, and all that is known of one. Changes nothing.")

LIST_MAX = 500
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

Merchant = Annotated[str, typer.Option(help="Identification code.")]
Since = Annotated[
    datetime | None, typer.Option(formats=TIMES, help="Only those asked for from this time on, in Korea.")
]
Before = Annotated[
    datetime | None, typer.Option(formats=TIMES, help="Only those asked for before this time, in Korea.")
]
Limit = Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the newest.")]


@app.command("list")
def list_payments(
    merchant: Merchant,
    standing: Annotated[
        PaymentStanding | None, typer.Option("--status", help="Only those that stand so; partly and wholly: refunded.")
    ] = None,
    word: Annotated[
        str,
        typer.Option(help="A part of an imp_uid, merchant_uid, customer_uid, name, e-mail address or phone number."),
    ] = "",
    since: Since = None,
    before: Before = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List a merchant's payments, the newest first."""
    wanted = ListQuery(
        ListFilter(since=in_korea(since), before=in_korea(before), standing=standing, word=word),
        ListOrder.NEWEST,
        limit,
    )

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        found = await gateway.store.payment_lists.page(merchant, wanted)
        with Listing(as_json=as_json, empty="no such payment") as listing:
            for payment in found.payments:
                listing.row("imp_uid", payment.imp_uid, **short_facts(gateway.services, payment))
            if found.more:
                listing.note(f"there are more; these are the newest {limit}: --limit, --since, --before")

    with_gateway(read(), work)


@app.command("show")
def show_payment(
    uid: Annotated[str, typer.Argument(help="The payment's imp_uid, or its merchant_uid.", metavar="UID")],
    merchant: Merchant,
    as_json: Json = False,
) -> None:
    """Show a payment, why it failed, and everything that happened to it; of an order, its newest payment."""

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        found = await gateway.store.payments.by_ids(merchant, [uid], [uid])
        if not found:
            give_up(f"{merchant} has no payment with the imp_uid or merchant_uid {uid}")
        payment = found[0]
        events = await gateway.store.payments.events(merchant, payment.imp_uid)
        facts = short_facts(gateway.services, payment) | _more_facts(payment)
        if as_json:
            happened = [json_of(**event_facts(event)) for event in events]
            print_json(json_of(imp_uid=payment.imp_uid, **facts) | {"events": happened})
            return
        show_one("imp_uid", payment.imp_uid, as_json=False, **facts)
        tell_events(events)

    with_gateway(read(), work)


def short_facts(services: Services, payment: Payment) -> dict[str, Fact]:
    """Return what a list tells of a payment."""
    from maedal.flows.explain_failures import failure_cause

    return {
        "merchant_uid": payment.order.merchant_uid,
        "customer_uid": payment.order.customer_uid,
        "name": payment.order.name,
        "amount": payment.order.price.total.amount,
        "cancelled": payment.cancelled_amount,
        "status": payment.status,
        "asked_for": payment.started_at,
        "since": payment.status_at,
        "test": payment.test_mode,
        "cause": failure_cause(services, payment),
    }


def _more_facts(payment: Payment) -> dict[str, Fact]:
    return {
        "pg": f"{payment.pg_provider}.{payment.pg_merchant_id}",
        "tid": payment.pg_tid,
        "method": payment.method,
        "billing_key": payment.billing_key_id,
        "paid": payment.paid_at,
        "failed": payment.failed_at,
        "fail_reason": payment.fail_reason,
        "cancel_reason": payment.cancel_reason,
    }
