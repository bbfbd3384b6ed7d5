-- What each hour came to for a merchant, counted once it is over. Moments are UTC, days those of Seoul, YYYY-MM-DD.
CREATE TABLE figures (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    hour        TIMESTAMPTZ NOT NULL,
    day         TEXT NOT NULL,
    test_mode   BOOLEAN NOT NULL,
    kind        TEXT NOT NULL,
    detail      TEXT NOT NULL,
    count       BIGINT NOT NULL CHECK (count > 0),
    amount      BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (merchant_id, hour, test_mode, kind, detail)
);

-- Before which moment every hour of a merchant is counted.
CREATE TABLE figures_counted (
    merchant_id TEXT PRIMARY KEY REFERENCES merchants (code),
    until       TIMESTAMPTZ NOT NULL
);

-- What happened, by when it did.
CREATE INDEX cancellations_by_end ON cancellations (merchant_id, done_at) WHERE done_at IS NOT NULL;

CREATE INDEX billing_keys_by_end ON billing_keys (merchant_id, ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX billing_keys_by_going ON billing_keys (merchant_id, gone_at) WHERE gone_at IS NOT NULL;

-- Read from the index alone: how many keys live, and what is planned.
CREATE INDEX billing_keys_living ON billing_keys (merchant_id, test_mode)
    WHERE ended_at IS NULL AND gone_at IS NULL;

CREATE INDEX schedules_planned ON schedules (merchant_id, channel_id, schedule_at, amount) WHERE status = 'scheduled';
