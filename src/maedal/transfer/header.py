"""Merchants and channels of a file: what every other entry refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from maedal.errors import GatewayError
from maedal.flows.allowed_pages import read_app_schemes
from maedal.flows.services import Services
from maedal.merchants.addresses import ADDRESSES_MAX, AllowedAddress, read_memo, read_network
from maedal.merchants.channel import (
    CHARGES_PER_MONTH_MAX,
    MONTHS_MAX,
    WAITS_HOURS,
    WAITS_HOURS_MAX,
    CardLimits,
    Channel,
    ChannelKind,
    ReplacedKeys,
    UnknownPg,
    WindowForm,
    check_files,
    check_limits,
    check_settings,
    draw_channel_id,
    file_key_context,
    secret_context,
)
from maedal.merchants.merchant import (
    API_SECRET_PURPOSE,
    KEY_NAME_CHARS_MAX,
    ApiKey,
    FieldSet,
    Merchant,
    PageNotices,
    WebhookRetry,
    WebhookType,
    api_secret_context,
    draw_api_key,
    draw_api_secret,
)
from maedal.merchants.scope import Scope, read_scopes
from maedal.payments.attempt import DeclineReason, Method
from maedal.payments.errors import InvalidParameter
from maedal.schedules.recovery import WAIT_MAX, RecoveryRules, check_waits
from maedal.storage.transfer.writes import MovedMerchant
from maedal.transfer.fields import Fields, FileRefused

CODE = re.compile(r"(?!new$)[0-9A-Za-z][0-9A-Za-z_-]{2,19}")
"""`imp` and 8 digits, or an older one that pages and apps have built in. `new` is an address of the console."""
SECONDS_MAX = int(WAIT_MAX.total_seconds())


@dataclass(frozen=True, slots=True)
class LackingSecret:
    """A live channel whose secret key the file does not tell."""

    place: str
    channel: Channel


@dataclass(slots=True)
class Header:
    """The merchants of a file, by code. `drawn` are API keys whose secret is new, in the clear, with that secret."""

    merchants: dict[str, MovedMerchant]
    drawn: list[tuple[str, str, str]]
    lacking: list[LackingSecret]
    unsigned: list[str] = field(default_factory=list)
    """Merchants whose webhooks were signed where the file was made."""

    def merchant_of(self, fields: Fields) -> MovedMerchant:
        """Return the merchant that an entry names, or the file's only one."""
        code = fields.text("merchant")
        if code is None and len(self.merchants) == 1:
            return next(iter(self.merchants.values()))
        if code not in self.merchants:
            raise fields.wrong("merchant", "name one of the file's merchants")
        return self.merchants[code]

    def add_secret(self, services: Services, lacking: LackingSecret, secret: str) -> None:
        """Give a live channel its secret key. Raises FileRefused when it is not one."""
        channel = lacking.channel
        _check(services, Fields(lacking.place, {}), channel, secret)
        sealed = replace(channel, sealed_secret=services.vault.seal(secret, *secret_context(channel)))
        found = self.merchants[channel.merchant_id]
        channels = tuple(sealed if c.id == channel.id else c for c in found.channels)
        self.merchants[channel.merchant_id] = replace(found, channels=channels)
        self.lacking.remove(lacking)


async def read_header(
    services: Services, merchants: Iterable[tuple[int, Any]], channels: Iterable[tuple[int, Any]]
) -> Header:
    """Return the merchants with their keys and channels. Raises FileRefused also when one exists here already."""
    header = Header({}, [], [])
    keys: set[str] = set()
    now = services.clock.now()
    for index, values in merchants:
        fields = Fields(f"merchants[{index}]", values)
        found = await _merchant(services, header, fields, keys, now)
        if found.merchant.code in header.merchants:
            raise fields.wrong("code", "an earlier merchant of the file has it already")
        header.merchants[found.merchant.code] = found
    for index, values in channels:
        _channel(services, header, Fields(f"channels[{index}]", values), now)
    return header


