"""A testbed: gateways, a worker, the simulator, a database and a merchant's server, as processes that can be hurt."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from kakaopay_sandbox.clock import KST
from kakaopay_sandbox.settings import BUCKET_ID, FILE_KEY
from maedal.app import open_gateway
from maedal.billing_keys.last_approval import settles_in
from maedal.errors import GatewayError
from maedal.flows.change_schedules import ChangeRequest, change_schedule
from maedal.flows.maintenance import LATER
from maedal.flows.reconcile import ASK_AGAIN
from maedal.flows.run_schedule import LATE
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.schedules.manual_changes import ManualChange
from maedal.settings import Settings, SettingsError, load
from maedal.storage.errors import StoreError
from maedal.vault import create_key_file
from tests.support.rows import Rows, reading
from tests.support.world import free_port

from .findings import Finding
from .process_forks import Wanted, shared_process_forks
from .proxy import Proxy
from .shared_clock import SharedClock
from .timeline import time_of

CODE, API_KEY, API_SECRET = "imp90000001", "9000000000000001", "torture" * 12
CIDS = ("TC0ONETIME", "TCSUBSCRIP")
READY_SECONDS_MAX = 60
TOKEN_SECONDS_MIN = 25 * 60
"""How long a token has to live on when a scenario begins: a quarter of an hour of the testbed's, and what comes before."""
PATIENCE_SECONDS = 120
"""How long a client repeats what may be repeated."""
IN_FLIGHT_SECONDS = 1.0
"""When the clients are silent, after this long no call is under way inside the simulator either, delays aside."""
SETTLE_STEPS_MAX = 90

OPEN = {
    "attempts without an outcome": "SELECT count(*) AS n FROM attempts WHERE outcome IS NULL AND verb <> 'deactivate'",
    "unknown outcomes": "SELECT count(*) AS n FROM attempts WHERE outcome = 'unknown' AND verb IN"
    " ('approve', 'charge', 'cancel')",
    "open payments": "SELECT count(*) AS n FROM payments WHERE status IN ('ready', 'calling', 'unknown')",
    "payments to undo": "SELECT count(*) AS n FROM payments WHERE undo_at IS NOT NULL",
    "keys to end": "SELECT count(*) AS n FROM key_endings WHERE ended_at IS NULL",
    "waiting webhooks": "SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'waiting'",
    "scheduled charges": "SELECT count(*) AS n FROM schedules WHERE held_at IS NULL"
    " AND (status = 'scheduled' OR next_try_at IS NOT NULL)",
}
"""What has to come to an end by itself; one query each. What a person holds waits for that person."""
ALL_OPEN = "SELECT " + ", ".join(f'({sql}) AS "{what}"' for what, sql in OPEN.items())
"""All of it at one moment: a scheduled charge that begins between two queries would be in neither answer."""


DAYS_READ = "SELECT count(*) AS n FROM settlement_days WHERE day = $1 AND done_at IS NOT NULL"
READING_SECONDS = 5.0
READING_TRIES_MAX = 12
"""How long the workers have for the file of a day, and after how many further looks it is found that they never read it."""

TO_JUDGE = (OPEN["attempts without an outcome"], OPEN["unknown outcomes"])

ACTIVITY = (
    "SELECT pid, client_port, state, wait_event, now() - xact_start AS since, pg_blocking_pids(pid)::text AS blockers,"
    " left(query, 300) AS query FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY xact_start"
)
DUE = (
    "SELECT count(*) AS n FROM payments WHERE undo_at <= $1",
    "SELECT count(*) AS n FROM key_endings WHERE ended_at IS NULL AND due_at <= $1",
    (
        "SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'waiting' AND due_at <= $1"
        " AND (leased_until IS NULL OR leased_until <= $1)"
    ),
    (
        "SELECT count(*) AS n FROM schedules WHERE status = 'scheduled' AND held_at IS NULL AND schedule_at <= $1"
        " AND (leased_until IS NULL OR leased_until <= $1)"
    ),
)
"""What the loops will take up at once."""
BUSY = (
    *DUE,
    "SELECT count(*) AS n FROM attempts WHERE outcome IS NULL AND begun_at <= $1",
    "SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'waiting' AND leased_until > $1",
    "SELECT count(*) AS n FROM schedules WHERE status = 'scheduled' AND leased_until > $1",
)
"""What they are at, too, or were when they were killed."""
STILL_SECONDS = 1.2
"""When nothing is due and nothing has moved for so long, after several looks of each loop, only the clock moves it."""
MOVED = (
    "SELECT (SELECT count(*) FROM payment_events) AS events, (SELECT count(*) FROM attempts) AS begun,"
    " (SELECT count(*) FROM attempts WHERE outcome IS NULL) AS open,"
    " (SELECT count(*) FROM attempts WHERE outcome = 'unknown' AND look_at <= $1) AS looks,"
    " (SELECT max(leased_until) FROM schedules WHERE status = 'scheduled') AS leased"
)


