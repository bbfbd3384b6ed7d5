ALTER TABLE channels ADD COLUMN file_bucket TEXT;
ALTER TABLE channels ADD COLUMN sealed_file_key BYTEA CHECK (sealed_file_key IS NULL OR file_bucket IS NOT NULL);
CREATE INDEX channels_with_files ON channels (merchant_id, id) WHERE sealed_file_key IS NOT NULL;
CREATE INDEX channels_of_account ON channels (pg_provider, pg_merchant_id);

-- What took money, or may have, by time: a day of it is held against the file.
CREATE INDEX attempts_that_took ON attempts (merchant_id, begun_at)
    WHERE verb IN ('approve', 'charge') AND outcome IN ('approved', 'unknown');
CREATE INDEX cancellations_by_time ON cancellations (merchant_id, begun_at);

-- What the PG's files said: one row for each time it took or gave back money. Days are those of Seoul, YYYY-MM-DD.
CREATE TABLE settlement_rows (
    merchant_id    TEXT NOT NULL,
    pg_provider    TEXT NOT NULL,
    pg_aid         TEXT NOT NULL,
    pg_merchant_id TEXT NOT NULL,
    day            TEXT NOT NULL,
    action         TEXT NOT NULL CHECK (action IN ('payment', 'cancel')),
    order_id       TEXT NOT NULL,
    pg_tid         TEXT NOT NULL,
    amount         BIGINT NOT NULL CHECK (amount > 0),
    method         TEXT CHECK (method IN ('card', 'money')),
    happened_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, pg_provider, pg_aid)
);
CREATE INDEX settlement_rows_by_order ON settlement_rows (merchant_id, order_id);
CREATE INDEX settlement_rows_by_tid ON settlement_rows (merchant_id, pg_tid);

-- One row for each day of a channel whose file was asked for. Sums in won, as the file has them and as they are here.
CREATE TABLE settlement_days (
    merchant_id     TEXT NOT NULL,
    channel_id      TEXT NOT NULL,
    day             TEXT NOT NULL,
    tries           BIGINT NOT NULL CHECK (tries >= 0),
    due_at          TIMESTAMPTZ NOT NULL,
    done_at         TIMESTAMPTZ,
    -- Whether what is missing in the file did not happen.
    complete        BOOLEAN,
    taken_there     BIGINT,
    taken_here      BIGINT,
    cancelled_there BIGINT,
    cancelled_here  BIGINT,
    PRIMARY KEY (merchant_id, channel_id, day),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    CHECK ((done_at IS NULL) = (complete IS NULL)),
    CHECK ((done_at IS NULL) = (taken_there IS NULL)),
    CHECK ((done_at IS NULL) = (taken_here IS NULL)),
    CHECK ((done_at IS NULL) = (cancelled_there IS NULL)),
    CHECK ((done_at IS NULL) = (cancelled_here IS NULL))
);

CREATE TABLE findings (
    merchant_id  TEXT NOT NULL,
    id           TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN (
        'charged_there', 'charged_twice', 'charged_here', 'amount_differs', 'cancelled_there', 'cancelled_here')),
    subject      TEXT NOT NULL,
    channel_id   TEXT NOT NULL,
    day          TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    imp_uid      TEXT,
    pg_tid       TEXT,
    pg_aid       TEXT,
    amount_there BIGINT,
    amount_here  BIGINT,
    happened_at  TIMESTAMPTZ,
    found_at     TIMESTAMPTZ NOT NULL,
    closed_at    TIMESTAMPTZ,
    closed_by    TEXT,
    close_reason TEXT,
    PRIMARY KEY (merchant_id, id),
    -- However often a day is read, a difference is found once.
    UNIQUE (merchant_id, kind, subject),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
    CHECK ((closed_at IS NULL) = (close_reason IS NULL)),
    CHECK (amount_there IS NOT NULL OR amount_here IS NOT NULL)
);
CREATE INDEX findings_open ON findings (found_at) WHERE closed_at IS NULL;
CREATE INDEX findings_by_time ON findings (merchant_id, found_at);
CREATE INDEX findings_by_tid ON findings (merchant_id, pg_tid);
