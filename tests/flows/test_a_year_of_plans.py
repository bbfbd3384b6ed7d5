"""A thousand plans live through 2028, a leap year: every day is charged once, as calendars made by hand say.

Plans, worker's turns, charges and the database are the real ones; the clock is in hand, and the PG is an object of this
file that remembers whom it charged on which day. Plans are paused, resumed, skipped and ended; writes of plans fail,
before and after they were committed; two workers look at once; claims are left behind by workers that died; a worker is
away at nine; balances are short. What goes wrong when comes from a seed.

Which days are right is said twice: for thirty plans by lists of dates written by hand, and for all the others by
looking at each day of the year with holidays that stand here, not in the library.
"""

from __future__ import annotations

import asyncio
import calendar
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from maedal.billing_keys.billing_key import secret_context
from maedal.flows.make_plan import NewPlan, create_plan
from maedal.flows.manage_plans import (
    end_plan,
    keep_consent,
    pause_plan,
    resume_plan,
    skip_occurrence,
)
from maedal.flows.recovery import set_rule
from maedal.flows.run_plans import plan_due
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.set_holidays import set_holiday
from maedal.payments.attempt import Attempt, Verb
from maedal.payments.money import krw
from maedal.payments.moves import Event
from maedal.payments.window import token_context
from maedal.pg.driver import PgReply
from maedal.plans.calendar import KST, date_rule
from maedal.plans.errors import PlanNotChangeable
from maedal.storage.errors import StoreError
from maedal.storage.payments.writes import Record
from maedal.storage.plans.writes import PutPlan
from maedal.storage.windows.writes import BeginApproval, OpenWindow, RecordPrepared
from tests.flows.conftest import wired
from tests.support.builders import MERCHANT, NOW, a_key, an_issuing_window, approved
from tests.support.network import ScriptedNetwork, reply

SEED, PRICE = 2_028, 9_900
FIRST, LAST = date(2027, 12, 1), date(2028, 12, 31)
NOON = time(12)
# In the order of a day; plans charge at three of them, and people change plans at noon.
STOPS = (time(0, 10), time(9), NOON, time(23, 30))
HOURS = (time(9), time(0, 10), time(23, 30))
NAMED_HOLIDAYS = """
2027-12-25 2027-12-27 2028-01-01 2028-01-26 2028-01-27 2028-01-28 2028-03-01 2028-04-12 2028-05-01 2028-05-02 2028-05-05
2028-06-06 2028-08-15 2028-09-15 2028-10-02 2028-10-03 2028-10-04 2028-10-05 2028-10-09 2028-12-25 2029-01-01
"""
"""With 15 September, which an operator adds; without 17 July, which one takes away."""
HOLIDAYS = frozenset(map(date.fromisoformat, NAMED_HOLIDAYS.split()))
AWAY_AT_NINE, DIED_WITH_CLAIMS = 14, 14
WRITES_FAILING = 0.04
BALANCES_SHORT = 0.01


@dataclass(frozen=True)
class Life:
    """A plan, what people do to it at noon of some days, and, if it was made by hand, the days on which it charges."""

    uid: str
    unit: str
    count: int
    starts_on: date
    anchor_day: int | None = None
    hour: time = time(9)
    business_day: bool = False
    trial_until: date | None = None
    ends_on: date | None = None
    paused_on: date | None = None
    resumed_on: date | None = None
    resumes_by_itself: bool = False
    skips: tuple[date, ...] = ()
    consents_on: date | None = None
    ended_on: date | None = None
    by_hand: tuple[date, ...] | None = None

    @property
    def acts_on(self) -> set[date]:
        days = {self.paused_on, self.resumed_on, self.consents_on, self.ended_on}
        return {day for day in days if day} | {day - timedelta(days=9) for day in self.skips}

    @property
    def expected(self) -> list[date]:
        return sorted(self.by_hand if self.by_hand is not None else self._by_each_day())

    def _by_each_day(self) -> list[date]:
        found = []
        for day in (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)):
            if day < self.starts_on or not self._falls_on(day) or day in self.skips:
                continue
            charged_on = day
            while self.business_day and (charged_on.weekday() > 4 or charged_on in HOLIDAYS):
                charged_on += timedelta(days=1)
            if not self._in_pause(charged_on) and charged_on <= LAST:
                found.append(charged_on)
        return found

    def _falls_on(self, day: date) -> bool:
        if self.anchor_day is None:
            return (day - self.starts_on).days % (self.count * {"day": 1, "week": 7}[self.unit]) == 0
        first = next(d for n in range(40) if _is_anchored(d := self.starts_on + timedelta(days=n), self.anchor_day))
        months = (day.year - first.year) * 12 + day.month - first.month
        return _is_anchored(day, self.anchor_day) and months % (self.count * {"month": 1, "year": 12}[self.unit]) == 0

    def _in_pause(self, charged_on: date) -> bool:
        if self.paused_on is None or self.resumed_on is None:
            return False
        begun = charged_on > self.paused_on or (charged_on == self.paused_on and self.hour > NOON)
        return begun and charged_on < self.resumed_on


