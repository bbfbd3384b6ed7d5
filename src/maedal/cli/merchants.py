"""`maedal merchant`: who sells."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Json, Listing, moment
from maedal.cli.personal_data import erase_buyer
from maedal.cli.running import err, give_up, out, whoever, with_gateway
from maedal.merchants.merchant import FieldSet
from maedal.payments.errors import InvalidParameter

if TYPE_CHECKING:
    from maedal.app import Gateway

app = Commands(no_args_is_help=True, help="Merchants: create, list, and where they are told.")


ApiKeyOption = Annotated[str | None, typer.Option(help="Which REST API key, if the merchant has several.")]


app.command("erase-buyer")(erase_buyer)


@app.command("create")
def create(name: Annotated[str, typer.Option(help="The merchant's name, for your eyes.")]) -> None:
    """Create a merchant with an identification code and a REST API key. The secret is shown once."""
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import create_merchant

    async def work(gateway: Gateway) -> None:
        made = await create_merchant(gateway.services, name, who=whoever())
        out.print(f"identification code   {made.merchant.code}")
        out.print(f"REST API key          {made.api_key}")
        out.print(f"REST API secret       {made.api_secret}")
        out.print("[yellow]The secret is kept nowhere; write it down now.[/]")

    with_gateway(read(), work)


@app.command("list")
def show(as_json: Json = False) -> None:
    """List merchants."""
    from maedal.cli.settings import read

    async def work(gateway: Gateway) -> None:
        with Listing(as_json=as_json) as listing:
            for merchant in await gateway.store.merchants.all():
                listing.row(
                    "merchant",
                    merchant.code,
                    name=merchant.name,
                    channels=len(await gateway.store.channels.of_merchant(merchant.code)),
                    webhook_live=merchant.webhook_url_live,
                    webhook_test=merchant.webhook_url_test,
                    webhook_type=f"live {merchant.webhook_type_live}, test {merchant.webhook_type_test}",
                    webhook_retry=merchant.webhook_retry,
                    fields=merchant.field_set,
                    webhook_first=merchant.webhook_first,
                    confirm_url="not asked" if merchant.confirm_url_ignored else "asked",
                    tell_failures=merchant.webhook_failures,
                    signed=merchant.sealed_webhook_secret is not None,
                    created=merchant.created_at,
                )

    with_gateway(read(), work)


@app.command("new-secret")
def new_secret(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    api_key: ApiKeyOption = None,
    overlap: Annotated[
        str, typer.Option(help="How long the old secret stays good, in hours or days: 1h, 24h, 7d at most; 0 for not.")
    ] = "0",
) -> None:
    """Draw a new REST API secret and show it once. The old one and its token are void at once, or after the overlap."""
    from maedal.cli.settings import read
    from maedal.flows.manage_api_keys import renew_api_secret

    async def work(gateway: Gateway) -> None:
        key = await _key(gateway, merchant, api_key)
        secret = await renew_api_secret(gateway.services, merchant, key, overlap=_span(overlap), who=whoever())
        out.print(f"REST API key          {key}")
        out.print(f"REST API secret       {secret}")
        out.print("[yellow]The secret is kept nowhere; write it down now.[/]")

    with_gateway(read(), work)


@app.command("end-old-secret")
def end_old_secret(
    merchant: Annotated[str, typer.Option(help="Identification code.")], api_key: ApiKeyOption = None
) -> None:
    """End the old REST API secret, which an overlap keeps good, and its token now."""
    from maedal.cli.settings import read
    from maedal.flows.manage_api_keys import end_old_api_secret

    async def work(gateway: Gateway) -> None:
        key = await _key(gateway, merchant, api_key)
        await end_old_api_secret(gateway.services, merchant, key, who=whoever())
        out.print(f"only the new secret of {key} is good now")

    with_gateway(read(), work)


@app.command("keys")
def list_keys(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    api_key: ApiKeyOption = None,
    name: Annotated[str | None, typer.Option(help="Call the key by this name, for your eyes; '' for none.")] = None,
    as_json: Json = False,
) -> None:
    """List a merchant's REST API keys: when each was last used, and from where; or name one."""
    from maedal.cli.settings import read
    from maedal.flows.manage_api_keys import name_api_key
    from maedal.merchants.scope import written

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        if name is not None:
            key = await _key(gateway, merchant, api_key)
            await name_api_key(gateway.services, merchant, key, name, who=whoever())
        now = gateway.services.clock.now()
        with Listing(as_json=as_json) as listing:
            for known in await gateway.store.merchants.api_keys(merchant):
                old = known.living_old_secret(now)
                listing.row(
                    "api_key",
                    known.api_key,
                    name=known.name,
                    scopes=written(known.scopes),
                    ended=known.ended_at,
                    secret_made=known.secret_changed_at or known.created_at,
                    old_secret=(old.until if as_json else f"good until {moment(old.until)}") if old else None,
                    last_used=known.last_used_at,
                    used_from=known.last_used_from,
                )

    with_gateway(read(), work)


