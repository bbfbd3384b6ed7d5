"""What is asked of each database in a round, and the lists that are looked through afterwards."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from tests.console.people import Person
from tests.support.rows import Rows

from bench.load import Measured, Question, Task
from bench.proc import cpu_seconds
from bench.programs import ProgramFailed, answer_of, ask
from bench.seed import Shop, add_scheduled
from maedal.app import open_gateway
from maedal.settings import Settings

CALLERS = 16
SECONDS_MAX = 600.0
POLL_SECONDS = 0.05
LEAD_SECONDS = 5.0
"""How long before they are due scheduled charges are planned; planning them must be over by then."""
LOOKED_UP = 500
"""So many of the shop's payments are looked up, from all of its past."""
EXAMPLES = """
SELECT imp_uid, merchant_uid FROM payments WHERE merchant_id = $1 AND imp_uid > $2 ORDER BY imp_uid LIMIT 1
"""
NEWEST = """
SELECT imp_uid, customer_uid, billing_key_id FROM payments
 WHERE merchant_id = $1 AND imp_uid > 'imp_0000' AND imp_uid < 'imp_0001'
   AND customer_uid IS NOT NULL ORDER BY imp_uid DESC LIMIT 1
"""
LEFT = """
SELECT count(*) AS n FROM schedules s LEFT JOIN payments p ON p.merchant_id = s.merchant_id AND p.imp_uid = s.imp_uid
 WHERE s.merchant_id = $1 AND s.merchant_uid >= $2 AND s.merchant_uid < $3
   AND (s.status <> 'executed' OR p.status <> 'paid')
"""
NEXT = re.compile(r'<a[^>]*\brel="next"[^>]*\bhref="([^"]+)"')
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU of one request, in milliseconds. The database's is None where the gateway itself is the database."""

    gateway_ms: float
    database_ms: float | None

    @property
    def total_ms(self) -> float:
        return self.gateway_ms + (self.database_ms or 0.0)


@dataclass(frozen=True, slots=True)
class Place:
    """A database of one size with the gateway that serves it. `database` is the process id of its PostgreSQL."""

    engine: str
    payments: int
    settings: Settings
    shop: Shop
    password: str
    token: str
    port: int
    pid: int
    database: int | None
    pg_port: int
    rows: Rows

    @property
    def name(self) -> str:
        return f"{self.engine} {self.payments:,}"

    def watched(self) -> dict[str, int]:
        return {"gateway": self.pid} | ({} if self.database is None else {"database": self.database})

    def examples(self) -> tuple[str, str]:
        """Return the ids of a payment and a billing key of the shop."""
        row = self.rows.fetch(NEWEST, self.shop.code)[0]
        return row["imp_uid"], row["billing_key_id"]


Work = Callable[[Place, int, int, int], tuple[Spent, list[str]]]


def _again(place: Place, round_number: int, warm_up: int, asked: int) -> tuple[Spent, list[str]]:
    ask(place.pg_port, "/bench/start/0", post=True)
    first = round_number * (warm_up + 2 * asked)
    spent, complaints = _load(place, [], warm_up, asked, first)
    seen = _seen(place)
    if set(seen.values()) != {warm_up + asked}:
        complaints.append(f"{warm_up + asked} charges, but the PG saw {seen}")
    return spent, complaints


