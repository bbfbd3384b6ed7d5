"""After a failover: what the database may have lost is asked of the PG before a key is charged.

A server that was promoted may lack what the one before committed in its last moments: an asynchronous standby lags, and
a restored copy is older still. A charge that is missing here was made all the same. So as long as a server that follows
another is young, a charge begins only after the PG has told when the key was last charged, on the very server on which
it was asked; what is newer there than here keeps the key from being charged until it has been entered.

What the server before had begun may still be on its way, and nobody here knows of it. Scheduled charges can wait for
that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey, secret_context
from maedal.billing_keys.errors import BillingKeyChargeUnrecorded, BillingKeyStatusUnavailable
from maedal.billing_keys.last_approval import is_later_one
from maedal.flows.call_pg import account_for, ask_pg, driver_of
from maedal.flows.resolve_unknown import IN_FLIGHT, SKEW, UNCLEAR_AT_MOST
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.channel import Channel
from maedal.merchants.errors import ChannelNotFound
from maedal.pg.driver import AnswerLost, CallKind, NotSent, Unreadable
from maedal.reconciliation.settlement import A_DAY, day_of
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.database_servers.reads import YOUNG, DatabaseServer, HasDatabaseServers, UnseenApproval
from maedal.storage.database_servers.writes import NoteServer, NoteUnseen
from maedal.storage.errors import StoreError
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.write import Writes

_log = structlog.get_logger()

WITHOUT_A_FILE = timedelta(hours=24)
"""For how long the keys of a channel are asked about whose PG gives us no file that would tell what is missing."""


class FailoverStore(HasBillingKeys, HasDatabaseServers, HasReconciliation, Writes, Protocol): ...


class WaitsAfterFailover(Exception):
    """A scheduled charge is not to begin before `until`: what the server before has begun may be on its way."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class LastApprovalUnavailable(Exception):
    """The PG did not say when the key was last charged."""


async def note_server(services: ServicesWith[FailoverStore]) -> DatabaseServer:
    """Return the database server that is reached now, noted for good; tell of a promotion once in each process."""
    server = await services.store.database_servers.current()
    is_new = False
    if server is None:
        noted = await services.store.write(NoteServer(services.clock.now()))
        server, is_new = noted.server, noted.is_new
    now = services.clock.now()
    metrics.ASKING_FIRST.set(server.is_young(now))
    if is_new and server.follows is not None:
        metrics.PROMOTIONS.inc()
    if server.is_young(now) and not services.known_server.was_reported(server.id):
        _log.error(
            "database_promoted",
            server=server.id,
            follows=server.follows,
            first_seen_at=server.first_seen_at.isoformat(),
            asks_until=(server.first_seen_at + YOUNG).isoformat(),
        )
    return server


async def ask_first(
    services: ServicesWith[FailoverStore], merchant_id: str, customer_uid: str, by_itself: Schedule | None
) -> str | None:
    """Return the database server on which a charge of the key may begin, once the PG has been asked there.

    `by_itself` is the scheduled charge that a worker begins. Raises BillingKeyChargeUnrecorded,
    BillingKeyStatusUnavailable, or WaitsAfterFailover for a scheduled charge.
    """
    server = await services.store.database_servers.current()
    now = services.clock.now()
    if server is None or not server.is_young(now):
        return None if server is None else server.id
    key = await services.store.billing_keys.find(merchant_id, customer_uid)
    if key is None or services.known_server.knows(server.id, key.id) or await _is_looked_into(services, server, key):
        return server.id
    if by_itself is not None:
        until = server.first_seen_at + _on_its_way(services, server, by_itself)
        if now < until:
            raise WaitsAfterFailover(until)
    try:
        last = await last_approval(services, key, CallKind.LOOK_UP if by_itself is None else CallKind.SCHEDULED)
    except LastApprovalUnavailable as error:
        raise BillingKeyStatusUnavailable(
            f"the PG does not tell whether the key was charged meanwhile ({error})"
        ) from error
    # Looked at after the answer: what is still under way may be what moved the key, and what was recorded is known.
    if await services.store.billing_keys.has_open_charge(key.merchant_id, key.id):
        return server.id
    key = await services.store.billing_keys.find_by_id(key.merchant_id, key.id) or key
    if last is not None and is_missing(server, key, last):
        with contextlib.suppress(StoreError):
            await services.store.write(NoteUnseen(key.merchant_id, key.id, last, now))
        raise BillingKeyChargeUnrecorded(f"the PG has charged this key at {last.isoformat()}, which is missing here")
    if now >= server.first_seen_at + UNCLEAR_AT_MOST:
        # Nothing that was begun before the failover can come through any more.
        services.known_server.add(server.id, key.id)
    return server.id


