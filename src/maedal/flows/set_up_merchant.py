"""Set up merchants and channels: what the settings pages and commands call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from maedal.flows.allowed_pages import read_app_schemes, read_origins
from maedal.flows.call_pg import opened_secret
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import MAEDAL, NO_REASON, AuditAction, AuditEntry, what_differs
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
from maedal.merchants.merchant import (
    API_SECRET_PURPOSE,
    KEY_NAME_CHARS_MAX,
    OVERLAP_MAX,
    ApiKey,
    FieldSet,
    Merchant,
    PageNotices,
    WebhookRetry,
    WebhookType,
    api_secret_context,
    draw_api_key,
    draw_api_secret,
    draw_code,
)
from maedal.payments.errors import InvalidParameter
from maedal.storage.channels.reads import HasChannels
from maedal.storage.channels.writes import PutChannel, ResumeChannel
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import (
    AddMerchant,
    EndOldSecret,
    NameApiKey,
    RenewApiSecret,
    SetFieldSet,
    SetWebhook,
)
from maedal.storage.write import Writes

DRAWS_MAX = 5


class SetUpMerchantStore(HasChannels, HasMerchants, Writes, Protocol): ...


def audit_entry_of(
    services: ServicesWithoutStore,
    merchant_id: str,
    kind: AuditAction,
    subject: str,
    who: str,
    facts: tuple[str, str] = ("", ""),
) -> AuditEntry:
    """Return what the audit log is to keep of a change of settings: before and after, and who made it."""
    now = services.clock.now()
    return AuditEntry(services.ids.row(now), merchant_id, kind, subject, who, NO_REASON, *facts, now)


@dataclass(frozen=True, slots=True)
class CreatedMerchant:
    """A new merchant and its API secret in the clear, which is kept nowhere."""

    merchant: Merchant
    api_key: str
    api_secret: str


async def create_merchant(
    services: ServicesWith[SetUpMerchantStore],
    name: str,
    *,
    code: str | None = None,
    api_key: str | None = None,
    api_secret: str | None = None,
    webhook_url_test: str | None = None,
    who: str = MAEDAL,
) -> CreatedMerchant:
    """Create a merchant; code, key and secret are drawn unless given. Raises Conflict when a given one is taken."""
    secret = api_secret or draw_api_secret()
    for tries in range(DRAWS_MAX):
        now = services.clock.now()
        merchant = Merchant(code or draw_code(), name, now, webhook_url_test=webhook_url_test)
        key = ApiKey(
            merchant.code,
            api_key or draw_api_key(),
            b"",
            services.clock.now(),
        )
        kept = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(key.merchant_id, key.api_key))
        key = replace(key, secret_digest=kept)
        audit_entry = audit_entry_of(
            services, merchant.code, AuditAction.CREATE_MERCHANT, merchant.code, who, ("", f"name={name}")
        )
        try:
            await services.store.write(AddMerchant(merchant, key, audit_entry))
        except Conflict:
            if code is not None or tries == DRAWS_MAX - 1:
                raise
        else:
            return CreatedMerchant(merchant, key.api_key, secret)
    raise AssertionError("the loop returns or raises")


async def renew_api_secret(
    services: ServicesWith[SetUpMerchantStore],
    code: str,
    api_key: str,
    *,
    overlap: timedelta = timedelta(0),
    who: str = MAEDAL,
) -> str:
    """Draw a new secret for an API key and return it in the clear; the old one and its token are good for `overlap`.

    A secret that was old already is void at once. A node remembers for a second whose a token is, so on another node
    one that is void may live that long. Raises MerchantNotFound, InvalidParameter when the merchant has no such key or
    the overlap is too long, or Conflict when somebody else was first.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise InvalidParameter("overlap", f"an old secret stays good for {OVERLAP_MAX.days} days at most")
    known = await _api_key(services, code, api_key)
    secret = draw_api_secret()
    digest = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(known.merchant_id, known.api_key))
    now = services.clock.now()
    until = now + overlap if overlap else None
    fact = f"old_secret={f'good until {until:%Y-%m-%d %H:%M:%S} UTC' if until else 'void'}"
    audit_entry = audit_entry_of(services, code, AuditAction.NEW_API_SECRET, api_key, who, ("", fact))
    await services.store.write(RenewApiSecret(code, api_key, known.secret_digest, digest, now, audit_entry, until))
    services.merchant_cache.forget_merchant(code)
    return secret


async def end_old_api_secret(
    services: ServicesWith[SetUpMerchantStore], code: str, api_key: str, *, who: str = MAEDAL
) -> None:
    """End the secret before the present one, and its token, now.

    Raises MerchantNotFound, or InvalidParameter when there is no such key or no old secret of it is good any more.
    """
    known = await _api_key(services, code, api_key)
    old = known.living_old_secret(services.clock.now())
    audit_entry = audit_entry_of(services, code, AuditAction.END_OLD_API_SECRET, api_key, who)
    if old is None or not await services.store.write(EndOldSecret(code, api_key, old.digest, audit_entry)):
        raise InvalidParameter("api_key", "no old secret of this key is good any more")
    services.merchant_cache.forget_merchant(code)


