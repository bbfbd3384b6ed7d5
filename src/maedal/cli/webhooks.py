"""`maedal webhook`: what was told to whom, and telling it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Fact, Json, Listing, in_korea, moment
from maedal.cli.running import give_up, out, show, whoever, with_gateway
from maedal.cli.settings import read
from maedal.merchants.merchant import Merchant as MerchantRow
from maedal.storage.webhooks.reads import DeliveryFilter, DeliverySearch
from maedal.webhooks.webhook import DeliveryLog, DeliveryState, sent_again

app = Commands(no_args_is_help=True, help="Webhooks: their log, sending them again, and their signature.")

LIMIT_MAX = 500
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

Merchant = Annotated[str, typer.Option(help="Identification code.")]
Payment = Annotated[str | None, typer.Option(help="Only those of this imp_uid.")]
State = Annotated[str | None, typer.Option(help="Only those that are waiting, delivered, failed or recorded.")]
Since = Annotated[datetime | None, typer.Option(formats=_TIMES, help="Only those from this time on, in Korea.")]
Limit = Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="At most so many, the newest.")]


@app.command("log")
def log(
    merchant: Merchant,
    payment: Payment = None,
    state: State = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show webhooks, the newest first, with each request and its answer."""
    from maedal.app import Gateway

    wanted = _state(state)
    states = tuple(DeliveryState) if wanted is None else (wanted,)
    deliveries_filter = DeliveryFilter(limit, states, imp_uid=payment, since=in_korea(since))

    async def work(gateway: Gateway) -> None:
        found = await gateway.store.webhooks.deliveries(merchant, deliveries_filter)
        with Listing(as_json=as_json, empty="no such webhook") as listing:
            for delivery_log in found:
                facts = _facts(delivery_log) if as_json else _words(delivery_log)
                listing.row("delivery", delivery_log.delivery.id, **facts)

    with_gateway(read(), work)


@app.command("resend")
def resend(
    merchant: Merchant,
    delivery: Annotated[str | None, typer.Option(help="The one with this id, as the log shows it.")] = None,
    payment: Payment = None,
    state: State = None,
    since: Since = None,
    limit: Limit = 100,
    to: Annotated[str, typer.Option(help="The original address, or the current one of the merchant.")] = "original",
) -> None:
    """Send webhooks again: one, those of a payment, or all that a filter finds. Each is tried once.

    What was only recorded is sent when --delivery or --state recorded names it.
    """
    from maedal.app import Gateway
    from maedal.flows.resend_webhooks import resend_webhooks

    if to not in {"original", "current"}:
        give_up("--to must be original or current")
    if not any((delivery, payment, state, since)):
        give_up("say which: --delivery, --payment, --state or --since")
    deliveries_filter = DeliverySearch(
        limit,
        sent_again(_state(state), by_id=delivery is not None),
        imp_uids=None if payment is None else [payment],
        delivery_ids=None if delivery is None else [delivery],
        since=in_korea(since),
    )

    async def work(gateway: Gateway) -> None:
        count = await resend_webhooks(
            gateway.services, merchant, deliveries_filter, to_current=to == "current", who=whoever()
        )
        out.print(f"{count} to be sent; the log shows what becomes of them")

    with_gateway(read(), work)


@app.command("test")
def call_for_test(
    merchant: Merchant,
    mode: Annotated[str, typer.Option(help="Whose address: of test or of live payments.")] = "test",
) -> None:
    """Send an example to the merchant's address, now, and show what the receiver answers."""
    from maedal.app import Gateway
    from maedal.flows import resend_webhooks

    if mode not in {"test", "live"}:
        give_up("--mode must be test or live")

    async def work(gateway: Gateway) -> None:
        made = await resend_webhooks.call_for_test(gateway.services, merchant, test_mode=mode == "test")
        show(
            made.url,
            sent=f"{made.media_type} {made.body}",
            answer="none" if made.answer.status is None else str(made.answer.status),
            took=_took(made.duration),
            text=_line(made.answer.text),
        )
        if made.answer.status is None or not 200 <= made.answer.status < 300:
            give_up("the receiver did not take it; a webhook counts as delivered when the answer is 2xx")

    with_gateway(read(), work)


