"""Plans, their occurrences and the buyers' consents, and a merchant's own holidays."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add the tables; days are Korean, kept like 2028-02-29."""
    for statement in (
        """
        CREATE TABLE plans (
            merchant_id      TEXT NOT NULL REFERENCES merchants (code),
            plan_uid         TEXT NOT NULL,
            customer_uid     TEXT NOT NULL,
            channel_id       TEXT NOT NULL,
            name             TEXT NOT NULL,
            amount           BIGINT NOT NULL CHECK (amount > 0),
            tax_free         BIGINT NOT NULL CHECK (tax_free >= 0 AND tax_free <= amount),
            currency         TEXT NOT NULL CHECK (currency IN ('KRW')),
            buyer_name       TEXT,
            buyer_email      TEXT,
            buyer_tel        TEXT,
            buyer_addr       TEXT,
            buyer_postcode   TEXT,
            custom_data      TEXT,
            notice_url       TEXT,
            interval_unit    TEXT NOT NULL CHECK (interval_unit IN ('day', 'week', 'month', 'year')),
            interval_count   BIGINT NOT NULL CHECK (interval_count > 0),
            starts_on        TEXT NOT NULL,
            anchor_day       BIGINT CHECK (anchor_day BETWEEN 1 AND 31),
            trial_until      TEXT,
            ends_on          TEXT,
            not_before       TEXT NOT NULL,
            business_day     BOOLEAN NOT NULL,
            status           TEXT NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
            pause_reason     TEXT CHECK (pause_reason IN ('asked', 'consent')),
            resumes_on       TEXT,
            changes          TEXT NOT NULL,
            skips            TEXT NOT NULL,
            next_on          TEXT NOT NULL,
            planned_on       TEXT,
            planned_due_at   TIMESTAMPTZ,
            planned_amount   BIGINT CHECK (planned_amount > 0),
            planned_tax_free BIGINT,
            charging         BOOLEAN NOT NULL,
            needs_consent_on TEXT,
            look_at          TIMESTAMPTZ,
            revision         BIGINT NOT NULL,
            created_at       TIMESTAMPTZ NOT NULL,
            updated_at       TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, plan_uid),
            FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
            CHECK ((interval_unit IN ('month', 'year')) = (anchor_day IS NOT NULL)),
            CHECK ((status = 'paused') = (pause_reason IS NOT NULL)),
            CHECK (status = 'paused' OR resumes_on IS NULL),
            CHECK ((planned_due_at IS NULL) = (planned_on IS NULL)),
            CHECK ((planned_due_at IS NULL) = (planned_amount IS NULL)),
            CHECK ((planned_due_at IS NULL) = (planned_tax_free IS NULL))
        )
        """,
        "CREATE INDEX plans_to_look_at ON plans (look_at) WHERE look_at IS NOT NULL",
        "CREATE INDEX plans_by_time ON plans (merchant_id, created_at, plan_uid)",
        "CREATE INDEX plans_by_status ON plans (merchant_id, status, created_at, plan_uid)",
        "CREATE INDEX plans_by_customer ON plans (merchant_id, customer_uid)",
        (
            "CREATE INDEX plans_lacking_consent ON plans (merchant_id, needs_consent_on, plan_uid)"
            " WHERE needs_consent_on IS NOT NULL"
        ),
        "CREATE INDEX plans_on_business_days ON plans (merchant_id, next_on) WHERE business_day AND status = 'active'",
        """
        CREATE TABLE plan_occurrences (
            merchant_id TEXT NOT NULL,
            plan_uid    TEXT NOT NULL,
            on_day      TEXT NOT NULL,
            state       TEXT NOT NULL CHECK (state IN ('scheduled', 'free', 'skipped', 'revoked', 'blocked')),
            charge_on   TEXT,
            due_at      TIMESTAMPTZ,
            amount      BIGINT CHECK (amount > 0),
            tax_free    BIGINT,
            written_at  TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, plan_uid, on_day),
            FOREIGN KEY (merchant_id, plan_uid) REFERENCES plans (merchant_id, plan_uid),
            CHECK ((charge_on IS NULL) = (due_at IS NULL)),
            CHECK ((charge_on IS NULL) = (amount IS NULL)),
            CHECK (charge_on IS NOT NULL OR state IN ('free', 'skipped'))
        )
        """,
        """
        CREATE TABLE plan_consents (
            merchant_id TEXT NOT NULL,
            plan_uid    TEXT NOT NULL,
            id          TEXT NOT NULL,
            kind        TEXT NOT NULL CHECK (kind IN ('price_rise', 'trial_end')),
            amount      BIGINT NOT NULL CHECK (amount > 0),
            agreed_at   TIMESTAMPTZ NOT NULL,
            proof       TEXT NOT NULL,
            who         TEXT NOT NULL,
            recorded_at TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, plan_uid, id),
            FOREIGN KEY (merchant_id, plan_uid) REFERENCES plans (merchant_id, plan_uid)
        )
        """,
        """
        CREATE TABLE merchant_holidays (
            merchant_id TEXT NOT NULL REFERENCES merchants (code),
            on_day      TEXT NOT NULL,
            closed      BOOLEAN NOT NULL,
            name        TEXT NOT NULL,
            who         TEXT NOT NULL,
            written_at  TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, on_day)
        )
        """,
    ):
        op.execute(statement)