async def name_api_key(
    services: ServicesWith[SetUpMerchantStore], code: str, api_key: str, name: str, *, who: str = MAEDAL
) -> None:
    """Call an API key by a name, for people's eyes. Raises MerchantNotFound or InvalidParameter."""
    name = " ".join(name.split())
    if len(name) > KEY_NAME_CHARS_MAX or not name.isprintable():
        raise InvalidParameter("name", f"a name has at most {KEY_NAME_CHARS_MAX} printable characters")
    known = await _api_key(services, code, api_key)
    facts = what_differs({"name": known.name}, {"name": name})
    audit_entry = audit_entry_of(services, code, AuditAction.NAME_API_KEY, api_key, who, facts) if any(facts) else None
    await services.store.write(NameApiKey(code, api_key, name, audit_entry))


async def _api_key(services: ServicesWith[SetUpMerchantStore], code: str, api_key: str) -> ApiKey:
    if await services.store.merchants.find(code) is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    known = next((key for key in await services.store.merchants.api_keys(code) if key.api_key == api_key), None)
    if known is None:
        raise InvalidParameter("api_key", f"{code} has no API key {api_key}")
    return known


async def set_webhook(
    services: ServicesWith[SetUpMerchantStore],
    code: str,
    *,
    live: str | None,
    test: str | None,
    body: str | None,
    type_live: str | None = None,
    type_test: str | None = None,
    retry: str | None = None,
    failures: bool | None = None,
    first: bool | None = None,
    confirm: bool | None = None,
    page_notices: str | None = None,
    who: str = MAEDAL,
) -> Merchant:
    """Change where and how a merchant is told; None leaves a part as it is, "" removes an address.

    `body` is how webhooks of both modes are written, but for a mode that has a type of its own here. Raises
    MerchantNotFound or InvalidParameter; then nothing is changed.
    """
    type_live, type_test = (body if kind is None else kind for kind in (type_live, type_test))
    for name, kind in (("type", body), ("type_live", type_live), ("type_test", type_test)):
        if kind is not None and kind not in set(WebhookType):
            raise InvalidParameter(name, f"the type must be one of {', '.join(WebhookType)}")
    if retry is not None and retry not in set(WebhookRetry):
        raise InvalidParameter("retry", f"retry must be one of {', '.join(WebhookRetry)}")
    if page_notices is not None and page_notices not in set(PageNotices):
        raise InvalidParameter("page_notices", f"page_notices must be one of {', '.join(PageNotices)}")
    # An address that was copied often ends with a blank.
    live, test = (url if url is None else url.strip() for url in (live, test))
    for name, url in (("live", live), ("test", test)):
        if url and not url.startswith(("http://", "https://")):
            raise InvalidParameter(name, f"the {name} address must start with http:// or https://")
    before = await services.store.merchants.find(code)
    if before is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    asked = {
        "live": live, "test": test, "type_live": type_live, "type_test": type_test, "retry": retry,
        "failures": failures, "first": first, "confirm": confirm, "page_notices": page_notices,
    }  # fmt: skip
    kept = {name: fact for name, fact in _webhook_facts(before).items() if asked[name] is not None}
    facts = what_differs(kept, {name: _fact(value) for name, value in asked.items() if value is not None})
    settings = SetWebhook(
        code,
        url_live=live,
        url_test=test,
        type_live=None if type_live is None else WebhookType(type_live),
        type_test=None if type_test is None else WebhookType(type_test),
        retry=None if retry is None else WebhookRetry(retry),
        failures=failures,
        first=first,
        confirm=confirm,
        page_notices=None if page_notices is None else PageNotices(page_notices),
        audit_entry=audit_entry_of(services, code, AuditAction.CHANGE_WEBHOOK, code, who, facts)
        if any(facts)
        else None,
    )
    changed = await services.store.write(settings)
    if changed is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return changed


def _webhook_facts(merchant: Merchant) -> dict[str, str]:
    return {
        "live": _fact(merchant.webhook_url_live),
        "test": _fact(merchant.webhook_url_test),
        "type_live": _fact(merchant.webhook_type_live),
        "type_test": _fact(merchant.webhook_type_test),
        "retry": _fact(merchant.webhook_retry),
        "failures": _fact(merchant.webhook_failures),
        "first": _fact(merchant.webhook_first),
        "confirm": _fact(not merchant.confirm_url_ignored),
        "page_notices": _fact(merchant.page_notices),
    }


def _fact(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return "none"
    # What follows the path of an address may be a token, and the log is for more eyes than the receiver's.
    return value.partition("?")[0] + ("?…" if "?" in value else "")


async def set_field_set(
    services: ServicesWith[SetUpMerchantStore], code: str, field_set: FieldSet, *, who: str = MAEDAL
) -> None:
    """Change which keys the objects of a merchant's answers have. Raises MerchantNotFound."""
    merchant = await services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    facts = what_differs({"fields": merchant.field_set}, {"fields": field_set})
    audit_entry = audit_entry_of(services, code, AuditAction.CHANGE_FIELDS, code, who, facts) if any(facts) else None
    await services.store.write(SetFieldSet(code, field_set, audit_entry))


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
    services: ServicesWith[SetUpMerchantStore], merchant_code: str, settings: ChannelSettings, *, who: str = MAEDAL
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
    services: ServicesWith[SetUpMerchantStore],
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
    services: ServicesWith[SetUpMerchantStore], code: str, settings: ChannelPairSettings, *, who: str = MAEDAL
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
