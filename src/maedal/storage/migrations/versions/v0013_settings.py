"""Allowed addresses, old API secrets that stay good for a while, limits of channels, and the way to live mode."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns and the table; nobody's settings change."""
    op.execute("ALTER TABLE merchants ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT '[]'")
    for column in (
        "name TEXT NOT NULL DEFAULT ''",
        "secret_changed_at TIMESTAMPTZ",
        "last_used_at TIMESTAMPTZ",
        "last_used_from TEXT",
        "old_secret_digest BYTEA",
        "old_secret_until TIMESTAMPTZ CHECK ((old_secret_until IS NULL) = (old_secret_digest IS NULL))",
        "old_token_issued_at TIMESTAMPTZ CHECK (old_token_issued_at IS NULL OR old_secret_digest IS NOT NULL)",
        "old_token_expires_at TIMESTAMPTZ CHECK ((old_token_expires_at IS NULL) = (old_token_issued_at IS NULL))",
        "old_token_digest BYTEA CHECK ((old_token_digest IS NULL) = (old_token_issued_at IS NULL))",
    ):
        op.execute(f"ALTER TABLE api_keys ADD COLUMN {column}")
    op.execute(
        "CREATE UNIQUE INDEX api_keys_old_token ON api_keys (old_token_digest) WHERE old_token_digest IS NOT NULL"
    )
    # Secrets that were drawn anew before are in the audit log.
    op.execute(
        "UPDATE api_keys SET secret_changed_at = (SELECT max(a.happened_at) FROM audit_log a"
        " WHERE a.merchant_id = api_keys.merchant_id AND a.kind = 'new_api_secret' AND a.subject = api_keys.api_key)"
    )
    for column in (
        "only_method TEXT CHECK (only_method IN ('card', 'money'))",
        "only_cards TEXT",
        "only_months BIGINT CHECK (only_months BETWEEN 0 AND 12)",
        "window_form TEXT NOT NULL DEFAULT 'layer' CHECK (window_form IN ('layer', 'popup'))",
    ):
        op.execute(f"ALTER TABLE channels ADD COLUMN {column}")
    op.execute(
        """
        CREATE TABLE live_checks (
            merchant_id TEXT NOT NULL,
            point       TEXT NOT NULL,
            standing    TEXT NOT NULL,
            evidence    TEXT NOT NULL,
            checked_at  TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, point)
        )
        """
    )
