"""Merchants may have the browser wait for the webhook."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the wish; nobody has it yet."""
    op.execute("ALTER TABLE merchants ADD COLUMN webhook_first BOOLEAN NOT NULL DEFAULT FALSE")
