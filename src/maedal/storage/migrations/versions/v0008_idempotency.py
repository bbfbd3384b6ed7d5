"""Requests that carry an Idempotency-Key, with their answers."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table; rows live for thirty days."""
    op.execute(
        """
        CREATE TABLE idempotent_requests (
            merchant_id   TEXT NOT NULL REFERENCES merchants (code),
            key           TEXT NOT NULL,
            digest        BYTEA NOT NULL,
            attempt_id    TEXT NOT NULL,
            lease_id      TEXT NOT NULL,
            leased_until  TIMESTAMPTZ NOT NULL,
            begun_at      TIMESTAMPTZ NOT NULL,
            sealed_answer BYTEA,
            PRIMARY KEY (merchant_id, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotent_requests_by_age ON idempotent_requests (begun_at)")