def _is_anchored(day: date, anchor_day: int) -> bool:
    return day.day == min(anchor_day, calendar.monthrange(day.year, day.month)[1])


def of(text: str) -> date:
    """Return a day that is written like 2027-12-31, or like 02-29 in 2028."""
    return date.fromisoformat(text if len(text) > 5 else f"2028-{text}")


def hand(
    number: int, unit: str, count: int, starts_on: str, days: str, anchor_day: int | None = None, **more: Any
) -> Life:
    if unit in {"month", "year"} and anchor_day is None:
        anchor_day = of(starts_on).day
    for name in ("trial_until", "ends_on", "paused_on", "resumed_on", "consents_on", "ended_on"):
        if name in more:
            more[name] = of(more[name])
    return Life(f"hand{number}", unit, count, of(starts_on), anchor_day, by_hand=tuple(map(of, days.split())), **more)


MADE_BY_HAND = (
    hand(1, "month", 1, "2027-12-31",
         "2027-12-31 01-31 02-29 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31"),
    hand(2, "month", 1, "2027-12-30",
         "2027-12-30 01-30 02-29 03-30 04-30 05-30 06-30 07-30 08-30 09-30 10-30 11-30 12-30", hour=time(0, 10)),
    hand(3, "month", 1, "2027-12-29",
         "2027-12-29 01-29 02-29 03-29 04-29 05-29 06-29 07-29 08-29 09-29 10-29 11-29 12-29"),
    hand(4, "month", 1, "01-01", "01-01 02-01 03-01 04-01 05-01 06-01 07-01 08-01 09-01 10-01 11-01 12-01"),
    hand(5, "month", 1, "2027-12-15",
         "2027-12-15 01-15 02-15 03-15 04-15 05-15 06-15 07-15 08-15 09-15 10-15 11-15 12-15"),
    # 30 April is a Sunday before 노동절 and 부처님오신날, 30 September a Saturday before 추석; 31 December is moved out of
    # the year.
    hand(6, "month", 1, "2027-12-31",
         "2027-12-31 01-31 02-29 03-31 05-03 05-31 06-30 07-31 08-31 10-06 10-31 11-30", business_day=True),
    hand(7, "month", 1, "01-01", "01-03 02-01 03-02 04-03 05-03 06-01 07-03 08-01 09-01 10-06 11-01 12-01",
         business_day=True),
    # 17 July is a business day here, and 15 September a holiday: an operator said so.
    hand(8, "month", 1, "2027-12-15",
         "2027-12-15 01-17 02-15 03-15 04-17 05-15 06-15 07-17 08-16 09-18 10-16 11-15 12-15", business_day=True),
    hand(9, "month", 1, "2027-12-25",
         "2027-12-28 01-25 02-25 03-27 04-25 05-25 06-26 07-25 08-25 09-25 10-25 11-27 12-26", business_day=True),
    # 설날 is Wednesday 26 to Friday 28 January.
    hand(10, "month", 1, "01-26", "01-31 02-28 03-27 04-26 05-26 06-26 07-26 08-28 09-26 10-26 11-27 12-26",
         business_day=True),
    hand(11, "month", 1, "02-28", "02-29 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31", 31),
    hand(12, "month", 1, "2027-12-20", "01-05 02-05 03-05 04-05 05-05 06-05 07-05 08-05 09-05 10-05 11-05 12-05", 5),
    hand(13, "month", 3, "2027-12-31", "2027-12-31 03-31 06-30 09-30 12-31"),
    hand(14, "month", 2, "2027-12-30", "2027-12-30 02-29 04-30 06-30 08-30 10-30 12-30"),
    hand(15, "year", 1, "02-29", "02-29"),
    hand(16, "year", 1, "2027-12-31", "2027-12-31 12-31"),
    hand(17, "month", 6, "02-29", "02-29 08-29"),
    hand(18, "week", 4, "2027-12-03",
         "2027-12-03 2027-12-31 01-28 02-25 03-24 04-21 05-19 06-16 07-14 08-11 09-08 10-06 11-03 12-01 12-29"),
    hand(19, "day", 100, "2027-12-01", "2027-12-01 03-10 06-18 09-26"),
    hand(20, "month", 1, "2027-12-15", "01-15 02-15 03-15 04-15 05-15 06-15 07-15 08-15 09-15 10-15 11-15 12-15",
         trial_until="01-15", consents_on="2027-12-20"),
    # Nobody agreed when the trial was over, and somebody does in May.
    hand(21, "month", 1, "2027-12-15", "05-15 06-15 07-15 08-15 09-15 10-15 11-15 12-15", trial_until="02-01",
         consents_on="05-10"),
    hand(22, "month", 1, "2027-12-31",
         "2027-12-31 01-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31", paused_on="02-10",
         resumed_on="04-30"),
    hand(23, "month", 1, "2027-12-10", "2027-12-10 01-10 02-10 06-10 07-10 08-10 09-10 10-10 11-10 12-10",
         paused_on="03-01", resumed_on="06-10", resumes_by_itself=True),
    hand(24, "month", 1, "2027-12-28", "2027-12-28 01-28 03-28 04-28 05-28 06-28 08-28 09-28 10-28 11-28 12-28",
         skips=(date(2028, 2, 28), date(2028, 7, 28))),
    hand(25, "month", 1, "2027-12-31", "2027-12-31 01-31 02-29 03-31 04-30 05-31 06-30", ends_on="06-30"),
    hand(26, "month", 1, "2027-12-31", "2027-12-31 01-31 02-29", ended_on="03-15"),
    # Paused on the day before 1 October, which is charged on the 6th: resumed before that, and the day after.
    hand(27, "month", 1, "01-01", "01-03 02-01 03-02 04-03 05-03 06-01 07-03 08-01 09-01 10-06 11-01 12-01",
         business_day=True, paused_on="09-30", resumed_on="10-04"),
    hand(28, "month", 1, "01-01", "01-03 02-01 03-02 04-03 05-03 06-01 07-03 08-01 09-01 11-01 12-01",
         business_day=True, paused_on="09-30", resumed_on="10-07"),
    hand(29, "week", 2, "01-14",
         "01-14 01-31 02-11 02-25 03-10 03-24 04-07 04-21 05-08 05-19 06-02 06-16 06-30 07-14 07-28 08-11 08-25 09-08"
         " 09-22 10-06 10-20 11-03 11-17 12-01 12-15 12-29", business_day=True),
    hand(30, "month", 1, "01-29", "01-29 02-29 03-29 04-29 05-29 06-29 07-29 08-29 09-29 10-29 11-29 12-29",
         hour=time(23, 30)),
)  # fmt: skip


