"""Passkeys of the console's users, the challenges that are open, and seals of what users may do."""

from alembic import op

revision = "0033"
down_revision = "0030"


def upgrade() -> None:
    """Add tables and columns; nobody has a passkey yet, and no row a seal of its rights."""
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
        "ALTER TABLE users ADD COLUMN second_step_required BOOLEAN NOT NULL DEFAULT FALSE",
        "UPDATE users SET second_step_required = TRUE WHERE role IN (SELECT role FROM second_step_roles)",
        "ALTER TABLE users ADD COLUMN rights_seal BYTEA",
        "ALTER TABLE invites ADD COLUMN row_seal BYTEA",
    ):
        op.execute(statement)