@app.command("new-secret")
def new_secret(merchant: Merchant) -> None:
    """Sign webhooks with a new secret, which is shown once. The one before signs beside it until you end it."""
    from maedal.app import Gateway
    from maedal.flows import sign_webhook

    async def work(gateway: Gateway) -> None:
        secret = await sign_webhook.new_secret(gateway.services, merchant, who=whoever())
        out.print(f"webhook secret        {secret}")
        out.print("[yellow]It is not shown again; give it to your receivers now.[/]")
        warn_of_forms(await gateway.services.merchant_cache.merchant(merchant))

    with_gateway(read(), work)


def warn_of_forms(merchant: MerchantRow) -> None:
    """Say that signed forms fail at most receivers, where there are any."""
    if merchant.sealed_webhook_secret is not None and merchant.form_modes():
        out.print(
            f"[yellow]Signed webhooks go out as forms ({', '.join(merchant.form_modes())}).[/] PortOne's SDKs and the "
            "Standard Webhooks libraries read a body as JSON once its signature is checked, and fail: "
            "maedal merchant webhook --type json"
        )


@app.command("end-old-secret")
def end_old_secret(merchant: Merchant) -> None:
    """Stop signing with the old secret, once every receiver knows the new one."""
    from maedal.app import Gateway
    from maedal.flows import sign_webhook

    async def work(gateway: Gateway) -> None:
        await sign_webhook.end_old_secret(gateway.services, merchant, who=whoever())
        out.print("only the new secret signs now")

    with_gateway(read(), work)


@app.command("stop-signing")
def stop_signing(merchant: Merchant) -> None:
    """Sign webhooks no more and forget the secrets. Receivers that check signatures must have stopped before."""
    from maedal.app import Gateway
    from maedal.flows import sign_webhook

    async def work(gateway: Gateway) -> None:
        await sign_webhook.stop_signing(gateway.services, merchant, who=whoever())
        out.print("webhooks are not signed any more")

    with_gateway(read(), work)


def _state(word: str | None) -> DeliveryState | None:
    if word is not None and word not in set(DeliveryState):
        give_up(f"--state must be one of {', '.join(DeliveryState)}")
    return None if word is None else DeliveryState(word)


def _facts(delivery_log: DeliveryLog) -> dict[str, Fact]:
    """Return a webhook for scripts, with its last try."""
    last = delivery_log.tries[-1] if delivery_log.tries else None
    return {
        "payment": delivery_log.delivery.imp_uid,
        "state": delivery_log.state,
        "to": delivery_log.delivery.address,
        "body": delivery_log.delivery.body,
        "next": delivery_log.due_at if delivery_log.state is DeliveryState.WAITING else None,
        "tries": len(delivery_log.tries),
        "last_sent": last.sent_at if last else None,
        "last_status": last.answer_status if last else None,
    }


def _words(delivery_log: DeliveryLog) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "payment": delivery_log.delivery.imp_uid,
        "state": delivery_log.state,
        "to": delivery_log.delivery.address,
    }
    facts["body"] = delivery_log.delivery.body
    if delivery_log.state is DeliveryState.WAITING:
        facts["next"] = moment(delivery_log.due_at)
    for made in delivery_log.tries:
        answer = "no answer" if made.answer_status is None else str(made.answer_status)
        facts[f"try {made.number}"] = (
            f"{moment(made.sent_at)}  {_took(made.duration)}  {made.url}  {answer}  {_line(made.answer)}"
        )
    return facts


def _took(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)} ms"


def _line(text: str) -> str:
    """Return the beginning of an answer in one line, without what could steer a terminal."""
    shown = "".join(c if c.isprintable() else " " for c in text[:200])
    return " ".join(shown.split())
