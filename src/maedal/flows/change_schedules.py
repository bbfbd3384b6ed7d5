"""What a person does to scheduled charges: hold, release, revoke, move, and let what failed be charged anew.

Each change is guarded by how the charge was read, and kept with its act in one transaction: what has moved meanwhile
is left alone. A held charge is executed by nobody (docs/decisions/0027-holds.md). Nothing here calls a PG; what is to
be charged anew waits a minute and is then begun by a worker like any scheduled charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.payments.errors import InvalidParameter
from maedal.schedules.errors import InvalidScheduleTime, ScheduleNotChangeable
from maedal.schedules.manual_changes import (
    AT_ONCE_MAX,
    DAYS_MAX,
    RETRY_LEAD,
    ManualChange,
    Obstacle,
    mark_of,
    obstacle_to,
)
from maedal.schedules.schedule import Schedule, ScheduleStatus, check_time
from maedal.storage.audit.reads import HasAudit
from maedal.storage.errors import Conflict
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.schedules.writes import ChangeScheduleByHand
from maedal.storage.write import Writes

KINDS = {
    ManualChange.HOLD: AuditAction.HOLD_SCHEDULE,
    ManualChange.RELEASE: AuditAction.RELEASE_SCHEDULE,
    ManualChange.REVOKE: AuditAction.REVOKE_SCHEDULE,
    ManualChange.MOVE: AuditAction.MOVE_SCHEDULE,
    ManualChange.ANEW: AuditAction.MOVE_SCHEDULE,
    ManualChange.RETRY: AuditAction.RETRY_SCHEDULE,
}
REFUSALS = {
    Obstacle.HELD_ALREADY: "it is held already",
    Obstacle.NOT_HELD: "it is not held",
    Obstacle.NOT_AHEAD: "nothing of it is left to be charged: it was executed or revoked",
    Obstacle.NOT_WAITING: "it does not wait any more: it was executed or revoked",
    Obstacle.STILL_WAITS: "it still waits for its time",
    Obstacle.HELD: "it is held; release it first",
    Obstacle.UNCLEAR: "it is being charged, or its outcome is unknown",
    Obstacle.PAID: "it is paid already",
    Obstacle.TIME_OVER: "the new time is over, or too far away",
}
TOGETHER = 200
"""So many are written side by side; they share transactions, and charges find room between them."""
REASON_CHARS_MAX = 200


class ChangeSchedulesStore(HasAudit, HasSchedules, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What a person wants of scheduled charges, and why. `days` moves each by so many; `at` sets one time."""

    change: ManualChange
    who: str
    reason: str = ""
    days: int = 0
    at: datetime | None = None

    def time_for(self, schedule: Schedule, now: datetime) -> datetime | None:
        """Return until when the charge is to wait, for the changes that set a time."""
        match self.change:
            case ManualChange.RETRY:
                return now + RETRY_LEAD
            case ManualChange.MOVE | ManualChange.ANEW:
                return self.at or schedule.schedule_at + timedelta(days=self.days)
            case _:
                return None


def check_request(request: ChangeRequest) -> None:
    """Raise InvalidParameter unless the wish can be kept in the audit log and names what it needs."""
    if len(request.reason) > REASON_CHARS_MAX or not request.reason.isprintable():
        raise InvalidParameter("reason", f"a reason has at most {REASON_CHARS_MAX} printable characters")
    if request.change is ManualChange.MOVE and request.at is None and not 1 <= abs(request.days) <= DAYS_MAX:
        raise InvalidParameter("days", f"the number of days is from 1 to {DAYS_MAX}, or negative to move them earlier")


def obstacle_in_the_way(request: ChangeRequest, schedule: Schedule, now: datetime) -> Obstacle | None:
    """Return what keeps the wish from being done to a charge as it stands."""
    return obstacle_to(schedule, request.change, now, request.time_for(schedule, now))


