"""Mail servers, receivers of alerts, alerts, and the outbox of messages."""

from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Add tables; nobody is told of anything yet."""
    for statement in (
        """
        CREATE TABLE mail_servers (
            merchant_id     TEXT PRIMARY KEY,
            host            TEXT NOT NULL,
            port            BIGINT NOT NULL CHECK (port BETWEEN 1 AND 65535),
            encryption      TEXT NOT NULL CHECK (encryption IN ('tls', 'starttls', 'none')),
            login           TEXT NOT NULL,
            sealed_password BYTEA,
            sender          TEXT NOT NULL,
            sender_name     TEXT NOT NULL,
            changed_at      TIMESTAMPTZ NOT NULL
        )
        """,
        """
        CREATE TABLE alert_receivers (
            merchant_id    TEXT NOT NULL,
            id             TEXT NOT NULL,
            name           TEXT NOT NULL,
            way            TEXT NOT NULL CHECK (way IN ('mail', 'slack', 'webhook')),
            sealed_address BYTEA NOT NULL,
            shown          TEXT NOT NULL,
            sealed_secret  BYTEA,
            rules          TEXT NOT NULL,
            quiet_begins   BIGINT CHECK (quiet_begins BETWEEN 0 AND 1439),
            quiet_ends     BIGINT CHECK (quiet_ends BETWEEN 0 AND 1439),
            digest_hour    BIGINT NOT NULL CHECK (digest_hour BETWEEN 0 AND 23),
            language       TEXT NOT NULL CHECK (language IN ('ko', 'en')),
            added_at       TIMESTAMPTZ NOT NULL,
            added_by       TEXT NOT NULL,
            version        BIGINT NOT NULL CHECK (version >= 1),
            PRIMARY KEY (merchant_id, id),
            CHECK ((quiet_begins IS NULL) = (quiet_ends IS NULL))
        )
        """,
        # What has been told stays, so that it is not told again.
        """
        CREATE TABLE alerts (
            merchant_id TEXT NOT NULL,
            receiver_id TEXT NOT NULL,
            cause       TEXT NOT NULL,
            kind        TEXT NOT NULL,
            facts       TEXT NOT NULL,
            happened_at TIMESTAMPTZ NOT NULL,
            due_at      TIMESTAMPTZ NOT NULL,
            message_id  TEXT,
            PRIMARY KEY (merchant_id, receiver_id, cause)
        )
        """,
        "CREATE INDEX alerts_due ON alerts (due_at) WHERE message_id IS NULL",
        "CREATE INDEX alerts_waiting ON alerts (merchant_id, receiver_id, due_at) WHERE message_id IS NULL",
        "CREATE INDEX alerts_of_message ON alerts (merchant_id, message_id) WHERE message_id IS NOT NULL",
        """
        CREATE TABLE messages (
            merchant_id  TEXT NOT NULL,
            id           TEXT NOT NULL,
            cause        TEXT NOT NULL,
            kind         TEXT NOT NULL CHECK (kind IN ('alerts', 'test', 'unpaid')),
            way          TEXT NOT NULL CHECK (way IN ('mail', 'slack', 'webhook', 'shop')),
            receiver_id  TEXT NOT NULL,
            subject      TEXT NOT NULL,
            state        TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'unknown')),
            tries        BIGINT NOT NULL CHECK (tries >= 0),
            answer       TEXT NOT NULL,
            created_at   TIMESTAMPTZ NOT NULL,
            due_at       TIMESTAMPTZ NOT NULL,
            ended_at     TIMESTAMPTZ,
            -- From here on the receiver may have it: whoever finds this without an end does not send it again.
            handed_at    TIMESTAMPTZ,
            lease_id     TEXT,
            leased_until TIMESTAMPTZ,
            PRIMARY KEY (merchant_id, id),
            UNIQUE (merchant_id, cause),
            CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
            CHECK ((state = 'waiting') = (ended_at IS NULL)),
            CHECK (state = 'waiting' OR lease_id IS NULL)
        )
        """,
        "CREATE INDEX messages_due ON messages (due_at) WHERE state = 'waiting'",
        "CREATE INDEX messages_due_of_merchant ON messages (merchant_id, due_at) WHERE state = 'waiting'",
        "CREATE INDEX messages_by_time ON messages (merchant_id, created_at, id)",
        "CREATE INDEX messages_by_state ON messages (merchant_id, state, created_at, id)",
    ):
        op.execute(statement)
