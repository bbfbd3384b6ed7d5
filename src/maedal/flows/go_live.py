"""The way to live mode: look at every line of the checklist, and keep what was found by calling somebody."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from maedal.errors import GatewayError
from maedal.flows.check_channel import check_channel
from maedal.flows.failover import young_server
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.resend_webhooks import call_for_test
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import MAEDAL, AuditAction
from maedal.merchants.channel import Channel, ChannelKind
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.go_live import CALLING, INSTALLATION, Check, KeptCheck, Point, Readiness
from maedal.merchants.merchant import (
    API_SECRET_PURPOSE,
    DEMO_API_KEY,
    DEMO_API_SECRET,
    ApiKey,
    Merchant,
    api_secret_context,
)
from maedal.payments.errors import InvalidParameter
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import KeepChecks
from maedal.storage.payments.reads import HasPayments
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.webhooks.reads import HasWebhooks
from maedal.storage.write import Writes

OLD_AFTER = timedelta(days=30)
"""What was found longer ago is worth another look."""
SKEW_MAX = timedelta(seconds=2)
"""A PG's `Date` has whole seconds, so up to one of them says nothing."""
TORTURE_BYTES_MAX = 100_000
TORTURE_MINUTES_MIN = 5
"""A shorter one proves little."""


class GoLiveStore(
    HasBillingKeys,
    HasChannels,
    HasDatabaseServers,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasWebhooks,
    Writes,
    Protocol,
): ...


@dataclass(frozen=True, slots=True)
class Installation:
    """What is the same for every merchant of this installation, as the process that asks sees it."""

    public_url: str
    sqlite: bool
    fingerprint_of: Callable[[], str]
    """Gives that of the key ring that seals secrets here, which may be read anew."""
    torture_result: Path | None
    """The file that a torture left."""
    code: Callable[[], str]
    """Gives what tells this very program from any other state of it."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key ring that seals secrets here."""
        return self.fingerprint_of()


async def look(services: ServicesWith[GoLiveStore], installation: Installation, merchant: Merchant) -> list[Check]:
    """Return every line as it stands, without calling anybody: what needs a call is from when it was made last."""
    kept = {
        (one.merchant_id, one.point): one
        for one in await services.store.merchants.live_checks([merchant.code, INSTALLATION])
    }
    found = {point: _kept(services, kept.get((merchant.code, point)), point) for point in CALLING}
    channels = await services.store.channels.of_merchant(merchant.code)
    if not _live(channels):
        found[Point.CHANNEL] = _todo("there is no live channel for recurring payments")
    if merchant.webhook_url_live is None:
        found[Point.WEBHOOK] = _todo("no address is set for the results of live payments")
    found |= {
        Point.PAGES: _pages(channels),
        Point.ADDRESSES: _addresses(merchant),
        Point.SECRET: await _secret(services, merchant),
        Point.HTTPS: _https(installation),
        Point.KEY_BACKUP: _backup(installation, kept.get((INSTALLATION, Point.KEY_BACKUP))),
        Point.DATABASE: await _database(services, installation),
        Point.TORTURE: _torture(services, installation),
    }
    now = services.clock.now()
    return [
        Check(
            point,
            standing,
            evidence,
            _advice(point, standing),
            checked_at if checked_at is not None or standing is Readiness.NOT_CHECKED else now,
        )
        for point in Point
        for standing, evidence, checked_at in [found[point]]
    ]


async def call_and_look(
    services: ServicesWith[GoLiveStore], installation: Installation, merchant: Merchant
) -> list[Check]:
    """Call the PG and the receiver of live results, keep what came of it, and return every line."""
    channels = await services.store.channels.of_merchant(merchant.code)
    found = await _channel_and_clock(services, channels)
    found[Point.WEBHOOK] = await _webhook(services, merchant)
    now = services.clock.now()
    checks = tuple(KeptCheck(merchant.code, point, *seen, now) for point, seen in found.items())
    await services.store.write(KeepChecks(checks))
    return await look(services, installation, merchant)


async def confirm_backup(
    services: ServicesWith[GoLiveStore], installation: Installation, code: str, fingerprint: str, *, who: str = MAEDAL
) -> None:
    """Keep that somebody has a copy of the key file, proved by its fingerprint.

    Raises InvalidParameter when that is not the fingerprint of the key file in use: then the copy would open nothing.
    """
    typed = "".join(fingerprint.split()).replace("-", "").lower()
    if typed != installation.fingerprint.replace("-", ""):
        raise InvalidParameter(
            "fingerprint", "this is not the fingerprint of the key file in use; the copy opens nothing"
        )
    if await services.store.merchants.find(code) is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    now = services.clock.now()
    audit_entry = audit_entry_of(services, code, AuditAction.CONFIRM_BACKUP, installation.fingerprint[:9], who)
    await services.store.write(
        KeepChecks(
            (KeptCheck(INSTALLATION, Point.KEY_BACKUP, Readiness.DONE, installation.fingerprint, now),), audit_entry
        )
    )