async def change_schedule(
    services: ServicesWith[ChangeSchedulesStore],
    schedule: Schedule,
    request: ChangeRequest,
    audit_entry_id: str | None = None,
) -> None:
    """Do what a person wants to one scheduled charge. Raises InvalidParameter or ScheduleNotChangeable."""
    check_request(request)
    now = services.clock.now()
    obstacle = obstacle_in_the_way(request, schedule, now)
    if obstacle is not None:
        raise _refusal(obstacle, request.time_for(schedule, now), now)
    if not await _write(services, schedule, request, audit_entry_id or services.ids.row(now), now):
        raise ScheduleNotChangeable("it has moved in this very moment")


def _refusal(obstacle: Obstacle, at: datetime | None, now: datetime) -> ScheduleNotChangeable | InvalidScheduleTime:
    """Return what is told of an obstacle; of a time that cannot be, why."""
    if obstacle is Obstacle.TIME_OVER and at is not None:
        try:
            check_time(at, now)
        except InvalidScheduleTime as error:
            return error
    return ScheduleNotChangeable(REFUSALS[obstacle])


async def change_schedules(
    services: ServicesWith[ChangeSchedulesStore],
    merchant_id: str,
    seen: Sequence[tuple[str, str]],
    request: ChangeRequest,
    drawn: str,
) -> int:
    """Do what a person wants to each scheduled charge that still stands as they saw it; return how many were changed.

    `seen` are the merchant_uids, each with its mark. The acts have ids under `drawn`. Sent again, after a crash or by a
    second click, it changes what was not changed the first time, nothing twice, and returns the same number.
    """
    check_request(request)
    assert len(seen) <= AT_ONCE_MAX, "a bounded number"
    now = services.clock.now()
    found = {
        s.order.merchant_uid: s
        for s in await services.store.schedules.by_merchant_uids(merchant_id, [uid for uid, _ in seen])
    }
    numbered = [
        (n, found[uid])
        for n, (uid, mark) in enumerate(seen)
        if uid in found and mark_of(found[uid]) == mark and obstacle_in_the_way(request, found[uid], now) is None
    ]
    for first in range(0, len(numbered), TOGETHER):
        together = numbered[first : first + TOGETHER]
        await asyncio.gather(*(_write(services, s, request, f"{drawn}.{n:05}", now) for n, s in together))
    return await services.store.audit.count_under(merchant_id, drawn)


async def _write(
    services: ServicesWith[ChangeSchedulesStore],
    schedule: Schedule,
    request: ChangeRequest,
    audit_entry_id: str,
    now: datetime,
) -> bool:
    at = request.time_for(schedule, now)
    audit_entry = AuditEntry(
        audit_entry_id,
        schedule.merchant_id,
        KINDS[request.change],
        schedule.order.merchant_uid,
        request.who,
        request.reason.strip() or NO_REASON,
        _stands(schedule),
        _will_stand(schedule, request.change, at),
        now,
    )
    try:
        return await services.store.write(ChangeScheduleByHand(schedule, audit_entry, at))
    except Conflict:
        # The act is there already: an earlier sending of the same wish has done it.
        return False


def _stands(schedule: Schedule) -> str:
    facts = [str(schedule.status), f"at={schedule.schedule_at:%Y-%m-%dT%H:%M:%SZ}"]
    if schedule.hold is not None:
        facts.append("held")
    return "; ".join([*facts, f"amount={schedule.order.price.total.amount}"])


def _will_stand(schedule: Schedule, change: ManualChange, at: datetime | None) -> str:
    match change:
        case ManualChange.HOLD:
            return "held"
        case ManualChange.RELEASE:
            return "released"
        case ManualChange.REVOKE:
            return "revoked" if schedule.status is ScheduleStatus.SCHEDULED else "no more tries"
        case _:
            return f"scheduled; at={at:%Y-%m-%dT%H:%M:%SZ}"
