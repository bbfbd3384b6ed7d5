"""The PG's own id of each cancel, by which ours are told from those that were made at the PG itself."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the columns. A cancel of before, or of the code of before, has no id and was sent without a mark."""
    # What is being imported lies in a table of the same shape.
    for table in ("cancellations", "import_cancellations"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN pg_aid TEXT")
        op.execute(f"ALTER TABLE {table} ADD COLUMN at_pg BOOLEAN NOT NULL DEFAULT FALSE")
        op.execute(f"ALTER TABLE {table} ADD COLUMN marked BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute(
        "CREATE UNIQUE INDEX cancellations_by_aid ON cancellations (merchant_id, pg_aid) WHERE pg_aid IS NOT NULL"
    )
