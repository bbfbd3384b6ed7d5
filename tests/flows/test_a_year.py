"""A thousand subscriptions live through 2028, a leap year: every month is charged once, whatever goes wrong meanwhile.

Workers, API, database, the merchant's server and KakaoPay's simulator are the real ones; only the clock is in hand. It
goes from one due moment to the next. Money is short, answers get lost, workers die in the middle of a charge and are
replaced, the merchant's server is away now and then, and each morning the PG's file of the day before is held against
the books. What goes wrong when comes from a seed.
"""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import contextvars
import itertools
import json
import random
import re
import time
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import structlog

from kakaopay_sandbox.settings import BUCKET_ID, FILE_KEY
from maedal.app import create_app, open_gateway
from maedal.flows.approve import approve
from maedal.flows.open_window import WindowRequest, open_window
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.flows.set_webhook import set_webhook
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device, Shown
from maedal.pg.driver import PgReply, PgRequest
from maedal.settings import Settings
from maedal.vault import create_key_file
from maedal.worker import loops
from tests.support.asgi import ask
from tests.support.builders import an_order
from tests.support.clock import HandClock
from tests.support.databases import Databases
from tests.support.simulator import ORIGIN, Simulator
from tests.torture.checker import TABLES, Records, check
from tests.torture.testbed import OPEN, ClientRecord, Reply
from tests.torture.timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("a-year")]

SUBSCRIPTIONS, SEED = 1_000, 2_028
SECONDS_MAX = 300
"""What the year may cost; beside other tests it lasts longer than that, and costs no more."""
YEAR, PRICE, HOUR = 2_028, 9_900, 9
KST = timezone(timedelta(hours=9))
SIGN_UPS_BEGIN, LAST_MORNING = date(YEAR - 1, 12, 1), date(YEAR + 1, 1, 4)
MERCHANT, API_KEY, API_SECRET = "imp20280229", "2028022920280229", "leap" * 16
WORKERS = 2
POLLS = {
    "WEBHOOK_POLL_SECONDS": 0.05,
    "DUE_POLL_SECONDS": 0.05,
    "LOST_SECONDS": 0.1,
    "UNKNOWN_SECONDS": 0.03,
    "RECONCILE_SECONDS": 0.2,
}
"""How often the loops look, for a stop lasts no longer."""
LOOK_SECONDS, TICK_SECONDS = 0.01, 0.1
"""How often it is looked whether a stop is over, and how far the clock then goes."""
UNCHANGED_MAX = 25
"""After so many looks at which nothing has moved, what is under way waits for the clock, or for a lease of the dead."""
STOPS_MAX = 20_000

UNCLEAR = ("drop_before", "drop_after", "error_500_before", "error_500_after", "garbled_after")
BAD_DAYS, UNCLEAR_A_BAD_DAY, DECLINES_A_DAY_MAX = 60, 3, 3
MERCHANT_AWAY, FILE_TROUBLES, LOOK_TROUBLES = 12, 12, 12


class End(StrEnum):
    """How a worker ends in the middle of a charge."""

    DIES_BEFORE_SENDING = "died before a charge was sent"
    DIES_BEFORE_RECORDING = "died before a charge was recorded"
    LEAVES = "told to end while charging"


ENDS = {End.DIES_BEFORE_SENDING: 12, End.DIES_BEFORE_RECORDING: 12, End.LEAVES: 12}

# A worker looks at unknown outcomes every few seconds: several are looked at together.
NEXT_STOP = """
SELECT min(at) AS at FROM (
  SELECT min(greatest(schedule_at, leased_until + interval '1 second')) AS at FROM schedules WHERE status = 'scheduled'
  UNION ALL SELECT min(greatest(due_at, leased_until + interval '1 second')) FROM webhook_deliveries
             WHERE state = 'waiting'
  UNION ALL SELECT min(look_at) + interval '15 seconds' FROM attempts WHERE outcome = 'unknown'
  UNION ALL SELECT min(begun_at) + interval '61 seconds' FROM attempts WHERE outcome IS NULL
  UNION ALL SELECT min(due_at) FROM settlement_days WHERE done_at IS NULL
) stops
"""
BUSY = """
SELECT (SELECT count(*) FROM schedules WHERE status = 'scheduled' AND schedule_at <= $1
           AND (leased_until IS NULL OR leased_until < $1)) AS to_claim,
       (SELECT count(*) FROM schedules WHERE status = 'scheduled' AND schedule_at <= $1) AS charges,
       (SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting' AND due_at <= $1) AS webhooks,
       (SELECT count(*) FROM attempts WHERE outcome IS NULL AND begun_at <= $1) AS calls,
       (SELECT count(*) FROM attempts WHERE outcome = 'unknown' AND look_at <= $1) AS looks,
       (SELECT 1 - count(*) FROM settlement_days WHERE day = $2 AND (done_at IS NOT NULL OR due_at > $1)) AS files
"""


