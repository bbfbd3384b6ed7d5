"""`maedal billing-key`: whose keys there are, and how one stands. No secret is shown, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Fact, Json, Listing
from maedal.cli.running import give_up, with_gateway
from maedal.cli.settings import read
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding, KeyUsage

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.billing_keys.billing_key import BillingKey

app = Commands(
    no_args_is_help=True, help="Billing keys: the list, and all that is known of a customer's. Changes nothing."
)

LIST_MAX = 500
USED_DAYS = 30
OF_CUSTOMER_MAX = 100

Merchant = Annotated[str, typer.Option(help="Identification code.")]


@app.command("list")
def list_keys(
    merchant: Merchant,
    standing: Annotated[KeyStanding, typer.Option("--status", help="Only keys that stand so.")] = KeyStanding.LIVING,
    word: Annotated[str, typer.Option(help="A part of a customer_uid, name, e-mail address or phone number.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the newest.")] = 20,
    as_json: Json = False,
) -> None:
    """List a merchant's billing keys, the newest first: those that can be charged, unless --status says otherwise."""

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        found = await gateway.store.billing_keys.search(merchant, KeyFilter(standing, word), limit + 1)
        with Listing(as_json=as_json, empty="no such billing key") as listing:
            await _rows(gateway, merchant, listing, found[:limit])
            if len(found) > limit:
                listing.note(f"there are more; these are the newest {limit}: --limit, --word")

    with_gateway(read(), work)


@app.command("show")
def show_keys(
    customer_uid: Annotated[str, typer.Argument(help="The customer's customer_uid.", metavar="CUSTOMER_UID")],
    merchant: Merchant,
    as_json: Json = False,
) -> None:
    """Show every billing key of a customer, the newest first, ended ones too, and what each is used for."""

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        found = await gateway.store.billing_keys.of_customer(merchant, customer_uid, OF_CUSTOMER_MAX)
        if not found:
            give_up(f"{merchant} has no billing key of the customer_uid {customer_uid}")
        with Listing(as_json=as_json) as listing:
            await _rows(gateway, merchant, listing, found)

    with_gateway(read(), work)


async def _rows(gateway: Gateway, merchant: str, listing: Listing, keys: Sequence[BillingKey]) -> None:
    since = gateway.services.clock.now() - timedelta(days=USED_DAYS)
    usage = await gateway.store.billing_keys.usage(merchant, keys, since)
    for key in keys:
        listing.row("customer_uid", key.customer_uid, **_facts(key, usage.get(key.id, KeyUsage(0))))


def _facts(key: BillingKey, usage: KeyUsage) -> dict[str, Fact]:
    status = "active"
    if key.ended_at is not None:
        status = str(key.ended_by or "ended")
    elif key.gone_at is not None:
        status = "ended at the PG"
    return {
        "billing_key": key.id,
        "status": status,
        "pg": f"{key.pg_provider}.{key.pg_merchant_id}",
        "test": key.test_mode,
        "method": key.method,
        "card": key.card.issuer_name if key.card else None,
        "issued": usage.issued_at or key.inserted_at,
        "ended": key.ended_at or key.gone_at,
        "last_paid": usage.last_paid_at,
        "month_charges": usage.charges_since,
        "next_charge": usage.next_at,
    }