def is_missing(server: DatabaseServer, key: BillingKey, last: datetime) -> bool:
    """Return whether the PG's last approval of a key is one that the database lost when it came to this server.

    What is older than all that came over from the server before was nothing of ours: a key may come from elsewhere.
    """
    ours = server.knew_until is None or last >= server.knew_until - SKEW
    return ours and key.was_approved_since(last)


async def young_server(services: ServicesWith[FailoverStore]) -> DatabaseServer | None:
    """Return the database server that is reached now, if it follows another since not long."""
    server = await services.store.database_servers.current()
    return server if server is not None and server.is_young(services.clock.now()) else None


async def missing_approvals(
    services: ServicesWith[FailoverStore], merchant_id: str, count_max: int
) -> Sequence[UnseenApproval]:
    """Return what was found missing of a merchant's keys since the failover, and has not been entered since."""
    server = await young_server(services)
    if server is None:
        return ()
    found = await services.store.database_servers.unseen_approvals(merchant_id, server.first_seen_at, count_max)
    return [
        one
        for one in found
        if one.known_until is None or is_later_one(one.approved_at, one.known_until, in_reply=False)
    ]


async def last_approval(
    services: ServicesWithoutStore, key: BillingKey, kind: CallKind = CallKind.LOOK_UP
) -> datetime | None:
    """Return when the PG last approved a charge of the key; None as well where it takes no charge of it at all.

    Raises LastApprovalUnavailable.
    """
    try:
        channel = await services.merchant_cache.channel(key.merchant_id, key.channel_id)
        driver = driver_of(services, channel)
        pg_key = services.vault.open(key.sealed_pg_key, *secret_context(key))
        request = driver.key_request(account_for(services, channel, test_mode=key.test_mode), pg_key)
    except Exception as error:  # what keeps this from being asked keeps the charge from being sent, which then fails
        _log.warning("key_not_asked_about", kind=type(error).__name__, merchant=key.merchant_id)
        return None
    try:
        reply = await ask_pg(services, key.merchant_id, request, kind)
        if 400 <= reply.status < 500 and reply.status != HTTPStatus.TOO_MANY_REQUESTS:
            # The PG does not take this key at all; it will say so to the charge, and the merchant will hear it.
            return None
        return driver.read_key(pg_key, reply).last_approved_at
    except (NotSent, AnswerLost, Unreadable) as error:
        raise LastApprovalUnavailable(type(error).__name__) from error


def _on_its_way(services: ServicesWithoutStore, server: DatabaseServer, schedule: Schedule) -> timedelta:
    """Return for how long something that the server before has begun may still come through at the PG."""
    due_at = schedule.schedule_at if schedule.next_try is None else schedule.next_try.at
    if due_at <= server.first_seen_at + SKEW:
        # It may be this very charge, and its bank may take its time.
        return UNCLEAR_AT_MOST
    return services.limits.leaves_within + IN_FLIGHT


async def _is_looked_into(services: ServicesWith[FailoverStore], server: DatabaseServer, key: BillingKey) -> bool:
    """Return whether what is missing of this key's channel is known by now: by the PG's file, or never."""
    try:
        channel = await services.merchant_cache.channel(key.merchant_id, key.channel_id)
    except ChannelNotFound:
        return False
    if channel.sealed_file_key is None:
        return services.clock.now() >= server.first_seen_at + WITHOUT_A_FILE
    return await _file_is_in(services, server, channel)


async def _file_is_in(services: ServicesWith[FailoverStore], server: DatabaseServer, channel: Channel) -> bool:
    # What was lost around midnight is in the file of the day before.
    day = day_of(server.first_seen_at)
    states = await services.store.reconciliation.days(channel.merchant_id, channel.id, day - A_DAY, day)
    done = {s.day for s in states if s.done_at is not None and s.done_at > server.first_seen_at and s.complete}
    return day in done
