"""Check a channel: prepare payments at the PG and never approve them; nobody is charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from maedal.flows.call_pg import account_of, ask_pg, driver_of
from maedal.flows.services import ServicesWithoutStore
from maedal.merchants.channel import Channel, ChannelKind
from maedal.payments.attempt import Decline
from maedal.payments.money import Price, krw
from maedal.pg.driver import AnswerLost, NotSent, PrepareParams, Unreadable

AMOUNT = 100


@dataclass(frozen=True, slots=True)
class ChannelCheck:
    """What the PG said. `answers`: it takes the channel's id and key; `recurring`: it would issue a billing key."""

    answers: bool
    recurring: bool
    wanted: ChannelKind
    problem: str | None = None
    skew: timedelta | None = None
    """How far our clock is ahead of the PG's, to about a second."""

    @property
    def fine(self) -> bool:
        """Whether the channel can do what it is set up for."""
        return self.answers and (self.recurring or self.wanted is ChannelKind.ONE_TIME)


async def check_channel(services: ServicesWithoutStore, channel: Channel) -> ChannelCheck:
    """Prepare a payment of 0 won, which only a contract for recurring payment takes; if refused, one of 100."""
    recurring, skew = await _prepare(services, channel, krw(0))
    if recurring is None:
        return ChannelCheck(answers=True, recurring=True, wanted=channel.kind, skew=skew)
    one_time, skew = await _prepare(services, channel, krw(AMOUNT))
    if one_time is None:
        problem = f"0 won: {recurring}"
        return ChannelCheck(answers=True, recurring=False, wanted=channel.kind, problem=problem, skew=skew)
    return ChannelCheck(answers=False, recurring=False, wanted=channel.kind, problem=one_time, skew=skew)


async def _prepare(
    services: ServicesWithoutStore, channel: Channel, price: Price
) -> tuple[str | None, timedelta | None]:
    """Prepare a payment and forget it; give the PG's reason when it refuses, and what its clock says of ours."""
    driver = driver_of(services, channel)
    urls = services.return_urls(channel.merchant_id, "check")
    params = PrepareParams(
        order_id=services.ids.row(services.clock.now()),
        user_id="channel-check",
        name="채널 확인",
        quantity=1,
        price=price,
        approval_url=urls.approval,
        cancel_url=urls.cancel,
        fail_url=urls.fail,
    )
    skew = None
    # The machine's own clock: the PG's Date knows of no travelling.
    asked_at = services.people_clock.now()
    try:
        reply = await ask_pg(
            services, channel.merchant_id, driver.prepare_request(account_of(services, channel), params)
        )
        skew = _skew(asked_at, reply.dated_at, services.people_clock.now())
        answer = driver.read_prepare(reply)
    except (NotSent, AnswerLost, Unreadable) as error:
        return f"no readable answer ({error})", skew
    return f"[{answer.code}] {answer.message}" if isinstance(answer, Decline) else None, skew


def _skew(asked_at: datetime, dated_at: datetime | None, answered_at: datetime) -> timedelta | None:
    """Return how far our clock is ahead, nothing while the PG's time lies between question and answer."""
    if dated_at is None:
        return None
    # It cuts off the part of a second.
    latest = dated_at + timedelta(seconds=1)
    if asked_at > latest:
        return asked_at - latest
    return answered_at - dated_at if answered_at < dated_at else timedelta(0)
