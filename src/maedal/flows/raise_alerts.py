"""Alerts: notice what the team is to be told, from what is kept of it, and put what is due into messages.

What is told is a fact that stands in the database already, such as an outcome that is unknown or a webhook that was
given up, and its cause is its key. So nothing is lost when a worker dies in between, several workers may look at the
same time, and the writes of a charge are what they were (docs/decisions/0136-messages.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.overview import a_day_in_seoul
from maedal.flows.services import ServicesWith
from maedal.messages.alert import Alert, AlertKind, Receiver, When
from maedal.messages.message import Message, MessageKind, Way
from maedal.reconciliation.settlement import SEOUL
from maedal.storage.channels.reads import HasChannels
from maedal.storage.findings.reads import FindingFilter, HasFindings
from maedal.storage.invariants.reads import Violation
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.messages.reads import HasMessages
from maedal.storage.messages.writes import GatherAlerts, RaiseAlerts
from maedal.storage.schedules.reads import HasSchedules, ScheduleSearch, ScheduleTab
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.webhooks.reads import DeliverySearch, HasWebhooks
from maedal.storage.write import Writes
from maedal.webhooks.webhook import DeliveryState

UNKNOWN_FOR = timedelta(minutes=10)
WEBHOOKS_SINCE = timedelta(days=4)
"""Longer than a webhook is tried."""
CERTIFICATE_DAYS = (14, 3)
API_SECRET_HOURS = 24
A_DAY = timedelta(days=1)
RECEIVERS_AT_ONCE = 200
NOTICED_MAX = 200
"""So many of one kind are noticed at a look; the next one goes on."""
RENEWALS_MAX = 1000
GATHERED_AT_ONCE = 200
CERTIFICATE_EVERY = timedelta(hours=1)


class RaiseAlertsStore(
    HasChannels,
    HasFindings,
    HasMaintenance,
    HasMerchants,
    HasMessages,
    HasSchedules,
    HasUnknownOutcomes,
    HasWebhooks,
    Writes,
    Protocol,
): ...


_Raise = Callable[[AlertKind, str, Mapping[str, str], datetime], None]
"""Notice something: its kind, its cause, its facts, and when it happened."""


class AlertWatch:
    """Looks for what the team is to be told. It remembers the certificate's end for an hour, and nothing else."""

    def __init__(self, services: ServicesWith[RaiseAlertsStore]) -> None:
        self._services = services
        self._certificate_end: datetime | None = None
        self._certificate_seen_at: datetime | None = None

    async def look(self, violations: Iterable[Violation] = ()) -> int:
        """Notice what is new, and return how much that was. `violations` are what breaks invariants now."""
        broken, raised, after = list(violations), 0, ("", "")
        while receivers := await self._services.store.messages.every_receiver(after, RECEIVERS_AT_ONCE):
            after = (receivers[-1].merchant_id, receivers[-1].id)
            by_merchant: dict[str, list[Receiver]] = {}
            for one in receivers:
                by_merchant.setdefault(one.merchant_id, []).append(one)
            for merchant_id, of_merchant in by_merchant.items():
                alerts = await self._noticed(merchant_id, of_merchant, broken)
                if alerts:
                    raised += await self._services.store.write(RaiseAlerts(tuple(alerts)))
        return raised

    async def _noticed(
        self, merchant_id: str, receivers: Sequence[Receiver], broken: Sequence[Violation]
    ) -> Sequence[Alert]:
        now = self._services.clock.now()
        found: list[Alert] = []
        wanted = {kind for kind in AlertKind if any(one.rule(kind) is not When.NEVER for one in receivers)}

        def notice(kind: AlertKind, cause: str, facts: Mapping[str, str], happened_at: datetime) -> None:
            for one in receivers:
                due_at = one.due_at(kind, now)
                if due_at is not None:
                    found.append(Alert(merchant_id, one.id, f"{kind}:{cause}", kind, facts, happened_at, due_at))

        if AlertKind.UNKNOWN_OUTCOME in wanted:
            await self._unknown(merchant_id, now, notice)
        if AlertKind.WEBHOOK_GIVEN_UP in wanted:
            added_at = min(one.added_at for one in receivers)
            await self._webhooks(merchant_id, max(added_at, now - WEBHOOKS_SINCE), now, notice)
        if AlertKind.PG_CLOSED in wanted:
            await self._closed(merchant_id, now, notice)
        if AlertKind.CHANNEL_REFUSED in wanted:
            await self._channels(merchant_id, notice)
        if AlertKind.FINDING in wanted:
            await self._findings(merchant_id, notice)
        if AlertKind.API_SECRET in wanted:
            await self._api_secrets(merchant_id, now, notice)
        if AlertKind.CERTIFICATE in wanted:
            await self._certificate(now, notice)
        for violation in broken:
            # Of nobody, such as a row of a log: everybody's.
            if violation.merchant_id in {"", merchant_id}:
                facts = {"invariant": violation.invariant.value, "subject": violation.subject}
                # Each day anew while it lasts.
                cause = f"{violation.invariant}:{violation.subject}:{a_day_in_seoul(now)}"
                notice(AlertKind.INVARIANT_BROKEN, cause, facts, now)
        for one in receivers:
            if one.rule(AlertKind.FAILED_RENEWALS) is not When.NEVER:
                found += await self._renewals(one, now)
        return found

    async def _unknown(self, merchant_id: str, now: datetime, notice: _Raise) -> None:
        for call in await self._services.store.unknown_outcomes.of_merchant(merchant_id, NOTICED_MAX):
            since = call.attempt.begun_at
            if now - since >= UNKNOWN_FOR:
                facts = {"imp_uid": call.payment.imp_uid, "since": _time(since)}
                notice(AlertKind.UNKNOWN_OUTCOME, call.attempt.id, facts, since)

    async def _webhooks(self, merchant_id: str, since: datetime, now: datetime, notice: _Raise) -> None:
        search = DeliverySearch(NOTICED_MAX, (DeliveryState.FAILED,), since=now - WEBHOOKS_SINCE)
        page = await self._services.store.webhooks.search(merchant_id, search)
        given_up: Counter[tuple[str, str]] = Counter()
        last: dict[tuple[str, str], datetime] = {}
        for row in page.rows:
            ended_at = row.log.tries[-1].sent_at if row.log.tries else row.log.due_at
            if ended_at < since or row.log.delivery.by_hand:
                continue
            # A receiver that is down is one piece of news an hour, however much was for it.
            key = (row.log.delivery.receiver, f"{ended_at.astimezone(SEOUL):%Y-%m-%dT%H}")
            given_up[key] += 1
            last[key] = max(ended_at, last.get(key, ended_at))
        for (host, hour), count in given_up.items():
            facts = {"host": host, "count": str(count)}
            notice(AlertKind.WEBHOOK_GIVEN_UP, f"{host}:{hour}", facts, last[host, hour])

    async def _closed(self, merchant_id: str, now: datetime, notice: _Raise) -> None:
        providers = {channel.pg_provider for channel in await self._services.store.channels.of_merchant(merchant_id)}
        for pause in await self._services.store.maintenance.pauses(now):
            if pause.pg_provider in providers and pause.begins_at <= now:
                facts = {"pg": pause.pg_provider, "until": _time(pause.ends_at)}
                notice(AlertKind.PG_CLOSED, pause.id, facts, pause.begins_at)

    async def _channels(self, merchant_id: str, notice: _Raise) -> None:
        names = {c.id: c.name for c in await self._services.store.channels.of_merchant(merchant_id)}
        for pause in await self._services.store.channels.pauses():
            if pause.merchant_id == merchant_id and pause.fault.of_channel:
                facts = {"channel": names.get(pause.channel_id, pause.channel_id), "fault": pause.fault.value}
                cause = f"{pause.channel_id}:{pause.since.isoformat()}"
                notice(AlertKind.CHANNEL_REFUSED, cause, facts, pause.since)

    async def _findings(self, merchant_id: str, notice: _Raise) -> None:
        found = await self._services.store.findings.search(merchant_id, FindingFilter(NOTICED_MAX))
        by_day = Counter(one.day for one in found)
        for day, count in by_day.items():
            first = min(one.found_at for one in found if one.day == day)
            notice(AlertKind.FINDING, f"{day}", {"day": f"{day}", "count": str(count)}, first)

    async def _api_secrets(self, merchant_id: str, now: datetime, notice: _Raise) -> None:
        for key in await self._services.store.merchants.api_keys(merchant_id):
            old = key.living_old_secret(now)
            if old is not None and old.until <= now + timedelta(hours=API_SECRET_HOURS):
                until = old.until
                facts = {"api_key": key.api_key, "until": _time(until)}
                notice(AlertKind.API_SECRET, f"{key.api_key}:{until.isoformat()}", facts, now)

    async def _certificate(self, now: datetime, notice: _Raise) -> None:
        if self._certificate_seen_at is None or now - self._certificate_seen_at >= CERTIFICATE_EVERY:
            self._certificate_end, self._certificate_seen_at = await self._services.certificate_end(), now
        end = self._certificate_end
        if end is None:
            return
        passed = [days for days in CERTIFICATE_DAYS if end - now <= timedelta(days=days)]
        if passed:
            facts = {"address": self._services.public_url, "until": _time(end)}
            notice(AlertKind.CERTIFICATE, f"{end.isoformat()}:{min(passed)}", facts, now)

    async def _renewals(self, receiver: Receiver, now: datetime) -> Sequence[Alert]:
        """Tell once a day, at the receiver's hour, which of the last day's scheduled charges are unpaid."""
        local = now.astimezone(SEOUL)
        until = local.replace(hour=receiver.digest_hour, minute=0, second=0, microsecond=0)
        if until > local:
            until -= A_DAY
        if until <= receiver.added_at:
            return ()
        since = until - A_DAY
        search = ScheduleSearch(since, until, ScheduleTab.FAILED)
        failed = await self._services.store.schedules.search(receiver.merchant_id, search, RENEWALS_MAX)
        due_at = receiver.due_at(AlertKind.FAILED_RENEWALS, now)
        if not failed or due_at is None:
            return ()
        facts = {
            "since": _time(since),
            "until": _time(until),
            "count": str(len(failed)) if len(failed) < RENEWALS_MAX else f"{RENEWALS_MAX}+",
            "amount": f"{sum(one.order.price.total.amount for one in failed):,}",
        }
        kind = AlertKind.FAILED_RENEWALS
        cause = f"{kind}:{until:%Y-%m-%d}"
        return [Alert(receiver.merchant_id, receiver.id, cause, kind, facts, until, due_at)]


async def gather_alerts(services: ServicesWith[RaiseAlertsStore]) -> int:
    """Put what is due into one message for each receiver, and return how many that were."""
    now = services.clock.now()
    gathered = 0
    for merchant_id, receiver_id in await services.store.messages.with_due_alerts(now, GATHERED_AT_ONCE):
        receiver = await services.store.messages.receiver(merchant_id, receiver_id)
        # Noticed as its receiver was removed: the message ends as what nobody receives.
        way = Way.MAIL if receiver is None else receiver.way
        message_id = services.ids.row(now)
        cause = f"alerts:{message_id}"
        message = Message(merchant_id, message_id, cause, MessageKind.ALERTS, way, receiver_id, "", now, now)
        gathered += await services.store.write(GatherAlerts(message))
    if gathered:
        services.message_waiting.set()
    return gathered


def _time(at: datetime) -> str:
    return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
