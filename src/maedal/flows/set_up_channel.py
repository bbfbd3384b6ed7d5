"""Add and change a merchant's channels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from maedal.flows.allowed_pages import read_app_schemes, read_origins
from maedal.flows.call_pg import opened_secret
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.channel import (
    WAITS_HOURS,
    CardLimits,
    Channel,
    ChannelKind,
    ReplacedKeys,
    UnknownPg,
    WindowForm,
    check_charges_per_month,
    check_files,
    check_limits,
    check_settings,
    check_waits_hours,
    draw_channel_id,
    facts_of,
    file_key_context,
    secret_context,
)
from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound, MerchantNotFound
from maedal.storage.channels.reads import HasChannels
from maedal.storage.channels.writes import PutChannel, ResumeChannel
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.write import Writes


class SetUpChannelStore(HasChannels, HasMerchants, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What somebody wants a channel to be; None leaves a part as it is. `secret` and `file_key` are in the clear."""

    name: str | None = None
    pg_provider: str | None = None
    cid: str | None = None
    test_mode: bool | None = None
    kind: ChannelKind | None = None
    secret: str | None = field(default=None, repr=False)
    default: bool | None = None
    allowed_origins: tuple[str, ...] | None = None
    unknown_pg: UnknownPg | None = None
    replaced_keys: ReplacedKeys | None = None
    file_key: str | None = field(default=None, repr=False)
    file_bucket: str | None = None
    charges_per_month: int | None = None
    """0 takes it away."""
    limits: CardLimits | None = None
    window_form: WindowForm | None = None
    waits_hours: int | None = None
    app_schemes: tuple[str, ...] | None = None
    prepared_only: bool | None = None


async def add_channel(
    services: ServicesWith[SetUpChannelStore], merchant_code: str, settings: ChannelSettings, *, who: str = MAEDAL
) -> Channel:
    """Add a channel. Raises MerchantNotFound or ChannelMisconfigured; then nothing is kept."""
    if await services.store.merchants.find(merchant_code) is None:
        raise MerchantNotFound(f"no merchant has the identification code {merchant_code}")
    provider = settings.pg_provider or "kakaopay"
    if provider not in services.drivers:
        raise ChannelMisconfigured(f"there is no driver for {provider}; known are {', '.join(services.drivers)}")
    if not settings.cid:
        raise ChannelMisconfigured("a channel needs the merchant's number at the PG (CID)")
    rules = services.drivers[provider].abilities.accounts
    existing = await services.store.channels.of_merchant(merchant_code)
    test_mode = True if settings.test_mode is None else settings.test_mode
    kind = settings.kind or rules.test_ids.get(settings.cid, ChannelKind.RECURRING)
    check_settings(rules, pg_merchant_id=settings.cid, test_mode=test_mode, secret=settings.secret, kind=kind)
    check_files(file_key=bool(settings.file_key), bucket=settings.file_bucket)
    check_charges_per_month(settings.charges_per_month or 0)
    waits_hours = WAITS_HOURS if settings.waits_hours is None else settings.waits_hours
    check_waits_hours(waits_hours)
    limits = settings.limits or CardLimits()
    check_limits(limits, known=services.drivers[provider].abilities.cards, kind=kind)
    channel_id = draw_channel_id()
    channel = Channel(
        id=channel_id,
        merchant_id=merchant_code,
        name=settings.name or f"{provider} {settings.cid}",
        pg_provider=provider,
        pg_merchant_id=settings.cid,
        kind=kind,
        test_mode=test_mode,
        created_at=services.clock.now(),
        default=not existing if settings.default is None else settings.default,
        allowed_origins=read_origins(settings.allowed_origins or ()),
        unknown_pg=settings.unknown_pg or UnknownPg.REJECT,
        replaced_keys=settings.replaced_keys or ReplacedKeys.DEACTIVATE,
        file_bucket=settings.file_bucket or None,
        charges_per_month=settings.charges_per_month or None,
        limits=limits,
        window_form=settings.window_form or WindowForm.LAYER,
        waits_hours=waits_hours,
        app_schemes=read_app_schemes(settings.app_schemes or ()),
        prepared_only=bool(settings.prepared_only),
    )
    channel = _sealed(services, channel, settings.secret, settings.file_key)
    facts = what_differs({}, facts_of(channel))
    audit_entry = audit_entry_of(services, merchant_code, AuditAction.ADD_CHANNEL, channel.id, who, facts)
    await services.store.write(PutChannel(channel, audit_entry))
    return channel