ADVICE: Mapping[Point, str] = {
    Point.CHANNEL: "add a recurring channel with test mode off, with your contract's CID and live key, and check again",
    Point.WEBHOOK: "set the address for live payments, let it answer 200, and check again",
    Point.PAGES: "list the addresses of your shop's pages in each live channel",
    Point.ADDRESSES: "add the addresses that your servers call from",
    Point.SECRET: "draw a new API secret and give it to your servers",
    Point.HTTPS: "put TLS in front and set MAEDAL_PUBLIC_URL to the https address",
    Point.KEY_BACKUP: "copy the key file to another place, and confirm it with the copy's fingerprint",
    Point.DATABASE: "use PostgreSQL when more than one process or machine is to serve",
    Point.CLOCK: "switch on time synchronisation (NTP) on this machine, and check again",
    Point.TORTURE: "run make torture with this version, and name its result file in MAEDAL_TORTURE_RESULT",
}
"""What to do about a line that is not done."""
CARE: Mapping[Point, str] = {
    Point.CHANNEL: "it was a while ago; check again",
    Point.WEBHOOK: "it was a while ago; check again",
    Point.PAGES: ADVICE[Point.PAGES],
    Point.SECRET: "end the old secret once your servers have the new one",
    Point.DATABASE: ADVICE[Point.DATABASE],
    Point.CLOCK: "check again once there is a live channel, and every few weeks",
    Point.TORTURE: "torture it anew, for five minutes at least",
}
"""What to know about a line that is done with a reservation."""

_Seen = tuple[Readiness, str]
_Found = tuple[Readiness, str, datetime | None]


def _advice(point: Point, standing: Readiness) -> str:
    if standing is Readiness.DONE:
        return ""
    return CARE.get(point, "") if standing is Readiness.CAREFUL else ADVICE[point]


def _todo(evidence: str) -> _Found:
    return Readiness.TODO, evidence, None


def _done(evidence: str) -> _Found:
    return Readiness.DONE, evidence, None


def _kept(services: ServicesWithoutStore, kept: KeptCheck | None, point: Point) -> _Found:
    if kept is None:
        return Readiness.NOT_CHECKED, "not checked yet", None
    old = services.clock.now() - kept.checked_at > OLD_AFTER
    standing = Readiness.CAREFUL if old and kept.standing is Readiness.DONE else kept.standing
    assert kept.point is point, "each line is kept under its own name"
    return standing, kept.evidence, kept.checked_at


def _live(channels: Sequence[Channel]) -> list[Channel]:
    return [c for c in channels if not c.test_mode and c.kind is ChannelKind.RECURRING]


async def _channel_and_clock(services: ServicesWithoutStore, channels: Sequence[Channel]) -> dict[Point, _Seen]:
    live = _live(channels)
    # Without a contract yet, the clock can still be held against whoever stands in for the PG.
    asked = live[0] if live else next(iter(channels), None)
    if asked is None:
        return {Point.CLOCK: (Readiness.TODO, "there is no channel whose PG could be asked for the time")}
    try:
        checked = await check_channel(services, asked)
    except GatewayError as error:
        return {Point.CHANNEL: (Readiness.TODO, error.message)} if live else {}
    found: dict[Point, _Seen] = {}
    if live and checked.fine:
        found[Point.CHANNEL] = (Readiness.DONE, f"CID {asked.pg_merchant_id} answers and can do recurring payment")
    elif live:
        found[Point.CHANNEL] = (
            Readiness.TODO, f"CID {asked.pg_merchant_id} cannot do recurring payment: {checked.problem}",
        )  # fmt: skip
    whom = "the simulator's" if asked.uses_simulator else "KakaoPay's"
    if checked.skew is None:
        found[Point.CLOCK] = (Readiness.TODO, "the PG did not tell the time")
    else:
        off = f"{abs(checked.skew).total_seconds():.1f}"
        fine = abs(checked.skew) <= SKEW_MAX
        standing = (Readiness.CAREFUL if asked.uses_simulator else Readiness.DONE) if fine else Readiness.TODO
        found[Point.CLOCK] = (standing, f"this machine's clock is {off} seconds from {whom}")
    return found


