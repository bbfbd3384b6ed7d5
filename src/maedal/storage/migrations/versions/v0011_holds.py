"""Scheduled charges may be held; keys that have ended at the PG are known, and how often one may be charged a month."""

from alembic import op

revision = "0011"
down_revision = "0010"

HOLD = """CHECK (held_at IS NULL OR status = 'scheduled' OR next_try_at IS NOT NULL)"""


def upgrade() -> None:
    """Add holds, what the pages about keys and scheduled charges ask for, and the indexes that find it.

    The rule about holds stops a process of the release before, which does not know them, from executing what is held.
    """
    # What is being imported lies in a table of the same shape.
    for table, rule in (("schedules", HOLD), ("import_schedules", "")):
        op.execute(f"ALTER TABLE {table} ADD COLUMN held_at TIMESTAMPTZ {rule}")
        op.execute(f"ALTER TABLE {table} ADD COLUMN held_by TEXT")
        both = "CHECK ((held_at IS NULL) = (held_by IS NULL) AND (held_at IS NULL) = (held_reason IS NULL))"
        op.execute(f"ALTER TABLE {table} ADD COLUMN held_reason TEXT {both if rule else ''}")
    for table in ("billing_keys", "import_billing_keys"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN gone_at TIMESTAMPTZ")
    op.execute("ALTER TABLE channels ADD COLUMN charges_per_month BIGINT CHECK (charges_per_month > 0)")
    # However much is held and overdue, a worker does not read over it.
    op.execute("DROP INDEX schedules_due")
    op.execute("CREATE INDEX schedules_due ON schedules (schedule_at) WHERE status = 'scheduled' AND held_at IS NULL")
    op.execute("DROP INDEX schedules_next_tries")
    op.execute(
        "CREATE INDEX schedules_next_tries ON schedules (next_try_at) WHERE next_try_at IS NOT NULL AND held_at IS NULL"
    )
    op.execute("CREATE INDEX schedules_waiting ON schedules (merchant_id, schedule_at) WHERE status = 'scheduled'")
    op.execute("CREATE INDEX audit_log_by_subject ON audit_log (merchant_id, subject, id)")
    op.execute("CREATE INDEX billing_keys_by_time ON billing_keys (merchant_id, inserted_at)")
    op.execute("CREATE INDEX billing_keys_of_customer ON billing_keys (merchant_id, customer_uid)")
