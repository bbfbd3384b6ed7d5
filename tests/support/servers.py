"""Another database server, as the database itself sees it: what it has noted is renamed, so that it is on a new one."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import asyncpg

OTHER_SERVER = "elsewhere/"
MOVE = "UPDATE database_servers SET id = '{place}' || id, first_seen_at = '2026-01-01 00:00:00+00:00'"


def move_to_another_server(database_url: str) -> None:
    """Let the database be on a server that it does not know, as after a promotion or a restore."""
    execute(database_url, MOVE.format(place=f"{OTHER_SERVER}{secrets.token_hex(4)}/"))


def settle_on_this_server(database_url: str) -> None:
    """Let the database have been made on the server that it is on."""
    execute(database_url, "UPDATE database_servers SET follows = NULL")


def execute(database_url: str, sql: str) -> None:
    """Run one statement behind the gateway's back; also from inside a running event loop."""
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=10)
        with connection:
            connection.execute(sql)
        connection.close()
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _execute(database_url, sql)).result()


async def _execute(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
