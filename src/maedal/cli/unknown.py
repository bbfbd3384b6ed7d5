"""`maedal unknown`: outcomes that nobody knows yet, with what is known of them; a person may settle one by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from maedal.cli.running import give_up, out, show, with_gateway
from maedal.cli.settings import read
from maedal.flows.resolve_by_hand import ManualResolution, Verdict
from maedal.payments.payment import Payment

app = typer.Typer(no_args_is_help=True, help="Outcomes that nobody knows yet, and payments that lack their tid.")

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
) -> None:
    """List unknown outcomes, those looked at next first, and payments that are paid without a tid."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        now = gateway.services.clock.now()
        unknown = await gateway.store.unknown_outcomes.due(EVER, limit)
        for found in unknown:
            payment, attempt = found.payment, found.attempt
            assert payment is not None, "only calls about payments are looked at"
            show(
                payment.imp_uid,
                merchant=payment.merchant_id,
                call=attempt.verb,
                amount=str(attempt.price.total.amount if attempt.price else payment.order.price.total.amount),
                merchant_uid=payment.order.merchant_uid,
                customer_uid=payment.order.customer_uid or "-",
                unknown_for=_age(max(now - attempt.begun_at, timedelta())),
                next_look=_moment(found.look_at),
            )
        lacking = await gateway.store.payments.without_tid(limit)
        for payment in lacking:
            _show_lacking(payment)
        if not unknown and not lacking:
            out.print("every outcome is known, and every payment has its tid")

    with_gateway(read(), work)


@app.command("show")
def show_unknown(imp_uid: ImpUid, merchant: Merchant) -> None:
    """Show what is known of a payment: its calls, what each move rests on, and what the next look is judged by."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        payment = await gateway.store.payments.find(merchant, imp_uid)
        if payment is None:
            give_up(f"{merchant} has no payment {imp_uid}")
        show(
            imp_uid,
            status=payment.status,
            amount=str(payment.order.price.total.amount),
            cancelled=str(payment.cancelled_amount),
            tid=payment.pg_tid or "-",
            merchant_uid=payment.order.merchant_uid,
            customer_uid=payment.order.customer_uid or "-",
        )
        for event in await gateway.store.payments.events(merchant, imp_uid):
            rests_on = f", proof {event.proof}" if event.proof else ""
            out.print(f"  {_moment(event.happened_at)}  {event.event} -> {event.status}{rests_on}")
        found = await gateway.store.unknown_outcomes.of_payment(merchant, imp_uid)
        if found is None:
            out.print("  nothing about it is unknown")
            return
        show(
            f"unknown {found.attempt.verb}",
            order_at_pg=found.attempt.order_id,
            sent=_moment(found.attempt.begun_at),
            amount=str(found.attempt.price.total.amount if found.attempt.price else "-"),
            last_approval=f"{_moment(found.approved_before)} (of the key, before the call)",
            next_look=_moment(found.look_at),
        )

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


def _show_lacking(payment: Payment) -> None:
    show(
        payment.imp_uid,
        merchant=payment.merchant_id,
        call="paid without a tid",
        amount=str(payment.order.price.total.amount),
        merchant_uid=payment.order.merchant_uid,
        customer_uid=payment.order.customer_uid or "-",
        paid=_moment(payment.paid_at),
    )


def _moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    days, hours = minutes // 1_440, minutes % 1_440 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"
