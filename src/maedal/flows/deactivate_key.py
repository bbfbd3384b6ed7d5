"""Deactivate a billing key: it ends here first, then at the PG, and never comes back.

Ending a key is harmless to repeat, so it is tried until the PG says that the key has ended; the intent is committed
with the key's end here, and a worker goes on where a process died.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.billing_keys.billing_key import BillingKey, KeyEnd, secret_context
from maedal.billing_keys.ending import KeyEnding, wait_after
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.call_pg import account_for, call_pg, driver_of, not_built
from maedal.flows.intents import Intent, begin
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.payments.attempt import LOST, Approval, Outcome, Proof, Result
from maedal.pg.driver import CallKind, PgReply
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.billing_keys.writes import BeginDeactivation, ClaimKeyEnding, RecordKeyEnding
from maedal.storage.errors import StoreError
from maedal.storage.write import Writes

_log = structlog.get_logger()

BATCH_MAX = 100
ENDINGS_MAX = 1000
POLL_SECONDS = 0.2
"""How often it is looked whether a charge that was begun before the key's end, perhaps on another node, is over."""
CLOCKS_DIFFER = timedelta(seconds=5)
"""How far the clocks of two nodes may be apart."""


class DeactivateKeyStore(HasBillingKeys, Writes, Protocol): ...


async def living_key(services: ServicesWith[DeactivateKeyStore], merchant_id: str, customer_uid: str) -> BillingKey:
    """Return the living key of `customer_uid`. Raises BillingKeyNotFound."""
    key = await services.store.billing_keys.find(merchant_id, customer_uid)
    if key is None:
        raise BillingKeyNotFound("no billing key is registered under this customer_uid")
    return key


@dataclass(frozen=True, slots=True)
class KeyByHand:
    """Which key a person wants ended, and who wants it; a newer key of the same customer is left alone."""

    billing_key_id: str
    who: str
    reason: str


async def deactivate_key(
    services: ServicesWith[DeactivateKeyStore], merchant_id: str, customer_uid: str, by_hand: KeyByHand | None = None
) -> BillingKey:
    """End the living key of `customer_uid` and return it as it was.

    Raises BillingKeyNotFound. From the moment this returns no charge of the key begins or is sent to the PG: one that
    is under way, on whichever node, is waited for until it is over or may leave no more. If the PG's answer is lost or
    negative the key is dead here all the same, and the PG is told again.
    """
    return await services.background.finish(_deactivate(services, merchant_id, customer_uid, by_hand))


async def _deactivate(
    services: ServicesWith[DeactivateKeyStore], merchant_id: str, customer_uid: str, by_hand: KeyByHand | None
) -> BillingKey:
    async with services.call_queue.turn((merchant_id, customer_uid), services.limits.busy_wait_seconds):
        now = services.clock.now()
        attempt_id = services.ids.row(now)
        write = BeginDeactivation(merchant_id, customer_uid, attempt_id, KeyEnd.DELETED, now)
        if by_hand is not None:
            audit_entry = replace(
                audit_entry_of(
                    services, merchant_id, AuditAction.END_KEY, by_hand.billing_key_id, by_hand.who, ("living", "ended")
                ),
                reason=by_hand.reason or NO_REASON,
            )
            write = replace(write, billing_key_id=by_hand.billing_key_id, audit_entry=audit_entry)
        key = await begin(services, _intent(services, write))
        if key is None:
            raise BillingKeyNotFound("no billing key is registered under this customer_uid")
    await _until_no_charge_leaves(services, key, now)
    await end_at_pg(services, merchant_id, attempt_id)
    return key


def _intent(services: ServicesWith[DeactivateKeyStore], write: BeginDeactivation) -> Intent[BillingKey | None]:
    async def commit() -> BillingKey | None:
        return await services.store.write(write)

    async def let_it_be(_: BillingKey | None) -> None:
        """Leave it to the worker: the key has ended, and ends at the PG."""

    return Intent(write.merchant_id, write.attempt_id, write.now, commit, lambda proved: proved.key, let_it_be)