async def _merchant(services: Services, header: Header, fields: Fields, keys: set[str], now: datetime) -> MovedMerchant:
    code = fields.needed("code")
    if CODE.fullmatch(code) is None:
        raise fields.wrong(
            "code", "an identification code is 3 to 20 letters, digits, `-` and `_`, such as imp12345678"
        )
    if await services.store.merchants.find(code) is not None:
        raise fields.wrong("code", f"{code} exists here already; a merchant is imported whole, never into another")
    urls = [(fields.text(name) or "").strip() or None for name in ("webhook_url_live", "webhook_url_test")]
    for name, url in zip(("webhook_url_live", "webhook_url_test"), urls, strict=True):
        if url and not url.startswith(("http://", "https://")):
            raise fields.wrong(name, "an address must start with http:// or https://")
    created_at = fields.exact("created_at") or now
    types = {w.value: w for w in WebhookType}
    # One for both modes, as files from before had it, or one for each.
    both = fields.one_of("webhook_type", types, "json")
    retry = fields.one_of("webhook_retry", {w.value: w for w in WebhookRetry}, "none")
    merchant = Merchant(
        code,
        fields.needed("name"),
        created_at,
        urls[0],
        urls[1],
        fields.one_of("webhook_type_live", types, both.value),
        fields.one_of("webhook_type_test", types, both.value),
        retry,
        field_set=fields.one_of("field_set", {f.value: f for f in FieldSet}, "full"),
        webhook_failures=fields.flag("webhook_failures", False),
        webhook_first=fields.flag("webhook_first", False),
        confirm_url_ignored=fields.flag("confirm_url_ignored", False),
        page_notices=fields.one_of("page_notices", {n.value: n for n in PageNotices}, "add"),
        recovery=_recovery(fields.part("recovery")),
        allowed_addresses=_addresses(fields, now),
    )
    if fields.flag("webhook_signed", False):
        header.unsigned.append(code)
    api_keys = []
    for entry in fields.parts("api_keys") or [Fields(f"{fields.place}.api_keys[0]", {})]:
        api_key = entry.text("api_key") or draw_api_key()
        if api_key.casefold() in keys or await services.store.merchants.api_key(api_key) is not None:
            raise entry.wrong("api_key", "it is taken")
        keys.add(api_key.casefold())
        secret = entry.text("api_secret")
        if not secret:
            secret = draw_api_secret()
            header.drawn.append((code, api_key, secret))
        made_at = entry.exact("created_at") or now
        name = (entry.text("name") or "")[:KEY_NAME_CHARS_MAX]
        kept = services.vault.keep(API_SECRET_PURPOSE, secret, *api_secret_context(code, api_key))
        api_keys.append(ApiKey(code, api_key, kept, made_at, name=name, scopes=_scopes(entry)))
    return MovedMerchant(merchant, tuple(api_keys), ())


def _scopes(entry: Fields) -> frozenset[Scope] | None:
    if not entry.has("scopes"):
        return None
    try:
        return read_scopes(entry.texts("scopes"))
    except InvalidParameter as error:
        raise entry.wrong("scopes", error.message) from error


def _addresses(fields: Fields, now: datetime) -> tuple[AllowedAddress, ...]:
    found: dict[str, AllowedAddress] = {}
    for entry in fields.parts("allowed_addresses"):
        try:
            network = read_network(entry.needed("network"))
            memo = read_memo(entry.text("memo") or "")
        except InvalidParameter as error:
            raise entry.wrong(error.field, error.message) from error
        by = entry.text("added_by") or "import"
        found[network] = AllowedAddress(network, memo, entry.exact("added_at") or now, by)
    if len(found) > ADDRESSES_MAX:
        raise fields.wrong("allowed_addresses", f"at most {ADDRESSES_MAX} are expected")
    return tuple(found.values())