INTERVALS = (("month", 1), ("month", 2), ("month", 3), ("month", 6), ("year", 1), ("week", 8), ("day", 45))
SHARES = (30, 20, 20, 10, 10, 5, 5)
"""Fewer than in life are monthly: a charge costs this test more than all that plans do."""


def a_life(number: int, draw: random.Random) -> Life:
    """Return one of the others."""
    unit, count = draw.choices(INTERVALS, SHARES)[0]
    starts_on = FIRST + timedelta(days=draw.randrange(45))
    anchored = unit in {"month", "year"}
    life = Life(
        f"p{number:04}", unit, count, starts_on,
        draw.choice([28, 29, 30, 31, 31, draw.randint(1, 31)]) if anchored else None,
        hour=draw.choices(HOURS, [8, 1, 1])[0],
        business_day=unit != "day" and draw.random() < 0.5,
    )  # fmt: skip
    kind = draw.random()
    if kind < 0.2:
        paused_on = date(2028, 1, 20) + timedelta(days=draw.randrange(250))
        resumed_on = paused_on + timedelta(days=draw.randint(1, 90))
        return replace(life, paused_on=paused_on, resumed_on=resumed_on, resumes_by_itself=draw.random() < 0.3)
    if kind < 0.4:
        nominal = [day for n in range(366) if life._falls_on(day := date(2028, 1, 1) + timedelta(days=n))]
        return replace(life, skips=tuple(sorted(draw.sample(nominal[1:], min(2, len(nominal[1:]))))))
    return life