@dataclass(frozen=True)
class Bill:
    """One month of one subscription; each try to charge it has a merchant_uid of its own."""

    customer: int
    anchor: int
    month: int
    tries: int = 0

    @property
    def merchant_uid(self) -> str:
        return f"s{self.customer:04}-{self.month:02}-try{self.tries}"

    @property
    def due_at(self) -> datetime:
        """Return nine o'clock of the anchor day, or of the month's last day; each try is a day later."""
        day = min(self.anchor, calendar.monthrange(YEAR, self.month)[1])
        return datetime(YEAR, self.month, day, HOUR, tzinfo=KST) + timedelta(days=self.tries)


class Shop:
    """The merchant's server: hears of each payment, looks it up, and plans the next charge itself."""

    def __init__(self, clock: HandClock, api: Any) -> None:
        self.clock, self.api = clock, api
        self.bills: dict[str, Bill] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.clients: list[ClientRecord] = []
        self.wrong: list[BaseException] = []
        self.away = 0
        """How many of the next webhooks find nobody."""
        self.turned_away = 0
        self.under_way = 0
        self._token = ("", 0)
        self._asking = asyncio.Lock()

    async def open(self) -> str:
        """Serve, and return the address for webhooks."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/webhook"

    async def close(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.under_way += 1
        # Whoever sent it may die meanwhile.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            assert length is not None
            status = await self._answer(await reader.readexactly(int(length[1])))
            writer.write(b"HTTP/1.1 %d Answer\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK" % status)
            await writer.drain()
        writer.close()
        self.under_way -= 1

    async def _answer(self, body: bytes) -> int:
        if self.away:
            self.away -= 1
            self.turned_away += 1
            return 503
        try:
            news = json.loads(body)
            self.webhooks.append(news)
            await self._receive(news)
        except Exception as error:  # a server that falls over is found out at the end
            self.wrong.append(error)
            return 500
        return 200

    async def _receive(self, news: dict[str, Any]) -> None:
        # A webhook may be anybody's; what is so is what the API says.
        payment = (await self.ask("GET", f"/payments/{news['imp_uid']}?include_sandbox=true"))["response"]
        assert payment["status"] == news["status"], (payment, news)
        assert payment["merchant_uid"] == news["merchant_uid"], (payment, news)
        bill = self.bills[payment["merchant_uid"]]
        if payment["status"] == "failed":
            await self.plan(replace(bill, tries=bill.tries + 1))
        elif bill.month < 12:
            await self.plan(Bill(bill.customer, bill.anchor, bill.month + 1))

    async def plan(self, bill: Bill) -> None:
        """Plan a charge; a webhook that comes a second time plans nothing."""
        if bill.merchant_uid in self.bills:
            return
        self.bills[bill.merchant_uid] = bill
        entry = {
            "merchant_uid": bill.merchant_uid,
            "schedule_at": int(bill.due_at.timestamp()),
            "amount": PRICE,
            "name": "Monthly plan",
        }
        request = {"customer_uid": f"c{bill.customer}", "schedules": [entry]}
        body = await self.ask("POST", "/subscribe/payments/schedule", request)
        assert body["code"] == 0, (bill, body)
        self.clients.append(ClientRecord("year", "schedule", request, Reply(200, body), self.clock.now()))

    async def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        for _ in range(2):
            status, reply = await self._once(method, path, body, {"authorization": await self._fresh_token()})
            if status != 401:
                break
            # It ended on the way.
            self._token = ("", 0)
        assert status == 200, (path, body, reply)
        return reply

    async def _once(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"host": "gateway.test", "content-type": "application/json", **(headers or {})}
        content = b"" if body is None else json.dumps(body).encode()
        headers["content-length"] = str(len(content))
        status, answer = await ask(self.api, method, path, headers.items(), content)
        return status, json.loads(answer)

    async def _fresh_token(self) -> str:
        async with self._asking:
            if self._token[1] < self.clock.now().timestamp() + 60:
                pair = {"imp_key": API_KEY, "imp_secret": API_SECRET}
                _, reply = await self._once("POST", "/users/getToken", pair)
                self._token = (reply["response"]["access_token"], reply["response"]["expired_at"])
            return self._token[0]


HIRED: contextvars.ContextVar[Hired | None] = contextvars.ContextVar("hired", default=None)


def remember(loop: asyncio.AbstractEventLoop, coro: Any, context: contextvars.Context | None = None) -> Any:
    """Make a task, and let the worker in whose context it begins know of it: whoever dies leaves nothing running."""
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
    hired = HIRED.get() if context is None else context.get(HIRED)
    if hired is not None:
        hired.tasks.add(task)
    return task


class Hired:
    """A worker with a store, a vault and a memory of its own, as in a process of its own, that may die at any moment."""

    def __init__(self, settings: Settings, clock: HandClock, pg: Pg) -> None:
        self.settings, self.clock, self.pg = settings, clock, pg
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.stack = contextlib.AsyncExitStack()
        self.dead = False
        self.leaving: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        context = contextvars.copy_context()
        context.run(HIRED.set, self)
        await asyncio.create_task(self._begin(), context=context)

    async def _begin(self) -> None:
        gateway = await self.stack.enter_async_context(open_gateway(self.settings, clock=self.clock))
        self.engine: Any = gateway.store.engine
        self.worker = loops.Worker(replace(gateway.services, transport=self.pg))
        self.worker.start()

    def die(self) -> None:
        """End in the middle of everything, as a process does that is killed; what the PG was sent, it carries out."""
        self.dead = True
        for task in tuple(self.tasks):
            task.cancel()

    def leave(self) -> None:
        """Be told to end: what is under way is ended first."""
        self.leaving = asyncio.create_task(self.worker.stop(), context=contextvars.Context())

    @property
    def ending(self) -> bool:
        return self.dead or self.leaving is not None

    @property
    def gone(self) -> bool:
        return self.dead or (self.leaving is not None and self.leaving.done())

    async def bury(self) -> None:
        while running := [task for task in self.tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=1)
        if self.dead:
            # Its connections break, in whatever they were.
            self.engine._pool.terminate()
        await self.stack.aclose()


class Pg(Simulator):
    """The simulator; what was sent to it is carried out even when the sender dies, who may be told to die by it."""

    def __init__(self, clock: HandClock, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self.under_way = 0
        self.ends: list[tuple[int, End]] = []
        """At which of the next charges the worker that makes it ends, and how."""
        self.ended: Counter[End] = Counter()
        self._charges = 0

    def end_at(self, charge: int, how: End) -> None:
        self.ends.append((self._charges + charge, how))
        self.ends.sort()

    async def send(self, request: PgRequest) -> PgReply:
        hired = HIRED.get()
        how = self._end_of(hired) if request.url.endswith("/subscription") else None
        if hired is not None and how is End.LEAVES:
            hired.leave()
        if hired is not None and how is End.DIES_BEFORE_SENDING:
            hired.die()
            await asyncio.sleep(0)
        call = asyncio.create_task(self._carried_out(request), context=contextvars.Context())
        call.add_done_callback(lambda done: done.exception())
        try:
            return await asyncio.shield(call)
        finally:
            if hired is not None and how is End.DIES_BEFORE_RECORDING:
                hired.die()
                await asyncio.sleep(0)

    def _end_of(self, hired: Hired | None) -> End | None:
        self._charges += 1
        if hired is None or hired.ending or not self.ends or self._charges < self.ends[0][0]:
            return None
        _, how = self.ends.pop(0)
        self.ended[how] += 1
        return how

    async def _carried_out(self, request: PgRequest) -> PgReply:
        self.under_way += 1
        try:
            return await super().send(request)
        finally:
            self.under_way -= 1


@dataclass
class Fate:
    """What goes wrong on one day, before anybody knows."""

    faults: list[tuple[str, str]] = field(default_factory=list)
    ends: list[tuple[int, End]] = field(default_factory=list)
    away: int = 0


def fates(seed: int, busy: int) -> dict[date, Fate]:
    """Draw the year's bad luck; `busy` is how many charges a day has about."""
    rng = random.Random(seed)
    days = [date(YEAR, 1, 1) + timedelta(days=n) for n in range(366)]
    drawn: dict[date, Fate] = defaultdict(Fate)
    for day in days:
        drawn[day].faults += [("subscription", "decline")] * rng.randint(0, DECLINES_A_DAY_MAX)
    bad = rng.sample(days, BAD_DAYS)
    kinds = itertools.cycle((*UNCLEAR, "unsent", "delay"))
    for day in bad:
        drawn[day].faults += [("subscription", next(kinds)) for _ in range(UNCLEAR_A_BAD_DAY)]
    for day in rng.sample(bad, LOOK_TROUBLES):
        drawn[day].faults.append(("status", rng.choice(UNCLEAR)))
    for day in rng.sample(days, FILE_TROUBLES):
        drawn[day].faults.append((rng.choice(("files", "file")), rng.choice(UNCLEAR)))
    for how, count in ENDS.items():
        for day in rng.sample(days, count):
            drawn[day].ends.append((rng.randint(1, max(1, busy // 2)), how))
    for day in rng.sample(days, MERCHANT_AWAY):
        drawn[day].away = rng.randint(1, 3)
    for fate in drawn.values():
        rng.shuffle(fate.faults)
    return drawn


class Year:
    """Everybody who takes part, and the clock that takes them through the year."""

    def __init__(self, database_url: str, folder: Path, subscriptions: int, seed: int) -> None:
        self.clock = HandClock(datetime.combine(SIGN_UPS_BEGIN, datetime.min.time(), KST).astimezone(UTC))
        self.settings = Settings(
            database_url=database_url,
            key_file=folder / "keys.json",
            public_url="http://gateway.test",
            sandbox_url=ORIGIN,
            allow_private_addresses=True,
        )
        rng = random.Random(seed)
        self.anchors = [rng.randint(1, 31) for _ in range(subscriptions)]
        self.fates = fates(seed, subscriptions // 31)
        # All buyers of the simulator share one purse.
        self.pg = Pg(self.clock, opening_balance=2 * 12 * PRICE * subscriptions)
        self.faults: Counter[str] = Counter()
        self.workers: list[Hired] = []
        self.stops = 0

    @contextlib.asynccontextmanager
    async def opened(self) -> Any:
        asyncio.get_running_loop().set_task_factory(remember)
        create_key_file(self.settings.key_file)
        app = create_app(self.settings, with_worker=False, clock=self.clock)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.pg.close)
            await stack.enter_async_context(app.lifespan())
            self.store = app.state["store"]
            self.services = replace(app.state["services"], transport=self.pg)
            self.shop = Shop(self.clock, app)
            address = await self.shop.open()
            stack.push_async_callback(self.shop.close)
            await create_merchant(self.services, "A shop", code=MERCHANT, api_key=API_KEY, api_secret=API_SECRET)
            await set_webhook(self.services, MERCHANT, live=None, test=address, body="json", retry="few")
            request_body = ChannelSettings(cid="TCSUBSCRIP", test_mode=True, file_key=FILE_KEY, file_bucket=BUCKET_ID)
            await add_channel(self.services, MERCHANT, request_body)
            stack.push_async_callback(self._dismiss)
            for _ in range(WORKERS):
                await self._hire()
            yield self

    async def _hire(self) -> None:
        hired = Hired(self.settings, self.clock, self.pg)
        self.workers.append(hired)
        await hired.begin()

    async def _dismiss(self) -> None:
        for hired in self.workers:
            hired.die()
            await hired.bury()

    async def _replace_the_gone(self) -> None:
        for hired in [hired for hired in self.workers if hired.gone]:
            self.workers.remove(hired)
            await hired.bury()
            await self._hire()

    # -- the days

    async def pass_by(self) -> None:
        """Go from one due moment to the next until nothing is to come."""
        mornings = iter(self._mornings())
        morning = next(mornings, None)
        while True:
            due = (await self.store.engine.fetch(NEXT_STOP))[0]["at"]
            if due is None and morning is None:
                return
            stop = min(at for at in (due, morning) if at is not None)
            if stop == morning:
                await self._wake_up(morning.astimezone(KST).date())
                morning = next(mornings, None)
            # What is due and was not done waits for the clock.
            self.clock.add(max(1.0, (stop - self.clock.now()).total_seconds()))
            self.stops += 1
            assert self.stops < STOPS_MAX, await self._busy()
            await self._let_it_happen()

    def _mornings(self) -> Iterator[datetime]:
        day = SIGN_UPS_BEGIN
        while day <= LAST_MORNING:
            yield datetime(day.year, day.month, day.day, HOUR, tzinfo=KST)
            day += timedelta(days=1)

    async def _wake_up(self, today: date) -> None:
        await self.pg.no_faults()
        if today.year < YEAR:
            signing_up = [n for n, anchor in enumerate(self.anchors) if anchor == today.day]
            await asyncio.gather(*(self._sign_up(n) for n in signing_up))
            return
        fate = self.fates.get(today, Fate())
        for operation, kind in fate.faults:
            await self._trouble(operation, kind)
        for charge, how in fate.ends:
            self.pg.end_at(charge, how)
        self.shop.away = fate.away

    async def _trouble(self, operation: str, kind: str) -> None:
        match kind:
            case "unsent":
                self.pg.unsent.append(operation)
                self.faults["not sent"] += 1
            case "decline":
                await self.pg.fault(operation, kind, method_result_code="NOT_ENOUGH_BALANCE")
            case "delay":
                await self.pg.fault(operation, kind, delay_seconds=0.05, delay_at="after")
            case _:
                await self.pg.fault(operation, kind)

    async def _sign_up(self, number: int) -> None:
        """Register a billing key: the page, the phone and the way back."""
        bill = Bill(number, self.anchors[number], 0)
        joining = f"s{number:04}-join"
        self.shop.bills[joining] = bill
        order = an_order(joining, 0, customer_uid=f"c{number}", key_use=KeyUse.ISSUE)
        shop = "http://shop.test"
        ask = WindowRequest(MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, shop, f"{shop}/")
        opened = await open_window(self.services, ask)
        payment = await self.store.payments.find(MERCHANT, opened.payment.imp_uid)
        window = await self.store.windows.find(MERCHANT, opened.payment.imp_uid)
        token = await self.pg.agree(payment.pg_tid)
        assert token is not None
        assert (await approve(self.services, payment, window, token)).status == "paid"

    async def _let_it_happen(self) -> None:
        """Return once nothing is under way, or nothing moves any more until the clock does."""
        before: Any = None
        unchanged = 0
        while True:
            await self._replace_the_gone()
            seen = await self._busy()
            calling = self.pg.under_way + self.shop.under_way
            if not any(seen.values()) and not calling and not any(hired.ending for hired in self.workers):
                return
            # What is due is taken up, and the file asked for, whether the clock moves or not.
            moves = seen != before or calling or seen["to_claim"] or seen["files"]
            unchanged = 0 if moves else unchanged + 1
            if unchanged > UNCHANGED_MAX:
                return
            before = seen
            self.clock.add(TICK_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def _busy(self) -> dict[str, int]:
        now = self.clock.now()
        # The file of a day is there at eight in the morning.
        yesterday = (now.astimezone(KST) - timedelta(hours=8)).date() - timedelta(days=1)
        return dict((await self.store.engine.fetch(BUSY, now, yesterday.isoformat()))[0])

    # -- the books

    async def records(self) -> Records:
        left = {what: (await self.fetch(sql))[0]["n"] for what, sql in OPEN.items()}
        tables = {name: await self.fetch(sql) for name, sql in TABLES.items()}
        return Records(
            log=await self.pg.log(),
            left={what: count for what, count in left.items() if count},
            clients=self.shop.clients,
            webhooks=self.shop.webhooks,
            **tables,
        )

    async def fetch(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.store.engine.fetch(sql)]


@pytest.fixture
def message() -> Iterator[Counter[str]]:
    """Count what the program logs instead of writing it: a year fills a book."""
    counted: Counter[str] = Counter()

    def count(_: Any, __: str, event: dict[str, Any]) -> Any:
        counted[event["event"]] += 1
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[count])
    yield counted
    structlog.configure(**before)


@pytest.fixture
def postgres_url(all_databases: Databases) -> str:
    return all_databases.url("postgresql")


async def test_a_thousand_subscriptions_are_charged_once_a_month_through_a_leap_year(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: Counter[str]
) -> None:
    began, cpu_before = time.monotonic(), time.process_time()
    for name, seconds in POLLS.items():
        assert hasattr(loops, name), name
        monkeypatch.setattr(loops, name, seconds)
    year = Year(postgres_url, tmp_path, SUBSCRIPTIONS, SEED)
    async with year.opened():
        await year.pass_by()
        records = await year.records()
        findings = await year.fetch("SELECT * FROM findings")
        days = await year.fetch("SELECT * FROM settlement_days WHERE done_at IS NULL")
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_before

    assert not year.shop.wrong, year.shop.wrong[:3]
    taken = _taken_by_month(records, year.shop)
    wanted = {(number, month) for number in range(SUBSCRIPTIONS) for month in range(1, 13)}
    missed, doubled = wanted - taken.keys(), [which for which, times in taken.items() if len(times) > 1]
    reply = _report(year, records, message, missed, doubled, f"{seconds:.0f}, {cpu_seconds:.0f} of them at work")
    print(reply)
    assert not missed, reply
    assert not doubled, reply
    assert taken.keys() == wanted
    # On its own day: the 31st on the last of the month, in February on the 29th; a declined one a day later each time.
    late = [bill for [(bill, at)] in taken.values() if at.date() != bill.due_at.date() or at < bill.due_at]
    assert not late, late[:5]
    leap_day = {at.date() for [(bill, at)] in taken.values() if bill.month == 2 and bill.anchor > 28 and not bill.tries}
    assert leap_day == {date(YEAR, 2, 29)}
    found = check(records)
    assert not found, "\n".join(f"{finding}\n{timeline_of(records, finding.subject)}" for finding in found[:3])
    assert not findings, findings[:3]
    assert not days, days[:3]
    assert all(payment["pg_tid"] for payment in records.payments if payment["status"] == "paid")
    # A quiet year would prove nothing.
    assert sum(bill.tries > 0 for [(bill, _)] in taken.values()) > 100
    assert {line["fault"] for line in records.log} >= {"decline", *UNCLEAR}
    assert message["unknown_resolved"] > BAD_DAYS
    assert year.pg.ended == ENDS
    assert year.shop.turned_away >= MERCHANT_AWAY
    # Of its own: what runs beside it on the same machine is no part of the promise.
    assert cpu_seconds < SECONDS_MAX


def _taken_by_month(records: Records, shop: Shop) -> dict[tuple[int, int], list[tuple[Bill, datetime]]]:
    """Return when the simulator took money for which month of which subscription, by its own log."""
    imp_uid_of = {
        attempt["order_id"]: attempt["imp_uid"] for attempt in records.attempts if attempt["verb"] == "charge"
    }
    uid_of = {payment["imp_uid"]: payment["merchant_uid"] for payment in records.payments}
    taken: dict[tuple[int, int], list[tuple[Bill, datetime]]] = defaultdict(list)
    for line in records.log:
        if line["operation"] == "subscription" and line["outcome"] == "approved":
            assert line["amount"] == PRICE, line
            bill = shop.bills[uid_of[imp_uid_of[line["partner_order_id"]]]]
            taken[bill.customer, bill.month].append((bill, datetime.fromisoformat(line["time"]).astimezone(KST)))
    return taken


def _report(
    year: Year, records: Records, message: Counter[str], missed: Sequence[Any], doubled: Sequence[Any], seconds: str
) -> str:
    charges = [attempt for attempt in records.attempts if attempt["verb"] == "charge"]
    outcomes = Counter(attempt["outcome"] for attempt in charges)
    proofs = Counter(attempt["proof"] for attempt in charges)
    faults = Counter(line["fault"] for line in records.log if line["fault"])
    faults["not sent"] = year.faults["not sent"] - len(year.pg.unsent)
    lines = {
        "subscriptions": len(year.anchors),
        "seconds": seconds,
        "stops": year.stops,
        "charges": f"{len(charges)} {dict(outcomes)}",
        "proofs": dict(proofs),
        "faults": dict(faults),
        "workers": {how.value: count for how, count in year.pg.ended.items()},
        "webhooks turned away": year.shop.turned_away,
        "missed": len(missed),
        "doubled": len(doubled),
        "said": dict(message.most_common(30)),
    }
    return "\n" + "\n".join(f"{what:<24}{value}" for what, value in lines.items())
