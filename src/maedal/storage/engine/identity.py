"""Which database server a statement runs on: an expression that the server itself evaluates, in the same transaction.

Behind a pooler or a virtual address one connection may reach one server now and another one later, so that what was
asked when it was opened proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

_TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
EXPRESSIONS = (
    f"(SELECT system_identifier FROM pg_control_system())::text || '/' || {_TIMELINE}",
    # Some that run PostgreSQL for others let nobody read the control file, or keep their log in another way.
    f"'-/' || {_TIMELINE}",
    "'-/-'",
)
"""The more a server tells, the better; each falls back on the next."""
SQLITE = "'sqlite'"
REFUSED = (
    asyncpg.FeatureNotSupportedError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
)


async def server_expression(fetch: Callable[[str], Awaitable[Any]]) -> str:
    """Return the best expression that the server takes; `fetch` runs a statement in a transaction of its own."""
    for expression in EXPRESSIONS[:-1]:
        try:
            await fetch(f"SELECT {expression}")
        except REFUSED:
            continue
        except asyncpg.ObjectNotInPrerequisiteStateError:
            # A standby has no timeline of its own yet; it will when it is promoted.
            return expression
        return expression
    return EXPRESSIONS[-1]
