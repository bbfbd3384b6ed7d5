"""Deactivate a billing key: it ends here first, then at the PG, and never comes back."""

from __future__ import annotations

import structlog

from maedal.billing_keys.billing_key import BillingKey, KeyEnd, secret_context
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.calling import account_of, call, driver_of
from maedal.flows.parts import Parts
from maedal.payments.attempt import Outcome
from maedal.storage.store import BeginDeactivation, RecordAttempt

_log = structlog.get_logger()


async def living_key(parts: Parts, merchant_id: str, customer_uid: str) -> BillingKey:
    """Return the living key of `customer_uid`. Raises BillingKeyNotFound."""
    key = await parts.store.billing_key(merchant_id, customer_uid)
    if key is None:
        raise BillingKeyNotFound("no billing key is registered under this customer_uid")
    return key


async def deactivate_key(parts: Parts, merchant_id: str, customer_uid: str) -> BillingKey:
    """End the living key of `customer_uid` and return it as it was.

    Raises BillingKeyNotFound. From the moment this returns no charge of the key can begin; a charge that is under way
    is waited for. If the PG's answer is lost or negative the key is dead here all the same, and the attempt is kept.
    """
    return await parts.background.finish(_deactivate(parts, merchant_id, customer_uid))


async def _deactivate(parts: Parts, merchant_id: str, customer_uid: str) -> BillingKey:
    async with parts.turns.of((merchant_id, customer_uid), parts.limits.busy_wait_seconds):
        now = parts.clock.now()
        attempt_id = parts.ids.row(now)
        key = await parts.store.write(BeginDeactivation(merchant_id, customer_uid, attempt_id, KeyEnd.DELETED, now))
        if key is None:
            raise BillingKeyNotFound("no billing key is registered under this customer_uid")
    try:
        channel = await parts.lookup.channel(merchant_id, key.channel_id)
        driver = driver_of(parts, channel)
        pg_key = parts.vault.open(key.sealed_pg_key, secret_context(key.id))
        request = driver.deactivate_request(account_of(parts, channel), pg_key)
    except Exception as error:  # the key is dead here; why the PG cannot be told is for the operator
        _log.exception("deactivation_could_not_be_built", key=key.id, kind=type(error).__name__)
        return key
    result = await call(parts, request, lambda reply: driver.read_deactivate(pg_key, reply))
    if result.outcome is not Outcome.APPROVED:
        _log.error("key_not_deactivated_at_pg", key=key.id, outcome=result.outcome)
    await parts.store.write(RecordAttempt(merchant_id, attempt_id, result, parts.clock.now()))
    return key