async def _webhook(services: ServicesWith[GoLiveStore], merchant: Merchant) -> _Seen:
    try:
        made = await call_for_test(services, merchant.code, test_mode=False)
    except GatewayError:
        return Readiness.TODO, "no address is set for the results of live payments"
    url = made.url.partition("?")[0]
    if made.answer.status is None:
        return Readiness.TODO, f"{url} did not answer: {made.answer.text[:200]}"
    standing = Readiness.DONE if made.answer.status == 200 else Readiness.TODO
    took = round(made.duration.total_seconds() * 1000)
    return standing, f"{url} answered {made.answer.status} after {took} ms"


def _pages(channels: Sequence[Channel]) -> _Found:
    live = [channel for channel in channels if not channel.test_mode]
    free = [channel for channel in live if not channel.allowed_origins]
    if free:
        return (
            Readiness.CAREFUL,
            f"pages of any site may open windows with {len(free)} of {len(live)} live channels",
            None,
        )
    if not live:
        return Readiness.CAREFUL, "there is no live channel whose pages could be listed", None
    return _done(f"only listed pages may open windows with {len(live)} live channels")


def _addresses(merchant: Merchant) -> _Found:
    if not merchant.allowed_addresses:
        return _todo("the API may be called from every address")
    return _done(f"{len(merchant.allowed_addresses)} addresses or networks may call the API")


def _is_demo_secret(services: ServicesWithoutStore, key: ApiKey) -> bool:
    bound_to = api_secret_context(key.merchant_id, key.api_key)
    return services.vault.matches(API_SECRET_PURPOSE, DEMO_API_SECRET, key.secret_digest, *bound_to)


async def _secret(services: ServicesWith[GoLiveStore], merchant: Merchant) -> _Found:
    keys = [key for key in await services.store.merchants.api_keys(merchant.code) if key.ended_at is None]
    if any(key.api_key == DEMO_API_KEY for key in keys):
        return _todo("the API key is the demo key that everybody knows")
    if any(_is_demo_secret(services, key) for key in keys):
        return _todo("the API secret is the demo secret that everybody knows")
    now = services.clock.now()
    for key in keys:
        # Those of later keys were given to the one server that they are for.
        if key.secret_changed_at is None and key is keys[0]:
            return _todo(f"the secret of {key.api_key} is still the first one")
        if key.living_old_secret(now) is not None:
            return Readiness.CAREFUL, f"an old secret of {key.api_key} is still good", None
    newest = min((key.secret_changed_at for key in keys if key.secret_changed_at), default=None)
    return _done(f"the secret was drawn anew at {newest:%Y-%m-%d %H:%M} UTC" if newest else "there is no API key")


def _https(installation: Installation) -> _Found:
    text = f"browsers reach the gateway at {installation.public_url}"
    return _done(text) if installation.public_url.startswith("https://") else _todo(text)


def _backup(installation: Installation, kept: KeptCheck | None) -> _Found:
    if kept is None:
        return _todo("nobody has confirmed a copy of the key file yet")
    if kept.evidence != installation.fingerprint:
        return Readiness.TODO, "the key file has changed since a copy of it was confirmed", kept.checked_at
    return Readiness.DONE, f"a copy with the fingerprint {kept.evidence[:9]}… was confirmed", kept.checked_at


async def _database(services: ServicesWith[GoLiveStore], installation: Installation) -> _Found:
    server = await young_server(services)
    if server is not None:
        since = f"{server.first_seen_at:%Y-%m-%d %H:%M}"
        return Readiness.CAREFUL, f"the database moved to another server, first reached at {since} UTC", None
    if installation.sqlite:
        return Readiness.CAREFUL, "SQLite is in use: good for one process on one machine", None
    return _done("PostgreSQL is in use")


def _torture(services: ServicesWithoutStore, installation: Installation) -> _Found:
    if installation.torture_result is None:
        return _todo("no result of a torture is named")
    try:
        with installation.torture_result.open() as file:
            result = json.loads(file.read(TORTURE_BYTES_MAX))
        finished_at = datetime.fromisoformat(result["finished_at"])
        minutes, charges = float(result["minutes"]), int(result["charges"])
        findings = sum(int(count) for count in result["findings"].values())
        version, code = str(result["version"]), result.get("code")
        old = services.people_clock.now() - finished_at > OLD_AFTER
    except FileNotFoundError:
        return _todo("there is no result of a torture")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _todo("the result of the torture cannot be read")
    facts = f"{minutes:g} minutes with {charges} charges on version {version}"
    if findings:
        return Readiness.TODO, f"a torture of {facts} found {findings} defects", finished_at
    if code != installation.code():
        return Readiness.TODO, f"a torture of {facts} was of another state of the program", finished_at
    little = minutes < TORTURE_MINUTES_MIN or not charges
    return Readiness.CAREFUL if old or little else Readiness.DONE, f"a torture of {facts} found nothing", finished_at