class Pg(ScriptedNetwork):
    """Remembers, for each key, on which days it took money; a balance may be short once, and is not the day after."""

    def __init__(self, clock: Any, draw: random.Random) -> None:
        super().__init__(clock)
        self.draw = draw
        self.taken: defaultdict[str, list[date]] = defaultdict(list)
        self.last: dict[str, str] = {}
        self.short: Counter[str] = Counter()

    def _subscription(self, body: dict[str, Any]) -> PgReply:
        sid = body["sid"]
        if not sid.startswith("Shand") and self.draw.random() < BALANCES_SHORT:
            self.short[sid] += 1
            extras = {"method_result_code": "NOT_ENOUGH_BALANCE", "method_result_message": "no balance"}
            return reply({"error_code": -782, "error_message": "no balance", "extras": extras}, 400)
        self.taken[sid].append(self._clock.now().astimezone(KST).date())
        self.last[sid] = self._now()
        return super()._subscription(body)

    def _status(self, body: dict[str, Any]) -> PgReply:
        self.last_approved_at = self.last.get(body["sid"])
        return super()._status(body)


def sid_of(life: Life) -> str:
    return f"S{life.uid:x<19}"


class Year:
    """The gateway, and what happens to it."""

    def __init__(self, flows: Any, count: int) -> None:
        self.draw = random.Random(SEED)
        self.flows, self.clock = flows, flows.clock
        self.pg = Pg(flows.clock, self.draw)
        self.services = replace(flows.services, transport=self.pg)
        others = count - len(MADE_BY_HAND)
        self.lives = [*MADE_BY_HAND, *(a_life(number, self.draw) for number in range(others))]
        busy = {day for life in self.lives[: len(MADE_BY_HAND)] for day in life.acts_on}
        days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days - 3)]
        quiet = [day for day in days if day not in busy]
        self.away = set(self.draw.sample(quiet, AWAY_AT_NINE))
        self.deaths = set(self.draw.sample(sorted(set(quiet) - self.away), DIED_WITH_CLAIMS))
        # Whoever pauses a plan in the hours in which its charge is late takes the charge back; not here.
        late = self.away | self.deaths
        self.lives = [life if not life.acts_on & late else replace(life, paused_on=None, resumed_on=None, skips=())
                      if life.by_hand is None else life for life in self.lives]  # fmt: skip
        self.acts: defaultdict[date, list[Life]] = defaultdict(list)
        for life in self.lives:
            for day in life.acts_on:
                self.acts[day].append(life)
        self.failures = 0

    def go_to(self, day: date, at: time) -> None:
        there = datetime.combine(day, at, KST) + timedelta(seconds=1)
        if there > self.clock.now():
            self.clock.add((there - self.clock.now()).total_seconds())

    async def begin(self) -> None:
        await asyncio.gather(*(self._register(life) for life in self.lives))
        await set_rule(self.services, MERCHANT, "balance", [timedelta(days=1), timedelta(days=1), timedelta(days=1)])
        self.go_to(FIRST, time(0))
        await asyncio.gather(*(self._make(life) for life in self.lives))

    async def _register(self, life: Life) -> None:
        store, vault = self.flows.store, self.services.vault
        payment, window, attempt = an_issuing_window(customer_uid=life.uid)
        assert await store.write(OpenWindow(payment, window, attempt))
        await store.write(RecordPrepared(MERCHANT, payment.imp_uid, attempt.id, approved(), "p", "m", "a", NOW))
        approval = Attempt(attempt.id + "a", MERCHANT, Verb.APPROVE, attempt.id, NOW, payment.imp_uid)
        token = vault.seal("token", *token_context(MERCHANT, payment.imp_uid))
        payment = await store.write(BeginApproval(payment, approval, token))
        key = a_key(life.uid)
        key = replace(key, sealed_pg_key=vault.seal(sid_of(life), *secret_context(key)))
        await store.write(Record(payment, approval.id, Event.APPROVED, approved(), NOW, issued_key=key))

    async def _make(self, life: Life) -> None:
        rule = date_rule(life.unit, life.count, life.starts_on, life.anchor_day)
        await create_plan(
            self.services,
            MERCHANT,
            NewPlan(
                life.uid, life.uid, "Plan", krw(PRICE), rule, life.trial_until, life.ends_on, life.hour,
                life.business_day,
            ),
        )  # fmt: skip

    async def live(self) -> None:
        self.break_writes()
        for day in (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)):
            for at in STOPS:
                self.go_to(day, at)
                if at == NOON:
                    await self.people(day)
                if at == time(9) and day in self.away:
                    continue
                await self.work(dies=at == time(9) and day in self.deaths)
        self.go_to(LAST, time(23, 59))
        for life in self.lives:
            await self.insist(lambda life=life: end_plan(self.services, MERCHANT, life.uid))
        # What had no balance on the last days is tried again.
        for n in range(1, 4):
            self.go_to(LAST + timedelta(days=n), time(13))
            await self.charge()

    async def work(self, *, dies: bool = False) -> None:
        for _ in range(30):
            looked = sum(await asyncio.gather(plan_due(self.services), plan_due(self.services)))
            if dies:
                # What it has claimed it never begins.
                await claim_due(self.services, 500)
                return
            if not await self.charge() and not looked:
                return
        raise AssertionError("the work of a stop has no end")

    async def charge(self) -> int:
        claimed = await claim_due(self.services, 200)
        await asyncio.gather(*(run_schedule(self.services, schedule) for schedule in claimed))
        return len(claimed)

    async def people(self, day: date) -> None:
        if day == date(2028, 9, 10):
            await set_holiday(self.services, MERCHANT, date(2028, 9, 15), "임시공휴일", closed=True, who="kim")
        if day == date(2028, 7, 10):
            await set_holiday(self.services, MERCHANT, date(2028, 7, 17), "영업일", closed=False, who="kim")
        for life in self.acts[day]:
            await self._act(life, day)

    async def _act(self, life: Life, day: date) -> None:
        services, uid = self.services, life.uid
        until = life.resumed_on if life.resumes_by_itself else None
        if day == life.paused_on:
            await self.insist(lambda: pause_plan(services, MERCHANT, uid, until))
        if day == life.resumed_on and not life.resumes_by_itself:
            await self.insist(lambda: resume_plan(services, MERCHANT, uid))
        if day == life.ended_on:
            await self.insist(lambda: end_plan(services, MERCHANT, uid))
        if day == life.consents_on:
            now = self.clock.now()
            await self.insist(lambda: keep_consent(services, MERCHANT, uid, "trial_end", PRICE, now, "ticked"))
        for skipped in life.skips:
            if day == skipped - timedelta(days=9):
                await self.insist(lambda skipped=skipped: skip_occurrence(services, MERCHANT, uid, skipped))

    async def insist(self, act: Any) -> None:
        """Do something until it is done: a write that was committed may have been told as failed."""
        for _ in range(10):
            try:
                await act()
            except StoreError:
                continue
            except PlanNotChangeable:
                return
            return
        raise AssertionError("nothing was done")

    def break_writes(self) -> None:
        """Let writes of plans fail: half of them before they are carried out, half after."""
        write = self.flows.store.write

        async def failing(wanted: Any) -> Any:
            if not isinstance(wanted, PutPlan) or self.draw.random() >= WRITES_FAILING:
                return await write(wanted)
            self.failures += 1
            if self.failures % 2:
                await write(wanted)
            raise StoreError("the connection broke")

        self.flows.store.write = failing