def _limits(services: Services, fields: Fields, provider: str, kind: ChannelKind) -> CardLimits:
    limits = CardLimits(
        fields.one_of("method", {m.value: m for m in Method}) if fields.has("method") else None,
        fields.texts("cards") if fields.has("cards") else None,
        fields.whole("months", most=MONTHS_MAX) if fields.has("months") else None,
    )
    try:
        check_limits(limits, known=services.drivers[provider].abilities.cards, kind=kind)
    except GatewayError as error:
        raise fields.wrong("cards", error.message) from error
    return limits


def _app_schemes(fields: Fields) -> tuple[str, ...]:
    try:
        return read_app_schemes(fields.texts("app_schemes"))
    except GatewayError as error:
        raise fields.wrong("app_schemes", error.message) from error


def _recovery(fields: Fields) -> RecoveryRules:
    rules = {}
    for reason in DeclineReason:
        waits = fields.waits(reason, most=SECONDS_MAX)
        try:
            check_waits(waits)
        except InvalidParameter as error:
            raise fields.wrong(reason, str(error)) from error
        if waits:
            rules[reason] = waits
    return rules


def _channel(services: Services, header: Header, fields: Fields, now: datetime) -> None:
    owner = header.merchant_of(fields)
    code = owner.merchant.code
    provider = fields.text("pg_provider") or "kakaopay"
    if provider not in services.drivers:
        raise fields.wrong("pg_provider", f"one of {', '.join(services.drivers)} is expected")
    channel_id = fields.text("channel_key") or draw_channel_id()
    file_key = fields.text("file_key")
    kind = fields.one_of("kind", {k.value: k for k in ChannelKind})
    channel = Channel(
        id=channel_id,
        merchant_id=code,
        name=fields.text("channel_name") or provider,
        pg_provider=provider,
        pg_merchant_id=fields.needed("pg_id"),
        kind=kind,
        test_mode=fields.flag("sandbox", False),
        created_at=fields.exact("created_at") or now,
        default=fields.flag("default", False),
        allowed_origins=fields.texts("allowed_origins"),
        app_schemes=_app_schemes(fields),
        prepared_only=fields.flag("prepared_only", False),
        unknown_pg=fields.one_of("unknown_pg", {u.value: u for u in UnknownPg}, "reject"),
        replaced_keys=fields.one_of("replaced_keys", {r.value: r for r in ReplacedKeys}, "deactivate"),
        file_bucket=fields.text("bucket_id") or None,
        charges_per_month=fields.whole("charges_per_month", 0, most=CHARGES_PER_MONTH_MAX) or None,
        limits=_limits(services, fields, provider, kind),
        window_form=fields.one_of("window", {w.value: w for w in WindowForm}, "layer"),
        waits_hours=fields.whole("waits_hours", WAITS_HOURS, most=WAITS_HOURS_MAX),
    )
    if file_key:
        channel = replace(channel, sealed_file_key=services.vault.seal(file_key, *file_key_context(channel)))
    try:
        check_files(file_key=bool(file_key), bucket=channel.file_bucket)
    except GatewayError as error:
        raise fields.wrong("bucket_id", error.message) from error
    if any(c.id == channel.id for c in owner.channels):
        raise fields.wrong("channel_key", "an earlier channel of the file has it already")
    if channel.default and any(c.default for c in owner.channels):
        raise fields.wrong("default", "another channel of the merchant is the default")
    secret = fields.text("secret_key")
    header.merchants[code] = replace(owner, channels=(*owner.channels, channel))
    if secret:
        lacking = LackingSecret(fields.place, channel)
        header.lacking.append(lacking)
        header.add_secret(services, lacking, secret)
    elif channel.test_mode:
        _check(services, fields, channel, None)
    else:
        header.lacking.append(LackingSecret(fields.place, channel))


def _check(services: Services, fields: Fields, channel: Channel, secret: str | None) -> None:
    rules = services.drivers[channel.pg_provider].abilities.accounts
    try:
        check_settings(
            rules,
            pg_merchant_id=channel.pg_merchant_id,
            test_mode=channel.test_mode,
            secret=secret,
            kind=channel.kind,
        )
    except GatewayError as error:
        raise FileRefused(f"{fields.place}: {error.message}") from error
