"""Answers kept for repeated requests are found by their attempt, so that what they tell of a buyer can be erased."""

from alembic import op

revision = "0031"
down_revision = "0026"


def upgrade() -> None:
    """Add the index; only requests with an Idempotency-Key have rows, and those live for thirty days."""
    op.execute("CREATE INDEX idempotent_requests_by_attempt ON idempotent_requests (merchant_id, attempt_id)")
