"""How the PostgreSQL server stands, looked at every second: who it is, whether it takes writes, who follows it.

A session does not notice by itself that its server was demoted, was replaced or is frozen, and nobody answers what a
frozen server was asked. So a watcher with a connection of its own looks, apart from the pool. What it finds out ends
connections, answers `/readyz` without waiting, and is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from maedal.storage.engine.connecting import CONNECT_ERRORS, Connector, Server, ServerConnection, look
from maedal.storage.errors import NoPrimary, StoreError
from maedal.storage.health import Standing

_log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How long the watcher rests. A server that was demoted is read for that, and the time of one look, at most."""
ANSWER_SECONDS_MAX = 3.0
"""How long the server may take to say who it is."""
FOLLOWERS_SECONDS = 5.0
"""How often the server is asked who follows it, and the other hosts of the address whether they were promoted."""
LAG_SECONDS_MAX = 10.0
"""From which lag on a standby is told of."""
OLDEST_VERSION, NEWEST_VERSION = 14, 18
"""The versions of PostgreSQL between which maedal is supported; the tests of the storage run on both."""

FOLLOWERS = """
SELECT state, sync_state,
       greatest(coalesce(extract(epoch FROM replay_lag), 0),
                CASE WHEN pg_current_wal_lsn() > replay_lsn THEN extract(epoch FROM clock_timestamp() - reply_time)
                     ELSE 0 END)::float8 AS lag_seconds
FROM pg_stat_replication
"""
SYNCHRONOUS = """
SELECT current_setting('synchronous_standby_names') AS names, current_setting('synchronous_commit') AS commit
"""
_COUNTED = re.compile(r"\s*(?:FIRST\s+|ANY\s+)?(\d+)\s*\(", re.IGNORECASE)


def synchronous_wanted(names: str, commit: str) -> int:
    """Return for how many standbys each commit waits, by `synchronous_standby_names` and `synchronous_commit`."""
    if not names.strip() or commit in {"off", "local"}:
        return 0
    counted = _COUNTED.match(names)
    return int(counted[1]) if counted else 1


class Watcher:
    """Looks at the server, every second from `start` to `close`, and otherwise when asked."""

    def __init__(self, connector: Connector, part: Callable[[], None]) -> None:
        """`part` has the pool part with its present connections."""
        self._connector = connector
        self._part_all = part
        self._connection: ServerConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._standing: Standing | None = None
        self._looked_at = float("-inf")
        self._asked_at = float("-inf")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._part()

    async def standing(self) -> Standing:
        """Return how the server stands: as the watcher has just seen it, or else by a look at it."""
        if self._task is None:
            await self._look()
            if self._standing is not None and self._standing.problem is not None and not self._standing.read_only:
                # Whoever asks now starts, or does not, by the answer: one slow connection is no reason to refuse.
                await self._look()
        assert self._standing is not None, "one look was taken before the watch began"
        age = time.monotonic() - self._looked_at
        if self._standing.problem is None and age > LOOK_SECONDS + ANSWER_SECONDS_MAX:
            # The look that is under way waits for hosts that do not answer.
            return replace(self._standing, problem=f"the database has not answered for {age:.0f} s")
        return self._standing

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                # A bug here must not end the watch over the database.
                _log.exception("database_not_watched")

    async def _look(self) -> None:
        before = self._standing
        try:
            standing = await self._describe(await self._ask_server())
        except StoreError as error:
            self._part()
            standing = Standing(problem=str(error), read_only=isinstance(error, NoPrimary))
        self._standing, self._looked_at = standing, time.monotonic()
        if standing.problem and (before is None or before.problem is None):
            _log.error("database_away", problem=standing.problem)
        elif before is not None and before.problem and standing.problem is None:
            _log.warning("database_back", host=standing.host)

    async def _ask_server(self) -> Server:
        """Return whom the watcher's connection leads to, over a new one if the last leads nowhere good."""
        if self._connection is not None:
            try:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    server = await look(self._connection, self._connection.server.host)
                refused = self._connector.learn(server) or await self._surpassed(server)
            except CONNECT_ERRORS:
                refused = None
            else:
                if refused is None:
                    return server
                _log.warning("database_left", host=str(server.host), because=refused)
                self._part_all()
            self._part()
        self._connection = await self._connector.connect()
        return self._connection.server

    async def _surpassed(self, server: Server) -> str | None:
        """Return why this server counts no more, should another host of the address be on a newer timeline.

        One that was cut off from the others, or whose manager sleeps, goes on as a primary and does not know better.
        """
        if time.monotonic() - self._asked_at < FOLLOWERS_SECONDS or not await self._connector.find_newer(server):
            return None
        return "another host of the address is on a newer timeline"

    async def _describe(self, server: Server) -> Standing:
        known = self._standing if self._standing is not None and self._standing.problem is None else Standing()
        standing = replace(
            known,
            host=str(server.host),
            version=server.version,
            pooled=server.pooled,
            read_only=not server.takes_writes,
            problem="the database is read-only" if not server.takes_writes else None,
        )
        if known.host is None or time.monotonic() - self._asked_at >= FOLLOWERS_SECONDS:
            self._asked_at = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    followers = await self._fetch(FOLLOWERS)
                    [synchronous] = await self._fetch(SYNCHRONOUS)
            except CONNECT_ERRORS:
                return standing  # it has just said that it takes writes; only who follows it is not told
            standing = with_followers(standing, followers, synchronous)
        if standing.problem is None and standing.synchronous_missing:
            standing = replace(
                standing,
                problem=f"every write waits: synchronous_standby_names asks for {standing.synchronous_wanted}"
                f" synchronous standby, and there is {standing.synchronous or 'none'}",
            )
        return standing

    async def _fetch(self, sql: str) -> Sequence[Mapping[str, Any]]:
        assert self._connection is not None
        statement = await self._connection.prepare(sql, name="")
        rows: Sequence[Mapping[str, Any]] = await statement.fetch()
        return rows

    def _part(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.terminate()
            self._connection = None


def with_followers(
    standing: Standing, followers: Sequence[Mapping[str, Any]], synchronous: Mapping[str, Any]
) -> Standing:
    """Return `standing` with who follows the server; without the right to see them nothing is said of them."""
    hidden = any(row["state"] is None for row in followers)
    streaming = [row for row in followers if row["state"] == "streaming"]
    return replace(
        standing,
        followers=None if hidden else len(streaming),
        synchronous_wanted=synchronous_wanted(synchronous["names"], synchronous["commit"]),
        synchronous=None if hidden else sum(row["sync_state"] in {"sync", "quorum"} for row in streaming),
        lag_seconds=max((row["lag_seconds"] for row in streaming), default=0.0) if not hidden else None,
    )


def warnings(standing: Standing) -> list[str]:
    """Return what is not well though charges can be made, as sentences for whoever keeps the database."""
    sentences: list[str] = []
    major = (standing.version or 0) // 10_000
    if standing.version is not None and not OLDEST_VERSION <= major <= NEWEST_VERSION:
        sentences.append(f"PostgreSQL {major} is not supported; {OLDEST_VERSION} to {NEWEST_VERSION} are")
    if standing.lag_seconds is not None and standing.lag_seconds > LAG_SECONDS_MAX:
        sentences.append(f"a standby lags behind by {standing.lag_seconds:.0f} s")
    if standing.host is not None and standing.followers is None:
        sentences.append(
            "who follows this server cannot be seen; as its superuser: GRANT pg_monitor TO the user of maedal"
        )
    return sentences
