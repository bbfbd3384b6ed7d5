"""What is counted, for Prometheus at `/metrics`."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

REGISTRY = CollectorRegistry()
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)

OUTCOMES = Counter(
    "maedal_attempt_outcomes", "Recorded outcomes of calls to PGs.", ("outcome", "proof"), registry=REGISTRY
)
WEBHOOKS = Counter(
    "maedal_webhooks", "Webhooks sent, by whether the receiver took them.", ("delivered",), registry=REGISTRY
)
MESSAGES = Counter(
    "maedal_messages", "Tries to send mail and alerts, by what came of them.", ("handover",), registry=REGISTRY
)
RECORDING_FAILED = Counter(
    "maedal_outcomes_not_recorded", "Outcomes that the store did not take; they are clarified later.", registry=REGISTRY
)
HELD = Gauge(
    "maedal_outcomes_held",
    "Outcomes that this process alone knows, as the database has not acknowledged them; it goes on recording them.",
    registry=REGISTRY,
)
STORE_AWAY = Gauge(
    "maedal_store_away",
    "Whether the database refuses the calls to this process at present: it is away, or takes no writes.",
    registry=REGISTRY,
)
REFUSED_BY_STORE = Counter(
    "maedal_calls_refused_by_store", "Calls that were answered with 503 because of the database.", registry=REGISTRY
)
REFUSED_BY_LIMIT = Counter(
    "maedal_requests_refused_by_limit",
    "Requests that were answered with 429 because somebody had asked for too many, by what was asked for.",
    ("limit",),
    registry=REGISTRY,
)
REQUESTS_NOT_LOGGED = Counter(
    "maedal_requests_not_logged",
    "Calls of the REST API that are missing in the log of calls, because there were too many or the database refused.",
    registry=REGISTRY,
)
RESOLVED = Counter(
    "maedal_unknown_resolved",
    "Unknown outcomes that became known, by what was asked of the PG and what the answer rests on.",
    ("verb", "outcome", "proof"),
    registry=REGISTRY,
)
PG_ERRORS = Counter(
    "maedal_pg_errors",
    "Calls to PGs that took no effect or proved nothing, by the PG's code.",
    ("code",),
    registry=REGISTRY,
)
RECOVERY_TRIES = Counter(
    "maedal_recovery_tries",
    "Failed scheduled charges that were tried again, by why they had failed and how the try ended.",
    ("reason", "status"),
    registry=REGISTRY,
)
POSTPONED = Counter(
    "maedal_schedules_postponed",
    "Scheduled charges that wait: not begun as the PG was closed, met somebody closed, or failed without a decline.",
    ("why",),
    registry=REGISTRY,
)
CLOSED = Gauge(
    "maedal_pg_closed",
    "Whether a PG is under maintenance at present, so that scheduled charges wait.",
    ("pg",),
    registry=REGISTRY,
)
RESTING = Gauge(
    "maedal_channels_resting",
    "Channels that do not work, so that scheduled charges wait: each call through them meets the same fault.",
    ("fault",),
    registry=REGISTRY,
)
CATCHING_UP = Gauge(
    "maedal_catching_up",
    "Whether scheduled charges that waited for a PG's opening are being taken up, oldest first and at their pace.",
    registry=REGISTRY,
)
LEASES_LOST = Counter(
    "maedal_leases_lost",
    "Work that was somebody else's by the time it was done; it changed nothing.",
    ("work",),
    registry=REGISTRY,
)
CHARGED_UNSEEN = Counter(
    "maedal_schedules_charged_unseen",
    "Late scheduled charges that were not begun: their key was charged, unknown to this database, since they were due.",
    registry=REGISTRY,
)
PROMOTIONS = Counter(
    "maedal_database_promotions",
    "Database servers that followed another and were noted by this process: promoted standbys, restored copies.",
    registry=REGISTRY,
)
ASKING_FIRST = Gauge(
    "maedal_asking_first",
    "Whether the database server followed another of late, so that the PG is asked before a key is charged.",
    registry=REGISTRY,
)
FILES = Counter(
    "maedal_settlement_files",
    "Files of past days that were asked of a PG: done, not_there, no_answer, unreadable or broken.",
    ("result",),
    registry=REGISTRY,
)
FINDINGS = Counter(
    "maedal_findings", "Differences found between a PG's file and what is here.", ("kind",), registry=REGISTRY
)
UNKNOWN_OUTCOMES = Gauge(
    "maedal_unknown_outcomes",
    "Calls whose outcome is unknown, by how long ago they were begun at least.",
    ("older_than",),
    registry=REGISTRY,
)
OPEN_WORK = Gauge(
    "maedal_open_work", "Work that is open or due, by kind, counted up to 10000.", ("kind",), registry=REGISTRY
)
OLDEST_SECONDS = Gauge(
    "maedal_oldest_open_work_seconds",
    "For how long the oldest open or due work waits, by kind.",
    ("kind",),
    registry=REGISTRY,
)
VIOLATIONS = Counter(
    "maedal_invariant_violations", "What broke an invariant; the log names each.", ("invariant",), registry=REGISTRY
)
VIOLATED = Gauge(
    "maedal_invariants_violated",
    "What breaks an invariant at present, counted up to 100.",
    ("invariant",),
    registry=REGISTRY,
)

DATABASE_READY = Gauge(
    "maedal_database_ready", "Whether the database takes writes, as this process sees it.", registry=REGISTRY
)
DATABASE_READ_ONLY = Gauge(
    "maedal_database_read_only",
    "Whether servers answer and none of them takes writes: standbys alone, or a primary that was made read-only.",
    registry=REGISTRY,
)
STANDBY_LAG = Gauge(
    "maedal_database_standby_lag_seconds", "By how much the standby that is farthest behind lags.", registry=REGISTRY
)
READ_REPLICA_LAG = Gauge(
    "maedal_read_replica_lag_seconds",
    "How old what the read replica shows is at most; NaN when that is not known, 0 where no replica is set.",
    registry=REGISTRY,
)
READ_REPLICA_UNUSED = Gauge(
    "maedal_read_replica_unused",
    "Whether a read replica is set, and the primary is read in its place: it is away, or too far behind.",
    registry=REGISTRY,
)
SYNCHRONOUS_MISSING = Gauge(
    "maedal_database_synchronous_missing",
    "How many of the synchronous standbys are missing for which every write waits.",
    registry=REGISTRY,
)
WATCHED_AT = Gauge(
    "maedal_last_watch_timestamp_seconds",
    "When this process last measured open work and checked the invariants.",
    registry=REGISTRY,
)

_CODE_LENGTH_MAX = 40
_CODES_MAX = 200
_codes: set[str] = set()


def code_label(code: str) -> str:
    """Return a PG's code as a label: short, plain and one of so many, so that no answer can flood the metrics."""
    plain = (
        code.isascii()
        and len(code) <= _CODE_LENGTH_MAX
        and code.replace(" ", "").replace("-", "").replace("_", "").isalnum()
    )
    if not plain or (code not in _codes and len(_codes) >= _CODES_MAX):
        return "other"
    _codes.add(code)
    return code


def watched(now: datetime) -> None:
    """Note that this process has just looked; Prometheus counts in epoch seconds."""
    WATCHED_AT.set(now.timestamp())


def exposition() -> bytes:
    """Return everything counted, in Prometheus' text format."""
    return generate_latest(REGISTRY)


def serve(host: str, port: int) -> None:
    """Give everything counted over HTTP from a thread of its own; for processes that serve nothing else."""
    start_http_server(port, host, REGISTRY)