async def change_channel(
    services: ServicesWith[SetUpChannelStore],
    merchant_code: str,
    channel_id: str,
    settings: ChannelSettings,
    *,
    who: str = MAEDAL,
) -> Channel:
    """Change a channel. Raises ChannelNotFound or ChannelMisconfigured; then it stays as it was.

    Turning test mode on or off drops the old secret key and file key unless new ones are given: test and live keys
    never mix. A bucket of "" takes bucket and file key away.
    """
    channel = next((c for c in await services.store.channels.of_merchant(merchant_code) if c.id == channel_id), None)
    if channel is None:
        raise ChannelNotFound(f"{merchant_code} has no channel {channel_id}")
    rules = services.drivers[channel.pg_provider].abilities.accounts
    test_mode = channel.test_mode if settings.test_mode is None else settings.test_mode
    cid = settings.cid or channel.pg_merchant_id
    sealed = channel.sealed_secret if test_mode is channel.test_mode else None
    secret = settings.secret
    if secret is None and sealed is not None:
        secret = opened_secret(services, channel, sealed)
    kind = settings.kind or rules.test_ids.get(cid, channel.kind)
    check_settings(rules, pg_merchant_id=cid, test_mode=test_mode, secret=secret or None, kind=kind)
    bucket = channel.file_bucket if settings.file_bucket is None else settings.file_bucket or None
    sealed_file_key = channel.sealed_file_key if test_mode is channel.test_mode and bucket else None
    if settings.file_key:
        sealed_file_key = services.vault.seal(settings.file_key, *file_key_context(channel))
    check_files(file_key=sealed_file_key is not None, bucket=bucket)
    per_month = channel.charges_per_month if settings.charges_per_month is None else settings.charges_per_month
    check_charges_per_month(per_month or 0)
    waits_hours = channel.waits_hours if settings.waits_hours is None else settings.waits_hours
    check_waits_hours(waits_hours)
    limits = channel.limits if settings.limits is None else settings.limits
    check_limits(limits, known=services.drivers[channel.pg_provider].abilities.cards, kind=kind)
    changed = replace(
        channel,
        name=settings.name or channel.name,
        pg_merchant_id=cid,
        kind=kind,
        test_mode=test_mode,
        sealed_secret=None,
        default=channel.default if settings.default is None else settings.default,
        allowed_origins=channel.allowed_origins
        if settings.allowed_origins is None
        else read_origins(settings.allowed_origins),
        unknown_pg=settings.unknown_pg or channel.unknown_pg,
        replaced_keys=settings.replaced_keys or channel.replaced_keys,
        sealed_file_key=sealed_file_key,
        file_bucket=bucket,
        charges_per_month=per_month or None,
        limits=limits,
        window_form=settings.window_form or channel.window_form,
        waits_hours=waits_hours,
        app_schemes=channel.app_schemes if settings.app_schemes is None else read_app_schemes(settings.app_schemes),
        prepared_only=channel.prepared_only if settings.prepared_only is None else settings.prepared_only,
    )
    changed = _sealed(services, changed, secret)
    # Of a secret that was typed anew the log keeps that, and nothing of either.
    renewed = {
        name: "new" for name, value in (("secret_key", settings.secret), ("file_key", settings.file_key)) if value
    }
    facts = what_differs(facts_of(channel), facts_of(changed) | renewed)
    audit_entry = (
        audit_entry_of(services, merchant_code, AuditAction.CHANGE_CHANNEL, channel.id, who, facts)
        if any(facts)
        else None
    )
    await services.store.write(PutChannel(changed, audit_entry))
    # What did not work may work now: scheduled charges that wait for it find out at once.
    await services.store.write(ResumeChannel(merchant_code, channel_id, services.clock.now()))
    services.merchant_cache.forget_pauses()
    return changed


def _sealed(
    services: ServicesWithoutStore, channel: Channel, secret: str | None, file_key: str | None = None
) -> Channel:
    """Return the channel with what is given sealed for it, as it stands there."""
    if secret:
        channel = replace(channel, sealed_secret=services.vault.seal(secret, *secret_context(channel)))
    if file_key:
        channel = replace(channel, sealed_file_key=services.vault.seal(file_key, *file_key_context(channel)))
    return channel


@dataclass(frozen=True, slots=True)
class ChannelPairSettings:
    """The two channels that a merchant of one PG needs; test mode knows the numbers. `secret` is in the clear."""

    test_mode: bool = True
    one_time_cid: str | None = None
    recurring_cid: str | None = None
    secret: str | None = field(default=None, repr=False)
    pg_provider: str = "kakaopay"


PAIR_NAMES = {
    (ChannelKind.ONE_TIME, True): "일반결제 (테스트)",
    (ChannelKind.RECURRING, True): "정기결제 (테스트)",
    (ChannelKind.ONE_TIME, False): "일반결제",
    (ChannelKind.RECURRING, False): "정기결제",
}


async def add_pair(
    services: ServicesWith[SetUpChannelStore], code: str, settings: ChannelPairSettings, *, who: str = MAEDAL
) -> list[Channel]:
    """Add the channels for one-time and for recurring payments, and return both.

    A channel of the same number and mode is left as it is, so that repeating this, also after half of it, adds nothing
    twice. Raises MerchantNotFound or ChannelMisconfigured; both are looked at before either is kept.
    """
    if settings.pg_provider not in services.drivers:
        raise ChannelMisconfigured(
            f"there is no driver for {settings.pg_provider}; known are {', '.join(services.drivers)}"
        )
    rules = services.drivers[settings.pg_provider].abilities.accounts
    cids = {ChannelKind.ONE_TIME: settings.one_time_cid, ChannelKind.RECURRING: settings.recurring_cid}
    if settings.test_mode:
        known = {kind: cid for cid, kind in rules.test_ids.items()}
        cids = {kind: cid or known.get(kind) for kind, cid in cids.items()}
    if not all(cids.values()):
        raise ChannelMisconfigured("a channel needs the merchant's number at the PG (CID)")
    if cids[ChannelKind.ONE_TIME] == cids[ChannelKind.RECURRING]:
        raise ChannelMisconfigured("one-time and recurring payments have different CIDs")
    existing = await services.store.channels.of_merchant(code)
    found = {
        kind: next((c for c in existing if (c.pg_merchant_id, c.test_mode) == (cid, settings.test_mode)), None)
        for kind, cid in cids.items()
    }
    for kind, cid in cids.items():
        if found[kind] is None:
            check_settings(
                rules, pg_merchant_id=cid or "", test_mode=settings.test_mode, secret=settings.secret, kind=kind
            )
    return [
        found[kind]
        or await add_channel(
            services,
            code,
            ChannelSettings(
                name=PAIR_NAMES[kind, settings.test_mode],
                pg_provider=settings.pg_provider,
                cid=cid,
                test_mode=settings.test_mode,
                kind=kind,
                secret=settings.secret,
            ),
            who=who,
        )
        for kind, cid in cids.items()
    ]
