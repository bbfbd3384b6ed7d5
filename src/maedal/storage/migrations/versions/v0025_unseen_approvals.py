"""Approvals of the PG that a failover has lost here, as far as they were met: for people to see."""

from alembic import op

revision = "0025"
down_revision = "0019"


def upgrade() -> None:
    """Add the table; a row is worth nothing any more once the key's own last approval is as late."""
    op.execute(
        """
        CREATE TABLE unseen_approvals (
            merchant_id    TEXT NOT NULL,
            billing_key_id TEXT NOT NULL,
            approved_at    TIMESTAMPTZ NOT NULL,
            found_at       TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, billing_key_id, approved_at),
            FOREIGN KEY (merchant_id, billing_key_id) REFERENCES billing_keys (merchant_id, id)
        )
        """
    )