@pytest.fixture
def url(all_databases, engine):
    return all_databases.url(engine)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("engine", "count"), [("sqlite", 1_000), ("postgresql", 100)])
async def test_each_day_is_charged_once_for_a_whole_year(url, tmp_path, count):
    async with wired(url, tmp_path) as flows:
        year = Year(flows, count)
        await year.begin()
        await year.live()
        rows = await flows.store.engine.fetch(
            "SELECT customer_uid, merchant_uid, min(started_at) AS begun_at,"
            " sum(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) AS paid"
            " FROM payments WHERE key_use = 'payment.scheduled' GROUP BY customer_uid, merchant_uid"
        )
    charged = defaultdict(list)
    for row in rows:
        at = row["begun_at"]
        at = datetime.fromisoformat(at) if isinstance(at, str) else at
        charged[row["customer_uid"]].append(at.astimezone(KST).date())
    wrong = {
        life.uid: (life, sorted(set(life.expected) ^ set(charged[life.uid])))
        for life in year.lives
        if sorted(charged[life.uid]) != life.expected
    }
    assert wrong == {}
    # The PG took money once for each of these days, and for nothing else.
    assert {row["merchant_uid"]: row["paid"] for row in rows if row["paid"] != 1} == {}
    taken = {life.uid: len(year.pg.taken[sid_of(life)]) for life in year.lives}
    assert taken == {life.uid: len(life.expected) for life in year.lives}
    by_hand = {life.uid: sorted(year.pg.taken[sid_of(life)]) for life in MADE_BY_HAND}
    assert by_hand == {life.uid: sorted(life.by_hand or ()) for life in MADE_BY_HAND}
    assert year.failures > count // 5
    assert sum(year.pg.short.values()) > count // 50


def test_the_calendars_made_by_hand_are_thirty():
    assert len(MADE_BY_HAND) == 30