async def _until_no_charge_leaves(
    services: ServicesWith[DeactivateKeyStore], key: BillingKey, ended_at: datetime
) -> None:
    """Return once no charge of the key, or of one that it had replaced, can still be sent.

    All of them were begun before its end. The turns of this process say nothing about other nodes, and whoever is told
    that a key is deleted must see no charge of it any more. The looks are counted too, because clocks jump.
    """
    over_within = services.limits.leaves_within + CLOCKS_DIFFER
    for _ in range(int(over_within.total_seconds() / POLL_SECONDS) + 1):
        try:
            begun_at = await services.store.billing_keys.ended_key_charged_since(key.merchant_id, key.customer_uid)
        except StoreError as error:
            _log.warning("running_charge_not_looked_at", key=key.id, kind=type(error).__name__)
            # None was begun later than this.
            begun_at = ended_at
        if begun_at is None or services.clock.now() >= begun_at + over_within:
            return
        await services.clock.sleep(POLL_SECONDS)


async def end_due_keys(services: ServicesWith[DeactivateKeyStore]) -> int:
    """Try to end at the PG every key whose next try is due; return how many there were."""
    due = await services.store.billing_keys.due_endings(services.clock.now(), BATCH_MAX)
    for ending in due:
        await end_at_pg(services, ending.merchant_id, ending.attempt_id, tries=ending.tries)
    return len(due)


async def end_now(
    services: ServicesWith[DeactivateKeyStore],
    merchant_id: str,
    ending: KeyEnding,
    who: str,
    audit_entry_id: str | None = None,
) -> bool:
    """Try at once to end a key at the PG, because a person wants it, and keep that they did; returns whether it ended.

    Telling is harmless to repeat; with an `audit_entry_id` it is in the audit log once.
    """
    now = services.clock.now()
    facts = (f"tries={ending.tries}", "told again")
    await services.store.write(
        KeepAuditEntry(
            AuditEntry(
                audit_entry_id or services.ids.row(now),
                merchant_id,
                AuditAction.END_KEY_AGAIN,
                ending.billing_key_id,
                who,
                NO_REASON,
                *facts,
                now,
            )
        )
    )
    await end_at_pg(services, merchant_id, ending.attempt_id, tries=ending.tries)
    still = await services.store.billing_keys.pending_endings_of(merchant_id, ENDINGS_MAX)
    return all(one.ending.attempt_id != ending.attempt_id for one in still)


async def end_at_pg(
    services: ServicesWith[DeactivateKeyStore], merchant_id: str, attempt_id: str, *, tries: int = 0
) -> None:
    """Try once to end a key at the PG, unless it need not, somebody else does, or a charge of it is open.

    Never raises for the store or the PG: what is not done stays due, and the worker takes it up.
    """
    try:
        next_due_at = services.clock.now() + wait_after(tries + 1)
        ending = await services.store.write(ClaimKeyEnding(merchant_id, attempt_id, tries, next_due_at))
        if ending is None:
            return
        result = await _ask(services, ending)
        if result.outcome is not Outcome.APPROVED:
            _log.error("key_not_ended_at_pg", key=ending.billing_key_id, outcome=result.outcome, tries=ending.tries)
        await services.store.write(RecordKeyEnding(ending, result, services.clock.now()))
    except StoreError as error:
        _log.warning("key_ending_not_kept", attempt=attempt_id, kind=type(error).__name__)


async def _ask(services: ServicesWith[DeactivateKeyStore], ending: KeyEnding) -> Result:
    try:
        key = await services.store.billing_keys.find_by_id(ending.merchant_id, ending.billing_key_id)
        assert key is not None, "a key is never deleted"
        channel = await services.merchant_cache.channel(key.merchant_id, key.channel_id)
        driver, account = driver_of(services, channel), account_for(services, channel, test_mode=key.test_mode)
        pg_key = services.vault.open(key.sealed_pg_key, *secret_context(key))
        status, request = driver.key_request(account, pg_key), driver.deactivate_request(account, pg_key)
    except Exception as error:  # the key is dead here; why the PG cannot be told is for the operator
        _log.exception("key_ending_could_not_be_built", key=ending.billing_key_id, kind=type(error).__name__)
        return not_built(error)

    def ended_already(reply: PgReply) -> Result:
        return LOST if driver.read_key(pg_key, reply).active else _ENDED

    if ending.tries > 1:  # an earlier try may have reached the PG, or the buyer ended the key
        seen = await call_pg(services, CallKind.LOOK_UP, ending.merchant_id, status, ended_already)
        if seen.outcome is not Outcome.UNKNOWN:
            return seen
    return await call_pg(
        services, CallKind.CANCEL, ending.merchant_id, request, lambda reply: driver.read_deactivate(pg_key, reply)
    )


_ENDED = Result(Outcome.APPROVED, Proof.KEY_STATUS, approval=Approval(pg_tid=None, method=None, approved_at=None))
