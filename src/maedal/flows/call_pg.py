"""Calling a PG: no transaction open, no lock of the database held, each request sent once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from maedal.errors import GatewayError
from maedal.flows.services import ServicesWithoutStore
from maedal.merchants.channel import Channel, file_key_context, secret_context
from maedal.merchants.errors import ChannelMisconfigured, OtherMode
from maedal.payments.attempt import LOST, Decline, Fault, Outcome, Proof, Result
from maedal.pg.driver import Account, AnswerLost, CallKind, Driver, FileAccount, NotSent, PgReply, PgRequest, Unreadable

_log = structlog.get_logger()

SIMULATOR_KEY = "DEV0000000000000000000000000000000000000"
"""Sent to the simulator, which takes any key; it is no secret."""


def driver_of(services: ServicesWithoutStore, channel: Channel) -> Driver:
    """Return the driver of the channel's PG."""
    return services.drivers[channel.pg_provider]


def account_of(services: ServicesWithoutStore, channel: Channel) -> Account:
    """Return whose contract the call is made under. Raises ChannelMisconfigured without a simulator to speak to."""
    rules = driver_of(services, channel).abilities.accounts
    if channel.sealed_secret is None:
        if not channel.test_mode or services.sandbox_url is None:
            raise ChannelMisconfigured(
                "the channel has no secret key and no simulator is set (MAEDAL_SANDBOX_URL); add the PG's dev key"
            )
        return Account(services.sandbox_url, channel.pg_merchant_id, test_mode=True, secret=SIMULATOR_KEY)
    secret = opened_secret(services, channel, channel.sealed_secret)
    return Account(rules.live_url, channel.pg_merchant_id, channel.test_mode, secret)


def opened_secret(services: ServicesWithoutStore, channel: Channel, sealed: bytes) -> str:
    """Return the channel's secret. Raises ChannelMisconfigured unless it was sealed for this channel, with our keys."""
    try:
        return services.vault.open(sealed, *secret_context(channel))
    except Exception as error:
        raise ChannelMisconfigured(
            f"the secret key of the channel {channel.id} cannot be opened with this key file"
        ) from error


def account_for(services: ServicesWithoutStore, channel: Channel, *, test_mode: bool) -> Account:
    """Return the account for what was made in this mode: a key or a payment of test mode is never used live, nor back.

    Raises OtherMode when the channel has been switched meanwhile, and ChannelMisconfigured as `account_of`.
    """
    if channel.test_mode is not test_mode:
        made, now = ("test", "live") if test_mode else ("live", "test")
        raise OtherMode(
            f"this was made in {made} mode, and its channel is in {now} mode now; register a new billing key, or "
            f"switch the channel back to {made} mode"
        )
    return account_of(services, channel)


def file_account_of(services: ServicesWithoutStore, channel: Channel) -> FileAccount:
    """Return whose files of past days are asked for. Raises ChannelMisconfigured without a file key."""
    if driver_of(services, channel).abilities.files is None:
        raise ChannelMisconfigured(f"{channel.pg_provider} gives out no files of past days")
    if channel.sealed_file_key is None or channel.file_bucket is None:
        raise ChannelMisconfigured(
            f"the channel {channel.id} has no file key; see: maedal channel set --file-key --bucket …"
        )
    if channel.uses_simulator and services.sandbox_url is None:
        raise ChannelMisconfigured("no simulator is set (MAEDAL_SANDBOX_URL)")
    secret = services.vault.open(channel.sealed_file_key, *file_key_context(channel))
    return FileAccount(channel.file_bucket, services.sandbox_url if channel.uses_simulator else None, secret)


def not_built(error: Exception) -> Result:
    """Return the outcome of a call whose request could not even be built."""
    text = error.message if isinstance(error, GatewayError) else "결제 요청을 만들지 못했습니다."
    # A key of the other mode is no fault of the channel's: its own keys are charged all the same.
    of_channel = isinstance(error, ChannelMisconfigured) and not isinstance(error, OtherMode)
    fault = Fault.MISCONFIGURED if of_channel else Fault.NOT_BUILT
    return Result(Outcome.NOT_SENT, Proof.NO_CONNECTION, decline=Decline("NOT_SENT", text, fault=fault))


async def ask_pg(
    services: ServicesWithoutStore, merchant_id: str, request: PgRequest, kind: CallKind = CallKind.LOOK_UP
) -> PgReply:
    """Ask the PG for something that changes nothing there, in a merchant's name. Raises as `Transport.send`."""
    return await services.transport.send(replace(request, kind=kind, merchant_id=merchant_id))


async def call_pg(
    services: ServicesWithoutStore,
    kind: CallKind,
    merchant_id: str,
    request: PgRequest,
    read: Callable[[PgReply], Result],
    *,
    begun_at: datetime | None = None,
) -> Result:
    """Send `request` once and return what it taught us. Never raises: whatever is not understood is UNKNOWN.

    With the time at which its attempt was begun, it leaves in time or not at all: a worker counts an attempt without an
    outcome as lost after `unanswered_after`, and what it finds out then must stay true.
    """
    send_by = None if begun_at is None else begun_at + services.limits.leaves_within
    request = replace(request, send_by=send_by, kind=kind, merchant_id=merchant_id)
    try:
        reply = await services.transport.send(request)
    except NotSent as error:
        decline = Decline("NOT_SENT", f"PG에 연결하지 못했습니다. ({error})", fault=error.fault)
        return Result(Outcome.NOT_SENT, Proof.NO_CONNECTION, decline=decline)
    except AnswerLost as error:
        _log.warning("pg_answer_lost", url=request.url, reason=str(error))
        return LOST
    except Exception as error:  # a transport that breaks its promise must not turn into "failed"
        _log.exception("pg_call_broke", url=request.url, kind=type(error).__name__)
        return LOST
    try:
        return read(reply)
    except Unreadable as error:
        _log.warning("pg_answer_unreadable", url=request.url, status=reply.status, reason=str(error))
    except Exception as error:  # an answer of a shape nobody thought of proves nothing either
        _log.exception("pg_answer_broke_the_reader", url=request.url, kind=type(error).__name__)
    return LOST