def _planned(place: Place, round_number: int, warm_up: int, asked: int) -> tuple[Spent, list[str]]:
    """Let what is due at one moment be made, and measure after the first tenth, which finds cold connections."""
    ask(place.pg_port, "/bench/start/0", post=True)
    first = round_number * (warm_up + 2 * asked) + warm_up + asked
    asyncio.run(_schedule(place, range(first, first + asked), f"planned-{round_number}-"))
    deadline = time.monotonic() + SECONDS_MAX
    made = _wait_for(place, asked // 10, deadline)
    before = {name: cpu_seconds(pid) for name, pid in place.watched().items()}
    _wait_for(place, asked, deadline)
    prefix = f"planned-{round_number}-"
    while place.rows.fetch(LEFT, place.shop.code, prefix, prefix + "~")[0]["n"]:
        if time.monotonic() > deadline:
            return Spent(0.0, None), [f"not every scheduled charge was recorded as paid in {SECONDS_MAX:.0f} s"]
        time.sleep(POLL_SECONDS)
    cpu = {name: cpu_seconds(pid) - before[name] for name, pid in place.watched().items()}
    seen = _seen(place)
    complaints = [] if set(seen.values()) == {asked} else [f"{asked} were due, but the PG saw {seen}"]
    return _spent(cpu, max(1, asked - made)), complaints


def _token(place: Place, _: int, warm_up: int, asked: int) -> tuple[Spent, list[str]]:
    pair = {"imp_key": place.shop.api_key, "imp_secret": place.shop.api_secret}
    question = Question("POST", "/users/getToken", msgspec.json.encode(pair).decode())
    return _load(place, [question], warm_up, asked, 0)


def _lookup(place: Place, round_number: int, warm_up: int, asked: int) -> tuple[Spent, list[str]]:
    step = place.payments // LOOKED_UP
    found = [
        place.rows.fetch(EXAMPLES, place.shop.code, f"imp_{number:012}")
        for number in range(round_number, place.payments - step, step)
    ]
    paths = [path for rows in found for row in rows for path in _paths(row)]
    return _load(place, [Question("GET", path) for path in paths], warm_up, asked, 0)


def _paths(row: dict[str, str]) -> tuple[str, str]:
    return f"/payments/{row['imp_uid']}", f"/payments/find/{row['merchant_uid']}"


WORK: dict[str, Work] = {"again": _again, "planned charge": _planned, "token": _token, "lookup": _lookup}


def _load(place: Place, questions: Sequence[Question], warm_up: int, asked: int, first: int) -> tuple[Spent, list[str]]:
    task = Task(
        place.port, place.token, CALLERS, first, warm_up, asked, fetch_again=False, seconds_max=SECONDS_MAX,
        watched=place.watched(), questions=list(questions),
    )  # fmt: skip
    answer = answer_of("bench.load", msgspec.json.encode(task), 3 * SECONDS_MAX)
    measured = msgspec.json.decode(answer, type=Measured)
    return _spent(measured.cpu, asked), measured.complaints


def _spent(cpu: dict[str, float], count: int) -> Spent:
    return Spent(cpu["gateway"] * 1000 / count, cpu["database"] * 1000 / count if "database" in cpu else None)


def _seen(place: Place) -> dict[str, int]:
    return msgspec.json.decode(ask(place.pg_port, "/bench/seen"), type=dict[str, int])


def _wait_for(place: Place, wanted: int, deadline: float) -> int:
    while (made := _seen(place)["charges"]) < wanted:
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{made} of {wanted} scheduled charges were made in {SECONDS_MAX:.0f} s")
        time.sleep(POLL_SECONDS)
    return made


async def _schedule(place: Place, numbers: range, prefix: str) -> None:
    async with open_gateway(place.settings, serving=False) as gateway:
        due = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        await add_scheduled(gateway, place.shop.channel, numbers, prefix, due)


def addresses(place: Place, person: Person) -> dict[str, str]:
    """Return the lists of the REST API, and the hundredth page of each list, or its last where it has fewer."""
    customer = place.rows.fetch(NEWEST, place.shop.code)[0]["customer_uid"]
    now = int(time.time())
    planned = f"/subscribe/payments/schedule?schedule_from={now - 85 * 86_400}&schedule_to={now}"
    lists = {
        "REST: paid": "/payments/status/paid?limit=20",
        "REST: all": "/payments/status/all?limit=20",
        "REST: failed": "/payments/status/failed?limit=20",
        "REST: ready": "/payments/status/ready?limit=20",
        "REST: paid, by when paid": "/payments/status/paid?limit=20&sorting=-paid",
        "REST: all, by when changed": "/payments/status/all?limit=20&sorting=-updated",
        "REST: all, oldest first": "/payments/status/all?limit=20&sorting=started",
        "REST: scheduled charges": planned,
        "REST: scheduled charges, executed": f"{planned}&schedule_status=executed&sorting=scheduled",
        "REST: a customer's payments": f"/subscribe/customers/{customer}/payments?page=1",
    }
    found = {}
    for name, address in lists.items():
        found[f"{name}, first page"] = address
        total = msgspec.json.decode(person.open(address).content)["response"]["total"]
        page = max(1, min(HUNDRED, -(-total // 20)))
        found[f"{name}, page {HUNDRED}"] = f"{address.replace('page=1', 'limit=20')}&page={page}"
    of = f"/console/merchants/{place.shop.code}"
    for name, address in {
        "payments, all time": f"{of}/payments?span=all",
        "payments, failed": f"{of}/payments?span=all&status=failed",
        "payments, a name": f"{of}/payments?span=all&word=김민지",
        "scheduled charges": f"{of}/schedules",
        "what lies ahead": f"{of}/upcoming",
        "webhook log": f"{of}/webhook-log?days=365",
        "audit log": f"{of}/log",
    }.items():
        found[f"{name}, hundredth page"] = address
    return found


def hundredth(person: Person, address: str) -> str:
    """Return the address of a list's hundredth page, or of its last, by its own links."""
    for _ in range(HUNDRED - 1):
        link = NEXT.search(person.open(address).text)
        if link is None:
            return address
        address = html.unescape(link[1])
    return address
