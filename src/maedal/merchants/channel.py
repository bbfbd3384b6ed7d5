"""A channel: one merchant's contract with one PG, in test or live mode, and the rules of choosing one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound, NoChannel
from maedal.payments.attempt import Method
from maedal.payments.errors import InvalidParameter


class ChannelKind(StrEnum):
    """What the contract allows."""

    ONE_TIME = "one_time"
    RECURRING = "recurring"


class UnknownPg(StrEnum):
    """What `request_pay` does when a page names a PG that this merchant has no channel of."""

    REJECT = "reject"
    DEFAULT = "default"


class ReplacedKeys(StrEnum):
    """What becomes, at the PG, of a billing key that a newer one has replaced under its customer_uid.

    An end at the PG is for good, and whoever knows a customer_uid can ask for a window with it: so a page alone never
    ends a key. One that the merchant's server registered the customer_uid for does (POST /payments/prepare).
    """

    DEACTIVATE = "deactivate"  # if the server registered it: no API call can reach the old key any more
    KEEP = "keep"  # as PortOne does: it stays active at the PG until the buyer ends it


class WindowForm(StrEnum):
    """How the payment window is shown on a PC: over the shop's page, or in a browser window of its own."""

    LAYER = "layer"
    POPUP = "popup"


MONTHS_MAX = 12
WAITS_HOURS, WAITS_HOURS_MAX = 24, 72


@dataclass(frozen=True, slots=True)
class CardLimits:
    """What a buyer may pay with; None leaves the choice to the buyer.

    `cards` are the card companies, in PortOne's codes; `months` are the instalments, 0 for a lump sum.
    """

    method: Method | None = None
    cards: tuple[str, ...] | None = None
    months: int | None = None

    def and_also(self, asked: CardLimits) -> CardLimits:
        """Return what both allow. Raises InvalidParameter, in the words of a page's buyer, when that is nothing."""
        if None not in (self.method, asked.method) and self.method is not asked.method:
            raise InvalidParameter("bypass", "이 채널에서 쓸 수 없는 결제수단입니다. (payment_method_type)")
        cards = self.cards if asked.cards is None else asked.cards
        if self.cards is not None and asked.cards is not None:
            cards = tuple(code for code in asked.cards if code in self.cards)
            if not cards:
                raise InvalidParameter("card", "이 채널에서 쓸 수 없는 카드입니다. (card)")
        if None not in (self.months, asked.months) and self.months != asked.months:
            raise InvalidParameter("display", "이 채널에서 쓸 수 없는 할부 개월 수입니다. (card_quota)")
        return CardLimits(self.method or asked.method, cards, asked.months if self.months is None else self.months)


@dataclass(frozen=True, slots=True)
class Channel:
    """One contract with one PG.

    `pg_merchant_id` is the merchant's number there (KakaoPay: CID). `sealed_secret` is the PG's secret key, sealed; a
    test channel without one speaks to the simulator instead of the PG. `sealed_file_key` and `file_bucket` open the
    PG's files of past days, which are a contract of their own.
    """

    id: str
    merchant_id: str
    name: str
    pg_provider: str
    pg_merchant_id: str
    kind: ChannelKind
    test_mode: bool
    created_at: datetime
    sealed_secret: bytes | None = None
    default: bool = False
    allowed_origins: tuple[str, ...] = field(default=())
    unknown_pg: UnknownPg = UnknownPg.REJECT
    replaced_keys: ReplacedKeys = ReplacedKeys.DEACTIVATE
    sealed_file_key: bytes | None = None
    file_bucket: str | None = None
    charges_per_month: int | None = None
    """How often the contract lets one billing key be charged in a month, if the merchant knows; for people to see."""
    limits: CardLimits = CardLimits()
    window_form: WindowForm = WindowForm.LAYER
    app_schemes: tuple[str, ...] = ()
    """Schemes of the merchant's apps, to which buyers may be sent back."""
    prepared_only: bool = False
    """Whether windows open only for what the merchant's server has registered."""
    waits_hours: int = WAITS_HOURS
    """For how long after it was due a scheduled charge is tried again that nobody declined; 0 never."""

    @property
    def waits_at_most(self) -> timedelta:
        """How long after it was due a scheduled charge is tried again that nobody declined."""
        return timedelta(hours=self.waits_hours)

    @property
    def uses_simulator(self) -> bool:
        """Whether calls go to the simulator: test mode without a key of the PG."""
        return self.test_mode and self.sealed_secret is None


