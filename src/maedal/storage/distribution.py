"""Spreading the tables over the servers of a distributed PostgreSQL (Citus), by merchant.

Everything of one merchant lies together, on whichever server; what concerns the house, and is small, lies on each. So
a charge is one server's work, and merchants share none. Where the schema gains a table, it is given a place here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from maedal.storage.engine.identity import EXPRESSIONS
from maedal.storage.errors import StoreError

DISTRIBUTED = (
    # The first of them; all others lie beside it.
    "channels",
    "alert_receivers",
    "alerts",
    "attempts",
    "audit_log",
    "billing_keys",
    "cancellations",
    "channel_pauses",
    "dunning_rules",
    "figures",
    "figures_counted",
    "findings",
    "idempotent_requests",
    "key_endings",
    "live_checks",
    "log_rows_to_chain",
    "month_figures",
    "months_counted",
    "notes",
    "merchant_holidays",
    "mail_servers",
    "messages",
    "payment_events",
    "payment_texts",
    "payment_views",
    "payments",
    "payments_to_text",
    "plans",
    "plan_consents",
    "plan_occurrences",
    "prepared_amounts",
    "request_log",
    "schedules",
    "search_terms",
    "settlement_days",
    "settlement_rows",
    "tags",
    "unpaid",
    "unseen_approvals",
    "webhook_addresses",
    "webhook_deliveries",
    "webhook_tries",
    "windows",
)
"""Tables that are spread by their `merchant_id`, which every key of theirs holds."""
REFERENCE = (
    "merchants",
    "users",
    # Found by what a caller shows before the merchant is known.
    "api_keys",
    "database_servers",
    "exports",
    # Kept for as long as an import runs, and found by their file.
    "import_billing_keys",
    "import_cancellations",
    "import_files",
    "import_payments",
    "import_prepared_amounts",
    "import_schedules",
    "invites",
    "log_blocks",
    "logs_to_walk",
    "passkey_challenges",
    "passkeys",
    "payment_columns",
    "pg_pauses",
    "recovery_codes",
    "request_counts",
    "schedule_pace",
    "second_step_roles",
    "sessions",
    "sign_in_places",
    "sign_in_tries",
    "user_log",
    "vault_keys",
    "vault_nodes",
)
"""Tables that every server has whole."""
LOCAL = ("alembic_version",)
"""What concerns only whoever migrates."""

# A trigger runs on the servers that have the rows, and cannot be relied on to reach another table from there. What
# these note is noted by statements of their own (storage/engine/distributed.py).
NOTING = {
    "payments": ("payments_new_text", "payments_changed_text"),
    "audit_log": ("audit_log_to_chain",),
    "user_log": ("user_log_to_chain",),
    "payment_events": ("payment_events_to_chain",),
}
QUEUES = ("payments_to_text", "log_rows_to_chain")
"""Tables whose key is a number drawn for each row."""
# Which server this is cannot be told any more; what was noted of it stays true of the same books. A server that nobody
# has noted yet is taken for one that took over, as ever.
SAME_BOOKS = f"""DO $$ BEGIN
UPDATE database_servers SET id = {EXPRESSIONS[-1]} WHERE id = (SELECT {EXPRESSIONS[0]});
EXCEPTION WHEN insufficient_privilege OR undefined_function THEN NULL;
END $$"""
CLAIMED_BY_MERCHANT = (
    "CREATE INDEX IF NOT EXISTS webhook_deliveries_due_of_merchant ON webhook_deliveries (merchant_id, due_at)"
    " WHERE state = 'waiting'"
)

CAN_DISTRIBUTE = "SELECT to_regprocedure('create_reference_table(regclass)') IS NOT NULL AS can"
OTHERS = """
SELECT count(*) AS count FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(application_name, 'maedal')
"""
TABLES = """
SELECT c.relname::text AS name FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""
PLACED = "SELECT c.relname::text AS name FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid"
FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text AS name, c.confrelid::regclass::text AS target, c.conname::text AS key,
       pg_get_constraintdef(c.oid) AS definition
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
 WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY 1, 3
"""

Fetch = Callable[..., Awaitable[Sequence[Mapping[str, Any]]]]
"""Runs a statement and gives its rows."""


async def distribution(fetch: Fetch) -> Sequence[str]:
    """Return the statements that spread the tables which are not spread yet, in their order; none if all are.

    Raises StoreError, with what to do, when this server cannot or something stands in the way.
    """
    if not (await fetch(CAN_DISTRIBUTE))[0]["can"]:
        raise StoreError("this PostgreSQL cannot spread tables over several servers; first: CREATE EXTENSION citus")
    known = {*DISTRIBUTED, *REFERENCE, *LOCAL}
    tables = {row["name"] for row in await fetch(TABLES)}
    missing = sorted({*DISTRIBUTED, *REFERENCE} - tables)
    if missing:
        raise StoreError(f"the table {missing[0]} is missing: maedal migrate first")
    placed = {row["name"] for row in await fetch(PLACED)}
    new = [name for name in (*REFERENCE, *DISTRIBUTED) if name in known - placed]
    if not new:
        return []
    others = (await fetch(OTHERS))[0]["count"]
    if others:
        raise StoreError(
            f"{others} connections of maedal are open; end every serve and worker first: from then on they must note"
            " in statements of their own what triggers have noted"
        )
    keys = [row for row in await fetch(FOREIGN_KEYS) if {row["name"], row["target"]} & set(new)]
    return [
        "SET LOCAL citus.enable_unsafe_triggers = on",
        "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
        *(f"ALTER TABLE {row['name']} DROP CONSTRAINT {row['key']}" for row in keys),
        *(f"DROP TRIGGER {name} ON {table}" for table, names in NOTING.items() if table in new for name in names),
        *(statement for table in QUEUES if table in new for statement in _key_of_queue(table)),
        *([SAME_BOOKS] if "database_servers" in new else ()),
        *([CLAIMED_BY_MERCHANT] if "webhook_deliveries" in new else ()),
        *(f"SELECT create_reference_table('{name}')" for name in new if name in REFERENCE),
        *(_distributed(name) for name in new if name in DISTRIBUTED),
        *(f"ALTER TABLE {row['name']} ADD CONSTRAINT {row['key']} {row['definition']}" for row in keys),
    ]


def _key_of_queue(table: str) -> Sequence[str]:
    return [
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (merchant_id, id)",
        f"CREATE INDEX {table}_in_order ON {table} (id)",
    ]


def _distributed(name: str) -> str:
    beside = "none" if name == DISTRIBUTED[0] else DISTRIBUTED[0]
    return f"SELECT create_distributed_table('{name}', 'merchant_id', colocate_with => '{beside}')"