@dataclass
class Reply:
    """What a client was told: an HTTP status with its body, or nothing at all."""

    status: int | None
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def response(self) -> Any:
        return self.body.get("response")

    @property
    def paid(self) -> bool:
        return isinstance(self.response, dict) and self.response.get("status") == "paid"

    @property
    def failed(self) -> bool:
        return isinstance(self.response, dict) and self.response.get("status") == "failed"


@dataclass(frozen=True)
class ClientRecord:
    """A client's call and what it was told, kept for the comparison."""

    tag: str
    action: str
    request: dict[str, Any]
    reply: Reply
    at: datetime


class Testbed:
    """Everything that takes part in a torture; use `open_testbed(…)`.

    `watched` is the role, "serve" or "worker", whose processes tell their steps. Several gateways have a worker beside
    them, if no number of `workers` is given. `routes` are addresses of the database by the names of those processes that
    go another way than through the proxy that can be cut; `spared` are processes that nobody may hurt. With `files` the
    channels have a key for KakaoPay's file of a day, which the workers read.
    """

    __test__ = False  # no test, whatever its name begins with

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        gateways: int = 1,
        workers: int = 0,
        watched: str | None = None,
        routes: Mapping[str, str] | None = None,
        spared: Sequence[str] = (),
        files: bool = False,
    ) -> None:
        self.routes, self.spared, self.files = routes or {}, spared, files
        self.folder, self.database_url, self.watched = folder, database_url, watched
        self.engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
        self.clock = SharedClock(folder / "clock")
        self.process_forks = shared_process_forks()
        self.guard: str | None = None
        self.clients: list[ClientRecord] = []
        self.webhooks: list[dict[str, Any]] = []
        self.kills: Counter[str] = Counter()
        """How often a process was killed that was alive, by its name."""
        self.disturbances: list[tuple[datetime, str]] = []
        self.seen: list[Finding] = []
        """What was found while the testbed lived, that no book tells."""
        self._pids: dict[str, int] = {}
        self._lock = threading.RLock()
        self._token_lock = threading.Lock()
        self._local = threading.local()
        self._clients: list[httpx.Client] = []
        self._token: tuple[str, float] | None = None
        self.sandbox_port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.ports = [free_port() for _ in range(gateways)]
        self.to_sandbox = Proxy(self.sandbox_port)
        self.to_database = None if self.engine == "sqlite" else Proxy(urlsplit(database_url).port or 5432)
        self.merchant = _MerchantServer(self.webhooks)
        create_key_file(folder / "keys.json")
        self.settings = {
            "MAEDAL_DATABASE_URL": self._through_proxy(),
            "MAEDAL_KEY_FILE": str(folder / "keys.json"),
            "MAEDAL_PUBLIC_URL": self.gateway(0),
            "MAEDAL_SANDBOX_URL": f"http://127.0.0.1:{self.to_sandbox.port}",
            "MAEDAL_ALLOW_PRIVATE_ADDRESSES": "true",
            "MAEDAL_BUSY_WAIT_SECONDS": "3",
            "MAEDAL_CLARIFY_WAIT_SECONDS": "2",
        }
        # PostgreSQL takes several gateways and workers of their own; an SQLite file has one process.
        self.workers = [f"worker-{n}" for n in range(workers)] or (["worker"] if gateways > 1 else [])
        self.names = [f"serve-{n}" for n in range(gateways)] + self.workers
        self.targets = [name for name in self.names if name not in self.spared]

    def gateway(self, node: int) -> str:
        return f"http://127.0.0.1:{self.ports[node]}"

    # -- processes

    def open(self) -> None:
        self.start("sandbox")
        self.wait_until_answers(f"{self.sandbox_url}/healthz")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self._prepare()).result()
        for name in self.names:
            self.start(name)
        for node in range(len(self.ports)):
            self.wait_until_answers(f"{self.gateway(node)}/readyz")

    def close(self) -> None:
        for pid in self._pids.values():
            if self.process_forks.ended(pid) is None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for pid in self._pids.values():
            self.process_forks.ended(pid, 30)
        for client in self._clients:
            client.close()
        self.to_sandbox.close()
        if self.to_database is not None:
            self.to_database.close()
        self.merchant.close()

    def start(self, name: str) -> None:
        """Start a process of the testbed under its name, which must not be running."""
        role = name.partition("-")[0]
        # Beside a worker of its own, gateways only answer.
        how = "serve-only" if role == "serve" and self.workers else role
        ports = {"sandbox": self.sandbox_port} | {f"serve-{n}": port for n, port in enumerate(self.ports)}
        route = {"MAEDAL_DATABASE_URL": self.routes[name]} if name in self.routes else {}
        wanted = Wanted(
            name, how, str(self.folder), ports.get(name, 0), self.settings | route, role == self.watched, self.guard
        )
        with self._lock:
            self._pids[name] = self.process_forks.start(wanted)

    def pid(self, name: str) -> int:
        return self._pids[name]

    def dead(self, name: str, within_seconds: float = 0) -> bool:
        return self.process_forks.ended(self._pids[name], within_seconds) is not None

    def kill(self, name: str) -> None:
        """Kill a process as nothing else does: no handler runs, no buffer is written."""
        with self._lock:
            if not self.dead(name):
                # It may have ended by itself just now, for want of the database; that is no kill.
                with suppress(ProcessLookupError):
                    os.kill(self._pids[name], signal.SIGKILL)
                    self.kills[name] += 1
                    self.note(f"kill {name}")
        assert self.dead(name, 10), name

    def note(self, text: str) -> None:
        """Remember what is done to the testbed, for the story."""
        self.disturbances.append((self.clock.now(), text))

    def freeze(self, name: str) -> None:
        self.note(f"freeze {name}")
        # It may have ended by itself meanwhile, for want of the database.
        with suppress(ProcessLookupError):
            os.kill(self._pids[name], signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.note(f"thaw {name}")
        if not self.dead(name):
            with suppress(ProcessLookupError):
                os.kill(self._pids[name], signal.SIGCONT)

    def revive(self) -> None:
        """Start whatever is dead, as a supervisor does."""
        with self._lock:
            for name in ["sandbox", *self.names]:
                if self.dead(name):
                    self.start(name)

    @contextmanager
    def supervised(self, name: str) -> Iterator[Supervisor]:
        """Start a process again whenever it dies inside the block."""
        supervisor = Supervisor(self, name)
        try:
            yield supervisor
        finally:
            supervisor.end()

    def wait_until_idle(
        self, seconds: float = 3.0, unless: Callable[[], bool] = lambda: False, what: Sequence[str] = BUSY
    ) -> None:
        """Return once nothing is under way or due right now, or the time is up; unknown outcomes may stay."""
        deadline = time.monotonic() + seconds
        with reading(self.database_url) as rows:
            while time.monotonic() < deadline and not unless():
                now = self.clock.now()
                if not any(rows.fetch(sql, now)[0]["n"] for sql in what):
                    return
                time.sleep(0.1)

    @contextmanager
    def stillness(self, merchant_uid: str) -> Iterator[Callable[[], tuple[str | None, bool]]]:
        """Give what tells a payment's status in the database, and whether nothing moves until the clock does."""
        moved_at, before = time.monotonic(), None
        with ExitStack() as opened:
            rows: Rows | None = None

            def look() -> tuple[str | None, bool]:
                nonlocal moved_at, before, rows
                now = self.clock.now()
                try:
                    if rows is None:
                        rows = opened.enter_context(reading(self.database_url))
                    found = rows.fetch("SELECT status FROM payments WHERE merchant_uid = $1", merchant_uid)
                    status = found[0]["status"] if found else None
                    seen = (status, rows.fetch(MOVED, now))
                    due = any(rows.fetch(sql, now)[0]["n"] for sql in DUE)
                except (StoreError, OSError):
                    # It fails over just now; whoever looks again finds who has taken over.
                    moved_at, before = time.monotonic(), None
                    return None, False
                if seen != before or due:
                    moved_at, before = time.monotonic(), seen
                return status, time.monotonic() - moved_at > STILL_SECONDS

            yield look

    def wait_until_answers(self, url: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                if self.http.get(url, timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, (url, self.last_words())
            time.sleep(0.02)
            meanwhile()

    def wait_until_serving(self, name: str, ending: threading.Event) -> None:
        """Return once a gateway takes connections, or when it is over; a worker tells nobody that it is there."""
        if not name.startswith("serve"):
            return
        address = ("127.0.0.1", self.ports[int(name.partition("-")[2])])
        while not ending.wait(0.02):
            with suppress(OSError), socket.create_connection(address, timeout=1):
                return

    def steps(self, name: str) -> list[str]:
        """Return the steps that a traced process has told."""
        path = self.folder / f"{name}.steps"
        return path.read_text().splitlines() if path.exists() else []

    @contextmanager
    def armed(self, step: str = "", how: str = "kill") -> Iterator[None]:
        """Let steps be told inside the block; the process that first comes to `step` is killed or frozen there."""
        being_written = self.folder / "arming"
        being_written.write_text(f"{how} {step}")
        being_written.rename(self.folder / "armed")
        try:
            yield
        finally:
            (self.folder / "armed").unlink(missing_ok=True)

    def last_words(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text()[-1_500:]}" for log in sorted(self.folder.glob("*.log")))

    # -- clients

    @property
    def http(self) -> httpx.Client:
        """Return this thread's client; connections are not kept, because gateways come and go."""
        if not hasattr(self._local, "http"):
            limits = httpx.Limits(max_keepalive_connections=0)
            self._local.http = httpx.Client(timeout=30, limits=limits)
            self._clients.append(self._local.http)
        client: httpx.Client = self._local.http
        return client

    def once(
        self, method: str, path: str, body: Any = None, *, node: int = 0, token: bool = True, key: str | None = None
    ) -> Reply:
        """Call a gateway once, with a new token when the old one ran out on the way; no answer is no answer."""
        try:
            headers = {} if key is None else {"Idempotency-Key": key}
            for _ in range(2):
                if token:
                    headers["Authorization"] = self.token()
                answer = self.http.request(method, self.gateway(node) + path, json=body, headers=headers)
                if answer.status_code != 401 or not token:
                    break
                # The testbed's clock was moved on: nothing was done, and a shop asks for a new token.
                self.forget_token()
            return Reply(answer.status_code, answer.json())
        except (httpx.HTTPError, json.JSONDecodeError):
            return Reply(None)

    def ask(self, path: str, *, token: bool = True) -> Reply:
        """Read from any gateway until one answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        node = 0
        while True:
            reply = self.once("GET", path, node=node, token=token)
            if reply.status is not None and reply.status < 500:
                return reply
            assert time.monotonic() < deadline, f"nobody answers {path}\n{self.last_words()}"
            node = (node + 1) % len(self.ports)
            time.sleep(0.05)

    def token(self) -> str:
        with self._token_lock:
            if self._token is None or self._token[1] < self.clock.now().timestamp() + 60:
                self._token = self._get_token()
            return self._token[0]

    def live_on_one_token(self) -> None:
        """Have a token that outlives what takes a quarter of an hour; the clock moves on to the end of an older one."""
        self.token()
        assert self._token is not None
        left_seconds = self._token[1] - self.clock.now().timestamp()
        if left_seconds < TOKEN_SECONDS_MIN:
            self.advance(left_seconds + 1)
            self.token()

    def forget_token(self) -> None:
        with self._token_lock:
            self._token = None

    def _get_token(self) -> tuple[str, float]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        node = 0
        while True:
            pair = {"imp_key": API_KEY, "imp_secret": API_SECRET}
            reply = self.once("POST", "/users/getToken", pair, node=node, token=False)
            if reply.status == 200:
                return reply.response["access_token"], reply.response["expired_at"]
            assert time.monotonic() < deadline, f"nobody gives a token\n{self.last_words()}"
            node = (node + 1) % len(self.ports)
            time.sleep(0.05)

    def keep(self, tag: str, action: str, request: dict[str, Any], reply: Reply) -> Reply:
        """Remember what a client was told, for the comparison."""
        self.clients.append(ClientRecord(tag, action, request, reply, self.clock.now()))
        return reply

    def hold(self, merchant_uid: str) -> None:
        """Keep a scheduled charge from being made, as a person does in the console. An SQLite file has no place for it."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self._hold(merchant_uid)).result()
        self.keep("console", "hold", {"merchant_uid": merchant_uid}, Reply(200))

    def try_to_hold(self, merchant_uid: str) -> bool:
        """Hold a scheduled charge, or not: it may be made meanwhile, or the database be away."""
        try:
            self.hold(merchant_uid)
        except (GatewayError, SettingsError, StoreError, OSError, TimeoutError):
            return False
        return True

    async def _hold(self, merchant_uid: str) -> None:
        async with open_gateway(self._settings_of_a_command(), serving=False, clock=self.clock) as gateway:
            planned = await gateway.services.store.schedules.find(CODE, merchant_uid)
            if planned is None:
                raise StoreError(f"{merchant_uid} is not there")
            await change_schedule(gateway.services, planned, ChangeRequest(ManualChange.HOLD, "torture"))

    # -- the simulator

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's control API until it answers; it may be dead for a moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.http.request(method, f"{self.sandbox_url}/_sim/{path}", json=body)
                if answer.status_code < 500:
                    return answer.json()
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, f"the simulator does not answer {path}"
            time.sleep(0.05)

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.note(f"fault {kind} on {operation} {more or ''}")
        self.sim("POST", "faults", {"operation": operation, "kind": kind, "times": 1} | more)

    def refund_at_the_pg(self, tid: str, amount: int) -> bool:
        """Give money back in KakaoPay's own console; false when there is not so much left."""
        self.note(f"refund of {amount} at KakaoPay, {tid}")
        return "aid" in self.sim("POST", f"orders/{tid}/refund", {"amount": amount})

    def tell_times_off(self, seconds: int, spread: int = 0) -> None:
        """Let KakaoPay's later replies tell times that differ by so much from those of approve and charge."""
        self.note(f"times are told {seconds} s off, and {spread} more either way")
        self.sim("POST", "time-offset", {"seconds": seconds, "spread": spread})

    # -- the end of a round

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def let_keys_settle(self) -> None:
        """Let so much time pass that a charge of a key whose approval its own reply told may begin."""
        self.advance(settles_in(in_reply=True).total_seconds() + 0.1)

    def advance_beyond_wait(self, merchant_uid: str) -> None:
        """Move on until a scheduled charge waits no more for somebody closed: a quarter of an hour, or until morning."""
        with reading(self.database_url) as rows:
            found = rows.fetch("SELECT waits_until FROM schedules WHERE merchant_uid = $1", merchant_uid)
        now = self.clock.now()
        waits_until = [time_of(row["waits_until"]) for row in found if row["waits_until"] is not None]
        # A minute more, and it is late.
        self.advance((max(waits_until, default=now + LATER) - now + LATE).total_seconds())

    def judge_what_is_frozen(self) -> None:
        """Let the worker give up what a frozen process has under way, ask, and after the longest unclear time know."""
        # An outcome may well stay unknown until the clock is moved on for the last time.
        for seconds, patience in ((120, 1), (1_500, 1), (1_500, 20)):
            self.advance(seconds)
            self._wait_until_judged(patience)

    def _wait_until_judged(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        with reading(self.database_url) as rows:
            while any(rows.fetch(sql)[0]["n"] for sql in TO_JUDGE) and time.monotonic() < deadline:
                time.sleep(0.05)

    def settle(self) -> dict[str, int]:
        """Let the workers run through as many hours as they need; return what is still open then."""
        self.sim("DELETE", "faults")
        self.revive()
        for node in range(len(self.ports)):
            # One that began to start while its database was cut off ends when it has waited long enough for it.
            self.wait_until_answers(f"{self.gateway(node)}/readyz", meanwhile=self.revive)
        time.sleep(IN_FLIGHT_SECONDS)
        with reading(self.database_url) as rows:
            left: dict[str, int] = {}
            for turn in range(SETTLE_STEPS_MAX):
                [counted] = rows.fetch(ALL_OPEN)
                left = {what: counted[what] for what in OPEN if counted[what]}
                if not left:
                    return {}
                self.advance(180 if turn < 20 else 3_600)
                time.sleep(0.25)
                self.revive()
        return left

    def reconcile(self) -> bool:
        """Go on to the morning after everything that happened, and let the workers read the files of all days."""
        days = sorted({line["time"][:10] for line in self.sim("GET", "log")})
        if not days:
            return True
        morning = datetime.fromisoformat(days[-1]).replace(tzinfo=KST) + timedelta(days=1, hours=8, minutes=30)
        self.advance(max(0.0, (morning - self.clock.now()).total_seconds()))
        with reading(self.database_url) as rows:
            for _ in range(READING_TRIES_MAX):
                deadline = time.monotonic() + READING_SECONDS
                while time.monotonic() < deadline:
                    if rows.fetch(DAYS_READ, days[-1])[0]["n"] == len(CIDS):
                        return True
                    time.sleep(0.1)
                self.advance(ASK_AGAIN.total_seconds() + 1)
                self.revive()
        return False

    def ask_what_it_waits_for(self) -> None:
        """Have the worker and the database write what they wait for, beside the processes' logs."""
        if self.engine == "postgresql":
            with reading(self.database_url) as rows:
                found = rows.fetch(ACTIVITY)
            (self.folder / "database.log").write_text("\n".join(map(str, found)))
        for name in self.workers:
            os.kill(self.pid(name), signal.SIGUSR1)
        time.sleep(1)

    def _through_proxy(self) -> str:
        if self.to_database is None:
            return self.database_url
        parts = urlsplit(self.database_url)
        place = parts.netloc.rpartition(":")[0]
        return urlunsplit(parts._replace(netloc=f"{place}:{self.to_database.port}"))

    def _settings_of_a_command(self) -> Settings:
        return load(self.settings | {"MAEDAL_DATABASE_URL": self.database_url})

    async def _prepare(self) -> None:
        async with open_gateway(self._settings_of_a_command(), serving=False, clock=self.clock) as gateway:
            await create_merchant(
                gateway.services,
                "Torture",
                code=CODE,
                api_key=API_KEY,
                api_secret=API_SECRET,
                webhook_url_test=self.merchant.url,
            )
            for cid in CIDS:
                files = {"file_key": FILE_KEY, "file_bucket": BUCKET_ID} if self.files else {}
                await add_channel(gateway.services, CODE, ChannelSettings(cid=cid, test_mode=True, **files))


class Supervisor:
    """Starts one process again, from a thread of its own, as often as it dies."""

    def __init__(self, testbed: Testbed, name: str) -> None:
        self.died = threading.Event()
        self._testbed, self._name = testbed, name
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join(15)

    def _watch(self) -> None:
        while not self._ending.is_set():
            if self._testbed.dead(self._name, 0.1):
                self.died.set()
                self._testbed.kills[self._name] += 1
                self._testbed.note(f"{self._name} has died")
                self._testbed.start(self._name)


class _MerchantServer:
    """Takes webhooks and remembers them; each takes it so many `seconds`."""

    def __init__(self, received: list[dict[str, Any]]) -> None:
        self.seconds = 0.0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                time.sleep(server.seconds)
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # whoever sent it was killed

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def open_testbed(
    folder: Path, database_url: str, *, gateways: int = 1, workers: int = 0, watched: str | None = None, **more: Any
) -> Iterator[Testbed]:
    """Build a testbed around a fresh, migrated database, and take it down in the end."""
    built = Testbed(folder, database_url, gateways=gateways, workers=workers, watched=watched, **more)
    try:
        built.open()
        yield built
    finally:
        built.close()
