"""Health for machines: alive, ready, measured."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from litestar import Response, get

from maedal import metrics
from maedal.flows.check_invariants import measure
from maedal.rest.auth import AnyRequest
from maedal.storage.errors import StoreError
from maedal.storage.health import replica_text

MEASURE_SECONDS = 8
"""Less than Prometheus waits for an answer."""
_log = structlog.get_logger()
_T = TypeVar("_T")


async def _shared(request: AnyRequest, name: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Return what `work` gives, once for however many ask meanwhile: anybody may ask, and it costs queries."""
    running: dict[str, asyncio.Task[Any]] = request.app.state.setdefault("shared_work", {})
    task = running.get(name)
    if task is None or task.done():
        task = running[name] = asyncio.create_task(work())
    result: _T = await asyncio.shield(task)
    return result


REFUSED = b"/metrics is read from this machine, or with MAEDAL_METRICS_TOKEN as a bearer token\n"
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""A proxy on this machine calls from loopback as well; these are how it says that somebody else asks."""


def _may_read(request: AnyRequest) -> bool:
    token: str | None = request.app.state.settings.metrics_token
    if token is not None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


@get("/healthz", sync_to_thread=False)
def alive() -> Response[dict[str, str]]:
    """Say that the process answers."""
    return Response({"status": "ok"})


@get("/readyz")
async def ready(request: AnyRequest) -> Response[dict[str, str]]:
    """Say whether the database takes writes and its schema is ours; 503 with what to do when not.

    It answers within a few seconds, also while no database does.
    """
    health = await _shared(request, "health", request.app.state.store.health)
    problem = request.app.state.services.key_standing.problem
    if health.ready and problem is not None:
        return Response({"status": "not ready", "problem": problem}, status_code=503)
    if health.ready:
        # Who reads only the status code is served by it; the rest is for people.
        replica = request.app.state.replica
        reads = {"read_replica": replica_text(replica.standing())} if replica is not None else {}
        return Response({"status": "ok"} | ({"warning": "; ".join(health.warnings)} if health.warnings else {}) | reads)
    return Response({"status": "not ready", "problem": health.problem or ""}, status_code=503)


@get("/metrics")
async def measured(request: AnyRequest) -> Response[bytes]:
    """Give everything counted, in Prometheus' text format; what is open is measured now, on whichever node it is.

    With a `metrics_token` to whoever shows it, otherwise to programs on this machine: the figures tell the turnover.
    """
    if not _may_read(request):
        return Response(REFUSED, status_code=403, media_type="text/plain")
    try:
        async with asyncio.timeout(MEASURE_SECONDS):
            await _shared(request, "measuring", lambda: measure(request.app.state.services))
    except (StoreError, TimeoutError):
        _log.warning("open_work_not_measured")  # the rest is worth giving, above all while the database is away
    if request.app.state.replica is not None:
        standing = request.app.state.replica.standing()
        metrics.READ_REPLICA_UNUSED.set(standing.problem is not None)
        metrics.READ_REPLICA_LAG.set(float("nan") if standing.lag_seconds is None else standing.lag_seconds)
    return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")
