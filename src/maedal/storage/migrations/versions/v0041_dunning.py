"""Unpaid charges with the links that pay them, and what merchants want their buyers to be told."""

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Add tables; no buyer is told of anything yet."""
    for statement in (
        """
        CREATE TABLE dunning_rules (
            merchant_id  TEXT PRIMARY KEY,
            by_mail      BOOLEAN NOT NULL,
            by_shop      BOOLEAN NOT NULL,
            link_days    BIGINT NOT NULL CHECK (link_days BETWEEN 1 AND 60),
            language     TEXT NOT NULL CHECK (language IN ('ko', 'en')),
            looked_until TIMESTAMPTZ NOT NULL
        )
        """,
        """
        CREATE TABLE unpaid (
            merchant_id  TEXT NOT NULL,
            merchant_uid TEXT NOT NULL,
            imp_uid      TEXT NOT NULL,
            cause        TEXT NOT NULL,
            amount       BIGINT NOT NULL CHECK (amount > 0),
            test_mode    BOOLEAN NOT NULL,
            token_digest BYTEA NOT NULL,
            sealed_token BYTEA,
            noticed_at   TIMESTAMPTZ NOT NULL,
            expires_at   TIMESTAMPTZ NOT NULL,
            state        TEXT NOT NULL CHECK (state IN ('open', 'paid', 'expired')),
            paid_imp_uid TEXT,
            paid_at      TIMESTAMPTZ,
            PRIMARY KEY (merchant_id, merchant_uid),
            CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
            CHECK ((state = 'paid') = (paid_imp_uid IS NOT NULL)),
            CHECK ((state = 'open') = (sealed_token IS NOT NULL))
        )
        """,
        # Found by a token before the merchant is known: 256 random bits, so that no two are the same.
        "CREATE INDEX unpaid_by_token ON unpaid (token_digest)",
        "CREATE INDEX unpaid_open ON unpaid (merchant_id, noticed_at) WHERE state = 'open'",
        "CREATE INDEX unpaid_paid ON unpaid (merchant_id, test_mode, paid_at) WHERE state = 'paid'",
    ):
        op.execute(statement)
