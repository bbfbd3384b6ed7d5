"""`maedal merchant`: who sells."""

from __future__ import annotations

from typing import Annotated

import typer

from maedal.cli import running
from maedal.cli.running import give_up, out, whoever, with_gateway
from maedal.merchants.merchant import FieldSet

app = typer.Typer(no_args_is_help=True, help="Merchants: create, list, and where they are told.")


@app.command("create")
def create(name: Annotated[str, typer.Option(help="The merchant's name, for your eyes.")]) -> None:
    """Create a merchant with an identification code and a REST API key. The secret is shown once."""
    from maedal.app import Gateway
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import create_merchant

    async def work(gateway: Gateway) -> None:
        made = await create_merchant(gateway.parts, name, who=whoever())
        out.print(f"identification code   {made.merchant.code}")
        out.print(f"REST API key          {made.api_key}")
        out.print(f"REST API secret       {made.api_secret}")
        out.print("[yellow]The secret is kept nowhere; write it down now.[/]")

    with_gateway(read(), work)


@app.command("list")
def show() -> None:
    """List merchants."""
    from maedal.app import Gateway
    from maedal.cli.settings import read

    async def work(gateway: Gateway) -> None:
        for merchant in await gateway.store.merchants():
            running.show(
                merchant.code,
                name=merchant.name,
                channels=str(len(await gateway.store.channels(merchant.code))),
                webhook_live=merchant.webhook_url_live or "-",
                webhook_test=merchant.webhook_url_test or "-",
                webhook_type=merchant.webhook_type,
                webhook_retry=merchant.webhook_retry,
                fields=merchant.field_set,
                webhook_first="yes" if merchant.webhook_first else "no",
                tell_failures="yes" if merchant.webhook_failures else "no",
                signed="yes" if merchant.sealed_webhook_secret else "no",
                created=f"{merchant.created_at:%Y-%m-%d %H:%M} UTC",
            )

    with_gateway(read(), work)


@app.command("new-secret")
def new_secret(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    api_key: Annotated[str | None, typer.Option(help="Which REST API key, if the merchant has several.")] = None,
) -> None:
    """Draw a new REST API secret and show it once. The old one and its token are void at once."""
    from maedal.app import Gateway
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import renew_api_secret

    async def work(gateway: Gateway) -> None:
        keys = await gateway.store.api_keys(merchant)
        if api_key is None and len(keys) != 1:
            give_up(f"{merchant} has {len(keys)} API keys; say which: --api-key")
        key = api_key or keys[0].api_key
        secret = await renew_api_secret(gateway.parts, merchant, key, who=whoever())
        out.print(f"REST API key          {key}")
        out.print(f"REST API secret       {secret}")
        out.print("[yellow]The secret is kept nowhere; write it down now.[/]")

    with_gateway(read(), work)


@app.command("webhook")
def webhook(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    live: Annotated[str | None, typer.Option(help="Address told of live payments; '' for none.")] = None,
    test: Annotated[str | None, typer.Option(help="Address told of test payments; '' for none.")] = None,
    body: Annotated[str | None, typer.Option("--type", help="json or form.")] = None,
    retry: Annotated[
        str | None, typer.Option(help="none, few (5 times, a minute apart) or patient (9 times over three days).")
    ] = None,
    failures: Annotated[
        bool | None, typer.Option("--failures/--no-failures", help="Tell failures of payments that nobody planned too.")
    ] = None,
    first: Annotated[
        bool | None,
        typer.Option("--first/--not-first", help="Let the browser wait until the webhook of its payment was tried."),
    ] = None,
) -> None:
    """Set where results are told to, and how often a receiver that does not take them is tried again."""
    from maedal.app import Gateway
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import set_webhook

    async def work(gateway: Gateway) -> None:
        changed = await set_webhook(
            gateway.parts,
            merchant,
            live=live,
            test=test,
            body=body,
            retry=retry,
            failures=failures,
            first=first,
            who=whoever(),
        )
        out.print(f"live  {changed.webhook_url_live or '-'}\ntest  {changed.webhook_url_test or '-'}")
        out.print(f"type  {changed.webhook_type}\nretry {changed.webhook_retry}")
        out.print(f"failures {'told' if changed.webhook_failures else 'of planned charges only'}")
        out.print(f"first {'the webhook' if changed.webhook_first else 'whichever is quicker'}")

    with_gateway(read(), work)


@app.command("fields")
def fields(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    field_set: Annotated[FieldSet, typer.Option("--set", help="full, or 2021 for strict old clients.")],
) -> None:
    """Set which keys the objects of REST answers have."""
    from maedal.app import Gateway
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import set_field_set

    async def work(gateway: Gateway) -> None:
        await set_field_set(gateway.parts, merchant, field_set, who=whoever())
        out.print(f"fields  {field_set}")

    with_gateway(read(), work)
