"""Unknown outcomes are looked at at growing intervals; a payment whose key was lost is to be undone."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add when to look next, and when to try next to undo."""
    op.execute("ALTER TABLE attempts ADD COLUMN look_at TIMESTAMPTZ")
    op.execute("UPDATE attempts SET look_at = begun_at WHERE outcome = 'unknown'")
    op.execute(
        "CREATE INDEX attempts_to_look_at ON attempts (look_at)"
        " WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel')"
    )
    op.execute("ALTER TABLE payments ADD COLUMN undo_at TIMESTAMPTZ")
    op.execute("CREATE INDEX payments_to_undo ON payments (undo_at) WHERE undo_at IS NOT NULL")
