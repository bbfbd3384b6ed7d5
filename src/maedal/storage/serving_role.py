"""What the role that serves may do in a PostgreSQL database that another role owns.

The owner makes and changes tables (`maedal migrate`); the role that serves reads and writes rows. It can neither empty
a table nor switch a trigger off, and what the logs hold it cannot change or remove.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from maedal.storage.errors import StoreError

LOGS = ("audit_log", "user_log", "payment_events", "log_blocks")
"""Append-only: rows are added, and never changed or removed."""
READ_ONLY = ("alembic_version",)
ROWS_REMOVED = (
    "alert_receivers",
    "alerts",
    "channel_pauses",
    "exports",
    "figures",
    "idempotent_requests",
    "import_billing_keys",
    "import_cancellations",
    "import_files",
    "import_payments",
    "import_prepared_amounts",
    "import_schedules",
    "invites",
    "log_rows_to_chain",
    "logs_to_walk",
    "month_figures",
    "notes",
    "merchant_holidays",
    "mail_servers",
    "passkey_challenges",
    "passkeys",
    "payment_texts",
    "payment_views",
    "payments_to_text",
    "pg_pauses",
    "recovery_codes",
    "request_counts",
    "search_terms",
    "request_log",
    "second_step_roles",
    "sessions",
    "sign_in_places",
    "sign_in_tries",
    "tags",
    "vault_nodes",
    "webhook_addresses",
    "windows",
)
"""Tables whose rows the gateway removes when they have served; none of money, keys and merchants is among them."""

Fetch = Callable[..., Awaitable[Sequence[Mapping[str, Any]]]]
"""Runs a statement and gives its rows."""

TABLES = """
SELECT c.relname AS name FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
 ORDER BY c.relname
"""
ROLE = """
SELECT r.rolsuper AS superuser, r.oid = c.relowner AS owner, pg_has_role(r.oid, c.relowner, 'MEMBER') AS member,
       pg_get_userbyid(c.relowner) AS owned_by
  FROM pg_roles r, pg_class c WHERE r.rolname = $1 AND c.oid = to_regclass('merchants')
"""
# Whoever may write merchants serves; one that only reads, for reports, is somebody else's.
SERVING_ROLES = """
SELECT DISTINCT pg_get_userbyid(a.grantee)::text AS name FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
 WHERE c.oid = to_regclass('merchants') AND a.privilege_type = 'INSERT' AND a.grantee NOT IN (0, c.relowner)
   AND pg_has_role(c.relowner, 'USAGE')
"""


async def serving_roles(fetch: Fetch) -> Sequence[str]:
    """Return the roles that were given the right to serve before."""
    return [row["name"] for row in await fetch(SERVING_ROLES)]


async def grants(fetch: Fetch, role: str) -> Sequence[str]:
    """Return the statements after which `role` may serve, and do no more than that.

    Raises StoreError, with what to do, when there is no such role or when it could do everything all the same.
    """
    found = await fetch(ROLE, role)
    if not found:
        raise StoreError(f"there is no role {role}; make it first: CREATE ROLE {_quoted(role)} LOGIN PASSWORD '…'")
    known = found[0]
    if known["superuser"]:
        raise StoreError(f"the role {role} is a superuser, whom no grant limits; let another role serve")
    if known["owner"] or known["member"]:
        owner = known["owned_by"]
        owns = "owns the tables" if known["owner"] else f"is a member of {owner}, which owns the tables"
        raise StoreError(
            f"the role {role} {owns}; let another own them first, as a superuser: "
            "CREATE ROLE maedal_owner LOGIN PASSWORD '…'; "
            f"REASSIGN OWNED BY {_quoted(owner)} TO maedal_owner; and migrate as that one"
        )
    database, schema = (await fetch("SELECT current_database()::text AS d, current_schema()::text AS s"))[0].values()
    statements = [
        f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {_quoted(role)}",
        # Up to PostgreSQL 14 everybody may make tables in a new database.
        f"REVOKE CREATE ON SCHEMA {_quoted(schema)} FROM PUBLIC",
        f"REVOKE CREATE ON SCHEMA {_quoted(schema)} FROM {_quoted(role)}",
        f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {_quoted(role)}",
    ]
    for row in await fetch(TABLES):
        table = f"{_quoted(schema)}.{_quoted(row['name'])}"
        statements.append(f"REVOKE ALL ON TABLE {table} FROM {_quoted(role)}")
        statements.append(f"GRANT {_privileges(row['name'])} ON TABLE {table} TO {_quoted(role)}")
    return statements


def _privileges(table: str) -> str:
    if table in READ_ONLY:
        return "SELECT"
    if table in LOGS:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE" + (", DELETE" if table in ROWS_REMOVED else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