def facts_of(channel: Channel) -> dict[str, str]:
    """Return what the audit log keeps of a channel: every setting, and of secrets only whether they are there."""
    return {
        "name": channel.name,
        "pg": channel.pg_provider,
        "cid": channel.pg_merchant_id,
        "kind": channel.kind,
        "test_mode": "on" if channel.test_mode else "off",
        "default": "yes" if channel.default else "no",
        "origins": " ".join(channel.allowed_origins) or "any",
        "app_schemes": " ".join(channel.app_schemes) or "none listed",
        "prepared_only": "yes" if channel.prepared_only else "no",
        "unknown_pg": channel.unknown_pg,
        "replaced_keys": channel.replaced_keys,
        "secret_key": "set" if channel.sealed_secret else "none",
        "file_key": "set" if channel.sealed_file_key else "none",
        "bucket": channel.file_bucket or "none",
        "charges_per_month": "unknown" if channel.charges_per_month is None else str(channel.charges_per_month),
        "method": channel.limits.method or "any",
        "cards": " ".join(channel.limits.cards) if channel.limits.cards else "any",
        "months": "any" if channel.limits.months is None else str(channel.limits.months),
        "window": channel.window_form,
        "waits_hours": str(channel.waits_hours),
    }


@dataclass(frozen=True, slots=True)
class PgAccountRules:
    """What a PG says of the accounts one may use; a driver declares it as data."""

    provider: str
    test_ids: Mapping[str, ChannelKind]
    live_id: re.Pattern[str]
    test_key_prefix: str
    live_key_prefix: str
    live_url: str
    aliases: frozenset[str] = frozenset()
    """Other names that pages use for this PG."""


CHARGES_PER_MONTH_MAX = 10_000


def check_charges_per_month(count: int) -> None:
    """Raise ChannelMisconfigured unless a billing key may be charged so often in a month; 0 is that nobody knows."""
    if not 0 <= count <= CHARGES_PER_MONTH_MAX:
        raise ChannelMisconfigured(
            f"charges per month is a number from 1 to {CHARGES_PER_MONTH_MAX}, or 0 when it is not known"
        )


def check_waits_hours(hours: int) -> None:
    """Raise ChannelMisconfigured unless scheduled charges may wait for so long."""
    if not 0 <= hours <= WAITS_HOURS_MAX:
        raise ChannelMisconfigured(f"scheduled charges wait for 0 to {WAITS_HOURS_MAX} hours, not {hours}")


def draw_channel_id() -> str:
    """Return a new channel key, in the form merchants know (docs/wire/portone-v1-rest.md 0.3)."""
    return f"channel-key-{uuid4()}"


def check_settings(
    rules: PgAccountRules, *, pg_merchant_id: str, test_mode: bool, secret: str | None, kind: ChannelKind
) -> None:
    """Raise ChannelMisconfigured unless these settings can work together; the text says what to change.

    Test mode takes the PG's public test accounts, with a test key for the PG's own host or with none for the simulator.
    Live mode takes none of these. `secret` is in the clear here, and only here.
    """
    if test_mode:
        if pg_merchant_id not in rules.test_ids:
            known = ", ".join(rules.test_ids)
            raise ChannelMisconfigured(f"test mode takes the test CIDs only ({known}), not {pg_merchant_id}")
        if secret is not None and secret.startswith(rules.live_key_prefix):
            raise ChannelMisconfigured("test mode does not take a live secret key; use the dev key or none")
        if rules.test_ids[pg_merchant_id] is not kind:
            raise ChannelMisconfigured(
                f"{pg_merchant_id} is the test CID for {rules.test_ids[pg_merchant_id]} payments"
            )
        return
    if pg_merchant_id in rules.test_ids:
        raise ChannelMisconfigured(f"{pg_merchant_id} is a test CID; live mode needs the CID of your contract")
    if rules.live_id.fullmatch(pg_merchant_id) is None:
        raise ChannelMisconfigured(f"{pg_merchant_id} is no CID: 10 letters and digits are expected")
    if not secret:
        raise ChannelMisconfigured("live mode needs a secret key; the simulator cannot stand in for it")
    if secret.startswith(rules.test_key_prefix):
        raise ChannelMisconfigured("live mode does not take a dev secret key")


def check_files(*, file_key: bool, bucket: str | None) -> None:
    """Raise ChannelMisconfigured unless bucket and file key can open the PG's files together."""
    if bucket is not None and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", bucket, re.ASCII) is None and bucket:
        raise ChannelMisconfigured(f"{bucket!r} is no bucket id: letters and digits are expected, such as B000000001")
    if file_key and not bucket:
        raise ChannelMisconfigured("a file key needs the bucket id that belongs to it")


