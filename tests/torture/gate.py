"""A gate in the database: whoever inserts a certain row waits there, in the middle of a transaction, until it is opened.

So two processes meet between their look and their commit because they must, not because the machine is fast enough.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

GATE = 20_261_125
SECONDS_MAX = 60

BEFORE_PAYMENTS = f"""
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$;
CREATE TRIGGER gate BEFORE INSERT ON payments FOR EACH ROW WHEN (NEW.key_use = 'payment') EXECUTE FUNCTION wait_at_the_gate();
"""
BEFORE_CANCELS = f"""
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$;
CREATE TRIGGER gate BEFORE INSERT ON cancellations FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate();
"""
WAITING = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted"


class Gate:
    """A gate that is closed."""

    def __init__(self, connection: asyncpg.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection, self._loop = connection, loop

    def wait_for(self, count: int) -> None:
        """Return once so many transactions wait here."""
        deadline = time.monotonic() + SECONDS_MAX
        while (waiting := self._loop.run_until_complete(self._connection.fetchval(WAITING))) < count:
            assert time.monotonic() < deadline, f"{waiting} of {count} came to the gate"
            time.sleep(0.01)


@contextmanager
def closed_gate(database_url: str) -> Iterator[Gate]:
    """Close the gate for the block."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(database_url))
    try:
        loop.run_until_complete(connection.execute(f"SELECT pg_advisory_lock({GATE})"))
        yield Gate(connection, loop)
    finally:
        loop.run_until_complete(connection.close())
        loop.close()
