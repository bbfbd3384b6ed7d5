"""What was put off until a night ends is found by its moment."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the index: a scheduled charge that was never put off is not in it."""
    op.execute("CREATE INDEX schedules_put_off ON schedules (waits_until) WHERE waits_until IS NOT NULL")