def check_limits(limits: CardLimits, *, known: Collection[str], kind: ChannelKind) -> None:
    """Raise ChannelMisconfigured unless a PG that can be limited to the cards in `known` can keep these limits."""
    strange = [code for code in limits.cards or () if code not in known]
    if strange:
        raise ChannelMisconfigured(f"this PG cannot be limited to card {strange[0]}; it knows {', '.join(known)}")
    if limits.cards is not None and not limits.cards:
        raise ChannelMisconfigured("no card is left to pay with")
    if limits.months is not None and not 0 <= limits.months <= MONTHS_MAX:
        raise ChannelMisconfigured(f"instalments are 0 to {MONTHS_MAX} months, not {limits.months}")
    if limits.method is Method.MONEY and (limits.cards is not None or limits.months is not None):
        raise ChannelMisconfigured("with KakaoPay Money alone there are no cards and no instalments to limit")
    if limits.months and kind is ChannelKind.RECURRING:
        raise ChannelMisconfigured("recurring payments are not paid in instalments; 0 or no limit is expected")


def choose(
    channels: Sequence[Channel],
    rules: Mapping[str, PgAccountRules],
    *,
    channel_key: str | None,
    pg: str | None,
    recurring: bool,
) -> Channel:
    """Return the channel that a page's `channelKey` or `pg` means.

    Raises NoChannel without any channel, ChannelNotFound when none fits, ChannelMisconfigured when a billing key is
    asked of a channel that cannot issue one. Source: docs/wire/portone-browser-sdk.md 1.5.
    """
    if not channels:
        raise NoChannel("the merchant has no channel")
    default = next((c for c in channels if c.default), channels[0])
    if channel_key:
        found = next((c for c in channels if c.id == channel_key), None)
        if found is None:
            raise ChannelNotFound("no channel has this channelKey")
        return _fit(found, recurring=recurring)
    if not pg:
        return _fit(_prefer(default, channels, recurring=recurring), recurring=recurring)
    named, _, pg_merchant_id = pg.partition(".")
    # Pages write the PG's name in capitals too, and the number as it came in a mail; neither differs in case alone.
    named, wanted = named.strip(), pg_merchant_id.strip().upper()
    provider = next((p for p, r in rules.items() if named.lower() in {p, *r.aliases}), named)
    same_pg = [c for c in channels if c.pg_provider == provider]
    if wanted:
        exact = next((c for c in same_pg if c.pg_merchant_id.upper() == wanted), None)
        if exact is not None:
            return _fit(exact, recurring=recurring)
    if same_pg:
        start = default if default.pg_provider == provider else same_pg[0]
        return _fit(_prefer(start, same_pg, recurring=recurring), recurring=recurring)
    if default.unknown_pg is UnknownPg.DEFAULT:
        return _fit(_prefer(default, channels, recurring=recurring), recurring=recurring)
    raise ChannelNotFound(f"the merchant has no channel of {named!r}")


def _prefer(start: Channel, among: Sequence[Channel], *, recurring: bool) -> Channel:
    """Return `start`, or a channel of the same PG and mode whose contract fits better."""
    wanted = ChannelKind.RECURRING if recurring else ChannelKind.ONE_TIME
    if start.kind is wanted:
        return start
    alike = (c for c in among if c.pg_provider == start.pg_provider and c.kind is wanted)
    same_mode_first = sorted(alike, key=lambda c: c.test_mode is not start.test_mode)
    # A test window must never turn into a live one because of a missing channel.
    return next((c for c in same_mode_first if c.test_mode is start.test_mode), start)


def _fit(channel: Channel, *, recurring: bool) -> Channel:
    if recurring and channel.kind is not ChannelKind.RECURRING:
        raise ChannelMisconfigured(
            f"{channel.pg_merchant_id} takes one-time payments only; customer_uid needs a recurring channel"
        )
    return channel


def secret_context(channel: Channel) -> tuple[str, ...]:
    """Return under what a channel's secret is sealed: the place, and the contract that it is bound to."""
    mode = "test" if channel.test_mode else "live"
    place = f"channels.sealed_secret:{channel.id}"
    return (place, channel.merchant_id, channel.pg_provider, channel.pg_merchant_id, mode)


def file_key_context(channel: Channel) -> tuple[str, ...]:
    """Return under what a channel's file key is sealed."""
    return (f"channels.sealed_file_key:{channel.id}", channel.merchant_id, channel.pg_provider)
