"""What was put off is counted by itself, so that everything else is counted from an index alone."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the index: a payment that was never put off is not in it."""
    op.execute("CREATE INDEX payments_put_off ON payments (merchant_id, status_at) WHERE put_off")
