"""Failed scheduled charges may be tried again by rules of their merchant."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the rules and the tries they plan; nobody has a rule yet."""
    op.execute("ALTER TABLE merchants ADD COLUMN recovery_rules TEXT NOT NULL DEFAULT '{}'")
    # What is being imported lies in a table of the same shape.
    for table in ("schedules", "import_schedules"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN next_try_at TIMESTAMPTZ")
        op.execute(f"ALTER TABLE {table} ADD COLUMN next_try_reason TEXT")
        op.execute(f"ALTER TABLE {table} ADD COLUMN tries BIGINT NOT NULL DEFAULT 0")
        # A lease of its own: that of the charge itself is for charges that were never executed.
        op.execute(f"ALTER TABLE {table} ADD COLUMN try_lease_id TEXT")
        op.execute(f"ALTER TABLE {table} ADD COLUMN try_leased_until TIMESTAMPTZ")
    op.execute("CREATE INDEX schedules_next_tries ON schedules (next_try_at) WHERE next_try_at IS NOT NULL")
    op.execute(
        "CREATE INDEX schedules_next_tries_of_merchant ON schedules (merchant_id, next_try_at)"
        " WHERE next_try_at IS NOT NULL"
    )
