"""A fresh database with a merchant, a test channel and billing keys, each sealed as the gateway seals them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maedal.app import Gateway, open_gateway
from maedal.billing_keys.billing_key import BillingKey, secret_context
from maedal.flows.issue_token import issue_token
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.merchants.channel import Channel
from maedal.payments.attempt import Method
from maedal.payments.money import Money, Price
from maedal.payments.payment import KeyUse, Order
from maedal.schedules.schedule import Schedule
from maedal.settings import Settings
from maedal.storage.billing_keys.rows import INSERT_KEY, key_values
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.migrate import migrate
from maedal.storage.schedules.writes import AddSchedules
from maedal.storage.write import Write

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PutKey(Write[None]):
    """Keep a billing key that no window issued."""

    key: BillingKey


@unit(PutKey)
def put_keys(writes: Sequence[PutKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    yield Run(INSERT_KEY, [key_values(write.key) for write in writes])
    return [None] * len(writes)


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant with a test channel, and how its server makes itself known."""

    code: str
    channel: Channel
    api_key: str
    api_secret: str


def seed(settings: Settings, count: int, advance: Callable[[int], None]) -> str:
    """Migrate the database, fill it with `count` billing keys, and return an access token of the merchant."""
    return seed_shop(settings, count, advance)[1]


def seed_shop(settings: Settings, count: int, advance: Callable[[int], None]) -> tuple[Shop, str]:
    """Do the same, and return the merchant, too: a token lives for half an hour."""
    migrate(settings.database_url)
    return asyncio.run(_seed(settings, count, advance))


async def _seed(settings: Settings, count: int, advance: Callable[[int], None]) -> tuple[Shop, str]:
    async with open_gateway(settings, serving=False) as gateway:
        shop = await open_shop(gateway)
        await add_keys(gateway, shop.channel, count, advance)
        return shop, await token_of(gateway, shop)


async def open_shop(gateway: Gateway) -> Shop:
    """Make a merchant, as the command does."""
    merchant = await create_merchant(gateway.services, "Bench")
    code = merchant.merchant.code
    channel = await add_channel(gateway.services, code, ChannelSettings(cid="TCSUBSCRIP", test_mode=True))
    return Shop(code, channel, merchant.api_key, merchant.api_secret)


async def token_of(gateway: Gateway, shop: Shop) -> str:
    return (await issue_token(gateway.services, shop.api_key, shop.api_secret)).text


async def add_keys(gateway: Gateway, channel: Channel, count: int, advance: Callable[[int], None]) -> None:
    """Keep billing keys of customer-0 and so many more, in batches."""
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        await asyncio.gather(*(gateway.store.engine.write(PutKey(_key(gateway, channel, n))) for n in numbers))
        advance(len(numbers))


async def add_scheduled(gateway: Gateway, channel: Channel, numbers: range, prefix: str, due: datetime) -> None:
    """Schedule one charge of each customer-n, each at its own moment after `due`: the order of claims can be seen."""
    now = datetime.now(UTC)
    planned = tuple(
        Schedule(
            merchant_id=channel.merchant_id,
            order=Order(
                merchant_uid=f"{prefix}{n}",
                name="Monthly",
                price=Price(Money(9_900), Money(0)),
                customer_uid=f"customer-{n}",
                key_use=KeyUse.SCHEDULED,
            ),
            channel_id=channel.id,
            schedule_at=due + timedelta(microseconds=n),
            inserted_at=now,
        )
        for n in numbers
    )
    for first in range(0, len(planned), AT_ONCE):
        taken = await gateway.store.write(AddSchedules(planned[first : first + AT_ONCE]))
        assert not taken, taken


def _key(gateway: Gateway, channel: Channel, number: int) -> BillingKey:
    now = gateway.services.clock.now()
    key_id = gateway.services.ids.row(now)
    key = BillingKey(
        merchant_id=channel.merchant_id,
        id=key_id,
        customer_uid=f"customer-{number}",
        channel_id=channel.id,
        pg_provider=channel.pg_provider,
        pg_merchant_id=channel.pg_merchant_id,
        test_mode=True,
        sealed_pg_key=b"",
        pg_user_id=f"u-{number}",
        inserted_at=now,
        updated_at=now,
        method=Method.MONEY,
    )
    sid = f"S{secrets.token_hex(10)[:19]}"
    return replace(key, sealed_pg_key=gateway.services.vault.seal(sid, *secret_context(key)))
