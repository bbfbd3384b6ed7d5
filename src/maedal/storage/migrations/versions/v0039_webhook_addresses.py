"""Further addresses of a merchant's webhooks, and which of them a webhook is for."""

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Add a table and a column: webhooks that are there are for the merchant's first address, or a payment's own."""
    for statement in (
        """
        CREATE TABLE webhook_addresses (
            merchant_id       TEXT NOT NULL REFERENCES merchants (code),
            id                TEXT NOT NULL,
            name              TEXT NOT NULL,
            url               TEXT NOT NULL,
            test_mode         BOOLEAN NOT NULL,
            -- Names with blanks between.
            events            TEXT NOT NULL CHECK (events <> ''),
            webhook_type      TEXT NOT NULL CHECK (webhook_type IN ('json', 'form')),
            webhook_retry     TEXT NOT NULL CHECK (webhook_retry IN ('none', 'few', 'patient')),
            active            BOOLEAN NOT NULL,
            sealed_secret     BYTEA NOT NULL,
            sealed_old_secret BYTEA,
            created_at        TIMESTAMPTZ NOT NULL,
            version           BIGINT NOT NULL CHECK (version >= 1),
            PRIMARY KEY (merchant_id, id)
        )
        """,
        "CREATE UNIQUE INDEX webhook_addresses_by_url ON webhook_addresses (merchant_id, test_mode, url)",
        "ALTER TABLE webhook_deliveries ADD COLUMN address_id TEXT",
    ):
        op.execute(statement)
