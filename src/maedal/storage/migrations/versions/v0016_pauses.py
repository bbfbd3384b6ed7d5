"""Times in which a PG is closed, and how quickly charges that waited for its opening catch up."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the tables; `schedule_pace` has one row for all workers."""
    # What is being imported lies in a table of the same shape.
    for table in ("schedules", "import_schedules"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN waits_until TIMESTAMPTZ")
    op.execute(
        """
        CREATE TABLE pg_pauses (
            id          TEXT PRIMARY KEY,
            pg_provider TEXT NOT NULL,
            source      TEXT NOT NULL CHECK (source IN ('announced', 'answered')),
            begins_at   TIMESTAMPTZ NOT NULL,
            ends_at     TIMESTAMPTZ NOT NULL,
            note        TEXT NOT NULL,
            who         TEXT NOT NULL,
            CHECK (ends_at > begins_at)
        )
        """
    )
    op.execute("CREATE INDEX pg_pauses_by_end ON pg_pauses (ends_at)")
    op.execute(
        """
        CREATE TABLE schedule_pace (
            name    TEXT PRIMARY KEY,
            free_at TIMESTAMPTZ NOT NULL
        )
        """
    )
