"""Several API keys of a merchant: what each may be used for, when it ended, and a log of the calls made with it."""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Add columns and a table: the keys that are there may be used for everything, as before."""
    for statement in (
        # Names with blanks between; NULL for a key that may be used for everything.
        "ALTER TABLE api_keys ADD COLUMN scopes TEXT CHECK (scopes <> '')",
        "ALTER TABLE api_keys ADD COLUMN ended_at TIMESTAMPTZ",
        """
        CREATE TABLE request_log (
            merchant_id TEXT NOT NULL,
            id          TEXT NOT NULL,
            happened_at TIMESTAMPTZ NOT NULL,
            -- Empty where the row says how many calls were not kept.
            api_key     TEXT NOT NULL,
            method      TEXT NOT NULL,
            -- The pattern of the address: what stands in its place may be somebody's name.
            route       TEXT NOT NULL,
            status      BIGINT NOT NULL,
            error       TEXT,
            duration_ms BIGINT NOT NULL CHECK (duration_ms >= 0),
            dropped     BIGINT NOT NULL CHECK (dropped >= 0),
            PRIMARY KEY (merchant_id, happened_at, id)
        )
        """,
        "CREATE INDEX request_log_of_key ON request_log (merchant_id, api_key, happened_at, id)",
        "CREATE INDEX request_log_to_forget ON request_log (happened_at)",
    ):
        op.execute(statement)
