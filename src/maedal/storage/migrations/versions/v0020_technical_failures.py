"""Channels that rest because each call through them fails alike, and scheduled charges that wait for them."""

from alembic import op

revision = "0020"
down_revision = "0025"


def upgrade() -> None:
    """Add the table and the columns; no charge waits for longer than before, and nothing is put off yet."""
    op.execute(
        """
        CREATE TABLE channel_pauses (
            merchant_id TEXT NOT NULL,
            channel_id  TEXT NOT NULL,
            fault       TEXT NOT NULL,
            reason      TEXT NOT NULL,
            since       TIMESTAMPTZ NOT NULL,
            until       TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, channel_id),
            FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id)
        )
        """
    )
    op.execute("ALTER TABLE channels ADD COLUMN waits_hours BIGINT NOT NULL DEFAULT 24 CHECK (waits_hours >= 0)")
    # A payment that failed for what nobody declined, and whose scheduled charge waits; nobody is told of it.
    op.execute("ALTER TABLE payments ADD COLUMN put_off BOOLEAN NOT NULL DEFAULT FALSE")
    # Whether a worker's claim executed it, as it was planned; otherwise a person or the merchant's server did.
    op.execute("ALTER TABLE schedules ADD COLUMN by_claim BOOLEAN NOT NULL DEFAULT TRUE")
    op.execute("ALTER TABLE schedules ADD COLUMN waits_channel TEXT")
    op.execute(
        "CREATE INDEX schedules_of_waiting_channel ON schedules (merchant_id, waits_channel)"
        " WHERE waits_channel IS NOT NULL"
    )
