"""`maedal unknown`: outcomes that nobody knows yet, with what is known of them; a person may settle one by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.events import event_facts, tell_events
from maedal.cli.lists import Fact, Json, Listing, json_of, print_json, show_one
from maedal.cli.running import give_up, out, show, with_gateway
from maedal.cli.settings import read
from maedal.flows.resolve_by_hand import ManualResolution, Verdict

app = Commands(no_args_is_help=True, help="Outcomes that nobody knows yet, and payments that lack their tid.")

LIST_MAX = 500
EVER = datetime(9999, 1, 1, tzinfo=UTC)

Merchant = Annotated[str, typer.Option(help="Identification code.")]
ImpUid = Annotated[str, typer.Argument(help="The payment's imp_uid.", metavar="IMP_UID")]
By = Annotated[str, typer.Option("--by", help="Who says so; kept in the audit log.")]
Reason = Annotated[str, typer.Option(help="How you know; kept in the audit log.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask back.")]


@app.command("list")
def list_unknown(
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many of each.")] = 50,
    as_json: Json = False,
) -> None:
    """List unknown outcomes, those looked at next first, and payments that are paid without a tid."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        now = gateway.services.clock.now()
        with Listing(as_json=as_json, empty="every outcome is known, and every payment has its tid") as listing:
            for found in await gateway.store.unknown_outcomes.due(EVER, limit):
                payment, attempt = found.payment, found.attempt
                assert payment is not None, "only calls about payments are looked at"
                listing.row(
                    "imp_uid",
                    payment.imp_uid,
                    merchant=payment.merchant_id,
                    call=attempt.verb,
                    amount=attempt.price.total.amount if attempt.price else payment.order.price.total.amount,
                    merchant_uid=payment.order.merchant_uid,
                    customer_uid=payment.order.customer_uid,
                    sent=attempt.begun_at,
                    unknown_for=_age(now - attempt.begun_at),
                    next_look=found.look_at,
                )
            for lacking in await gateway.store.payments.without_tid(limit):
                listing.row(
                    "imp_uid",
                    lacking.imp_uid,
                    merchant=lacking.merchant_id,
                    call="paid without a tid",
                    amount=lacking.order.price.total.amount,
                    merchant_uid=lacking.order.merchant_uid,
                    customer_uid=lacking.order.customer_uid,
                    paid=lacking.paid_at,
                )

    with_gateway(read(), work)


@app.command("show")
def show_unknown(imp_uid: ImpUid, merchant: Merchant, as_json: Json = False) -> None:
    """Show what is known of a payment: its calls, what each move rests on, and what the next look is judged by."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        payment = await gateway.store.payments.find(merchant, imp_uid)
        if payment is None:
            give_up(f"{merchant} has no payment {imp_uid}")
        facts: dict[str, Fact] = {
            "status": payment.status,
            "amount": payment.order.price.total.amount,
            "cancelled": payment.cancelled_amount,
            "tid": payment.pg_tid,
            "merchant_uid": payment.order.merchant_uid,
            "customer_uid": payment.order.customer_uid,
        }
        events = await gateway.store.payments.events(merchant, imp_uid)
        found = await gateway.store.unknown_outcomes.of_payment(merchant, imp_uid)
        unknown: dict[str, Fact] = {}
        if found is not None:
            price = found.attempt.price
            unknown = {
                "order_at_pg": found.attempt.order_id,
                "sent": found.attempt.begun_at,
                "amount": price.total.amount if price else None,
                "last_approval": found.approved_before,
                "next_look": found.look_at,
            }
        if as_json:
            known = json_of(imp_uid=imp_uid, **facts) | {"events": [json_of(**event_facts(one)) for one in events]}
            print_json(known | {"unknown": None if found is None else json_of(call=found.attempt.verb, **unknown)})
            return
        show_one("imp_uid", imp_uid, as_json=False, **facts)
        tell_events(events)
        if found is None:
            out.print("  nothing about it is unknown")
        else:
            show_one("call", f"unknown {found.attempt.verb}", as_json=False, **unknown)

    with_gateway(read(), work)


@app.command("settle")
def settle(
    imp_uid: ImpUid,
    merchant: Merchant,
    verdict: Annotated[Verdict, typer.Option("--as", help="What became of the call.")],
    by: By,
    reason: Reason,
    tid: Annotated[str | None, typer.Option(help="KakaoPay's id of the charge, when you know it.")] = None,
    yes: Yes = False,
) -> None:
    """Settle an unknown outcome by hand, when the PG still does not tell; the PG is asked once more first."""
    from maedal.app import Gateway
    from maedal.flows.resolve_by_hand import resolve_by_hand

    if not yes:
        typer.confirm(f"Settle {imp_uid} as {verdict}? It cannot be undone", abort=True)

    async def work(gateway: Gateway) -> None:
        resolution = ManualResolution(verdict, by, reason, tid)
        settled = await resolve_by_hand(gateway.services, merchant, imp_uid, resolution)
        if not settled.by_hand:
            out.print("the PG told the outcome at last; nothing was settled by hand")
        show(imp_uid, status=settled.payment.status, tid=settled.payment.pg_tid or "-")

    with_gateway(read(), work)


@app.command("tid")
def supply(
    imp_uid: ImpUid,
    tid: Annotated[str, typer.Argument(help="KakaoPay's id of the payment.", metavar="TID")],
    merchant: Merchant,
    by: By,
    reason: Reason,
) -> None:
    """Supply the tid of a payment that was found paid without one; the PG must confirm order and amount."""
    from maedal.app import Gateway
    from maedal.flows.resolve_by_hand import supply_tid

    async def work(gateway: Gateway) -> None:
        payment = await supply_tid(gateway.services, merchant, imp_uid, tid, by, reason)
        show(imp_uid, status=payment.status, tid=payment.pg_tid or "-")

    with_gateway(read(), work)


def _age(age: timedelta) -> str:
    if age < timedelta():
        # Of a `maedal dev` that has travelled ahead, read without its --data-dir.
        return "not begun yet by this machine's clock; see --data-dir"
    minutes = int(age.total_seconds()) // 60
    days, hours = minutes // 1_440, minutes % 1_440 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"