@app.command("addresses")
def addresses(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    allow: Annotated[str | None, typer.Option(help="Let this address or network (CIDR) call the REST API.")] = None,
    memo: Annotated[str, typer.Option(help="What the address is, for your eyes.")] = "",
    end: Annotated[str | None, typer.Option(help="Let this one call no more.")] = None,
    sure: Annotated[bool, typer.Option("--sure", help="Also when a server that called lately is kept out.")] = False,
    as_json: Json = False,
) -> None:
    """List the addresses that may call the REST API for a merchant, add one or end one. Without any, all may."""
    from maedal.cli.settings import read
    from maedal.flows.allowed_addresses import allow_address, end_address, locked_out

    async def work(gateway: Gateway) -> None:
        if allow is not None:
            await allow_address(gateway.services, merchant, allow, memo, sure=sure, who=whoever())
        if end is not None:
            await end_address(gateway.services, merchant, end, sure=sure, who=whoever())
        allowed = (await gateway.services.merchant_cache.merchant(merchant)).allowed_addresses
        with Listing(as_json=as_json, empty="every address may call") as listing:
            for one in allowed:
                listing.row("network", one.network, memo=one.memo, added=one.added_at, added_by=one.added_by)
        for shut in await locked_out(gateway.services, merchant, allowed):
            err.print(f"[yellow]API key {shut.api_key} was used from {shut.address} lately, and is kept out[/]")

    with_gateway(read(), work)


async def _key(gateway: Gateway, merchant: str, api_key: str | None) -> str:
    keys = [key for key in await gateway.store.merchants.api_keys(merchant) if key.ended_at is None]
    if api_key is None and len(keys) != 1:
        give_up(f"{merchant} has {len(keys)} API keys; say which: --api-key")
    return api_key or keys[0].api_key


def _span(text: str) -> timedelta:
    number, unit = (text[:-1], text[-1:]) if text != "0" else ("0", "h")
    if not number.isdecimal() or len(number) > 4 or unit not in {"h", "d"}:
        raise InvalidParameter("overlap", f"an overlap is written like 24h or 7d, not {text!r}")
    return timedelta(**{"h": {"hours": int(number)}, "d": {"days": int(number)}}[unit])


@app.command("webhook")
def webhook(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    live: Annotated[str | None, typer.Option(help="Address told of live payments; '' for none.")] = None,
    test: Annotated[str | None, typer.Option(help="Address told of test payments; '' for none.")] = None,
    body: Annotated[str | None, typer.Option("--type", help="json or form, for live and test payments.")] = None,
    type_live: Annotated[str | None, typer.Option(help="json or form, for live payments alone.")] = None,
    type_test: Annotated[str | None, typer.Option(help="json or form, for test payments alone.")] = None,
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
    confirm: Annotated[
        bool | None,
        typer.Option("--confirm/--no-confirm", help="Ask the confirm_url of a payment before it is approved."),
    ] = None,
    page_notices: Annotated[
        str | None,
        typer.Option(
            help="The notice_url that a page names: ignore it, add it to the merchant's address, or replace that by it."
        ),
    ] = None,
) -> None:
    """Set where results are told to, and how often a receiver that does not take them is tried again."""
    from maedal.cli.settings import read
    from maedal.cli.webhooks import warn_of_forms
    from maedal.flows.set_webhook import set_webhook

    async def work(gateway: Gateway) -> None:
        changed = await set_webhook(
            gateway.services,
            merchant,
            live=live,
            test=test,
            body=body,
            type_live=type_live,
            type_test=type_test,
            retry=retry,
            failures=failures,
            first=first,
            confirm=confirm,
            page_notices=page_notices,
            who=whoever(),
        )
        out.print(f"live  {changed.webhook_url_live or '-'}\ntest  {changed.webhook_url_test or '-'}")
        out.print(f"type  live {changed.webhook_type_live}, test {changed.webhook_type_test}")
        out.print(f"retry {changed.webhook_retry}")
        out.print(f"failures {'told' if changed.webhook_failures else 'of scheduled charges only'}")
        out.print(f"confirm_url {'not asked' if changed.confirm_url_ignored else 'asked'}")
        out.print(f"notice_url of a page {changed.page_notices}")
        out.print(f"first {'the webhook' if changed.webhook_first else 'whichever is quicker'}")
        warn_of_forms(changed)

    with_gateway(read(), work)


@app.command("fields")
def fields(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    field_set: Annotated[FieldSet, typer.Option("--set", help="full, or 2021 for strict old clients.")],
) -> None:
    """Set which keys the objects of REST answers have."""
    from maedal.cli.settings import read
    from maedal.flows.set_up_merchant import set_field_set

    async def work(gateway: Gateway) -> None:
        await set_field_set(gateway.services, merchant, field_set, who=whoever())
        out.print(f"fields  {field_set}")

    with_gateway(read(), work)
