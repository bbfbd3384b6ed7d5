"""Passkeys of the console's users, and the challenges that are open."""

from alembic import op

revision = "0033"
down_revision = "0030"


def upgrade() -> None:
    """Add tables and a column; nobody has a passkey yet."""
    for statement in (
        """
        CREATE TABLE passkeys (
            id            TEXT PRIMARY KEY,
            user_id       TEXT NOT NULL REFERENCES users (id),
            name          TEXT NOT NULL,
            credential_id BYTEA NOT NULL UNIQUE,
            public_key    BYTEA NOT NULL,
            sign_count    BIGINT NOT NULL CHECK (sign_count >= 0),
            transports    TEXT NOT NULL,
            created_at    TIMESTAMPTZ NOT NULL,
            last_used_at  TIMESTAMPTZ,
            row_seal      BYTEA NOT NULL
        )
        """,
        "CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at)",
        """
        CREATE TABLE passkey_challenges (
            session_id TEXT NOT NULL,
            kind       TEXT NOT NULL CHECK (kind IN ('add', 'use')),
            digest     BYTEA NOT NULL,
            expires_at TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (session_id, kind)
        )
        """,
        "CREATE INDEX passkey_challenges_to_forget ON passkey_challenges (expires_at)",
        "ALTER TABLE users ADD COLUMN passkey_ids TEXT NOT NULL DEFAULT ''",
    ):
        op.execute(statement)
