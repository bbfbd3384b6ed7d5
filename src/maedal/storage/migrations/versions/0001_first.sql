-- One text for SQLite and PostgreSQL. Every hot table carries merchant_id first in its keys, so that rows can be spread by
-- merchant and every query of the API is an index range. Amounts are whole won. Moments are UTC.

CREATE TABLE merchants (
    code             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    webhook_url_live TEXT,
    webhook_url_test TEXT,
    webhook_type     TEXT NOT NULL CHECK (webhook_type IN ('json', 'form')),
    webhook_retry    TEXT NOT NULL CHECK (webhook_retry IN ('none', 'few', 'patient')),
    field_set        TEXT NOT NULL CHECK (field_set IN ('full', '2021')),
    webhook_failures BOOLEAN NOT NULL,
    -- What webhooks are signed with; while it is being changed the old one signs too.
    sealed_webhook_secret     BYTEA,
    sealed_old_webhook_secret BYTEA,
    created_at       TIMESTAMPTZ NOT NULL,
    CHECK (sealed_old_webhook_secret IS NULL OR sealed_webhook_secret IS NOT NULL)
);

CREATE TABLE api_keys (
    merchant_id      TEXT NOT NULL REFERENCES merchants (code),
    api_key          TEXT NOT NULL,
    api_key_folded   TEXT NOT NULL UNIQUE,
    secret_digest    BYTEA NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    token_issued_at  TIMESTAMPTZ,
    token_expires_at TIMESTAMPTZ,
    token_digest     BYTEA UNIQUE,
    PRIMARY KEY (merchant_id, api_key),
    CHECK ((token_issued_at IS NULL) = (token_expires_at IS NULL)),
    CHECK ((token_issued_at IS NULL) = (token_digest IS NULL)),
    CHECK (token_expires_at > token_issued_at)
);

CREATE TABLE channels (
    merchant_id     TEXT NOT NULL REFERENCES merchants (code),
    id              TEXT NOT NULL,
    name            TEXT NOT NULL,
    pg_provider     TEXT NOT NULL,
    pg_merchant_id  TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('one_time', 'recurring')),
    test_mode       BOOLEAN NOT NULL,
    sealed_secret   BYTEA,
    is_default      BOOLEAN NOT NULL,
    allowed_origins TEXT NOT NULL,
    unknown_pg      TEXT NOT NULL CHECK (unknown_pg IN ('reject', 'default')),
    replaced_keys   TEXT NOT NULL CHECK (replaced_keys IN ('deactivate', 'keep')),
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, id),
    -- Live mode never goes to the simulator.
    CHECK (test_mode OR sealed_secret IS NOT NULL)
);
CREATE UNIQUE INDEX channels_one_default ON channels (merchant_id) WHERE is_default;

CREATE TABLE billing_keys (
    merchant_id           TEXT NOT NULL REFERENCES merchants (code),
    id                    TEXT NOT NULL,
    customer_uid          TEXT NOT NULL,
    channel_id            TEXT NOT NULL,
    pg_provider           TEXT NOT NULL,
    pg_merchant_id        TEXT NOT NULL,
    test_mode             BOOLEAN NOT NULL,
    sealed_pg_key         BYTEA NOT NULL,
    pg_user_id            TEXT NOT NULL,
    method                TEXT CHECK (method IN ('card', 'money')),
    card_issuer_name      TEXT,
    card_issuer_code      TEXT,
    card_check            BOOLEAN,
    customer_id           TEXT,
    customer_name         TEXT,
    customer_email        TEXT,
    customer_tel          TEXT,
    customer_addr         TEXT,
    customer_postcode     TEXT,
    last_approved_at      TIMESTAMPTZ,
    last_approval_seen_at TIMESTAMPTZ,
    inserted_at           TIMESTAMPTZ NOT NULL,
    updated_at            TIMESTAMPTZ NOT NULL,
    ended_at              TIMESTAMPTZ,
    ended_by              TEXT CHECK (ended_by IN ('deleted', 'replaced')),
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
-- One living key per customer_uid; ended ones stay for the record.
CREATE UNIQUE INDEX billing_keys_one_living ON billing_keys (merchant_id, customer_uid) WHERE ended_at IS NULL;

CREATE TABLE payments (
    merchant_id          TEXT NOT NULL REFERENCES merchants (code),
    imp_uid              TEXT NOT NULL,
    merchant_uid         TEXT NOT NULL,
    status               TEXT NOT NULL
        CHECK (status IN ('ready', 'calling', 'unknown', 'paid', 'failed', 'cancelled')),
    version              BIGINT NOT NULL CHECK (version >= 1),
    origin               TEXT NOT NULL CHECK (origin IN ('pc', 'mobile', 'api')),
    amount               BIGINT NOT NULL CHECK (amount >= 0),
    tax_free             BIGINT NOT NULL CHECK (tax_free >= 0 AND tax_free <= amount),
    cancelled_amount     BIGINT NOT NULL CHECK (cancelled_amount >= 0 AND cancelled_amount <= amount),
    currency             TEXT NOT NULL CHECK (currency IN ('KRW')),
    name                 TEXT NOT NULL,
    quantity             BIGINT NOT NULL CHECK (quantity > 0),
    buyer_name           TEXT,
    buyer_email          TEXT,
    buyer_tel            TEXT,
    buyer_addr           TEXT,
    buyer_postcode       TEXT,
    custom_data          TEXT,
    notice_urls          TEXT,
    user_agent           TEXT,
    card_quota_asked     BIGINT,
    kept                 TEXT,
    customer_uid         TEXT,
    key_use              TEXT CHECK (key_use IN ('issue', 'payment', 'payment.scheduled')),
    billing_key_id       TEXT,
    channel_id           TEXT NOT NULL,
    pg_provider          TEXT NOT NULL,
    pg_merchant_id       TEXT NOT NULL,
    test_mode            BOOLEAN NOT NULL,
    pg_tid               TEXT,
    method               TEXT CHECK (method IN ('card', 'money')),
    card_issuer_name     TEXT,
    card_issuer_code     TEXT,
    card_approval_number TEXT,
    card_quota           BIGINT,
    card_check           BOOLEAN,
    receipt_url          TEXT,
    started_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    -- When the payment came to its status, as lists by time see it: opened, paid, failed or last cancelled.
    status_at            TIMESTAMPTZ NOT NULL,
    paid_at              TIMESTAMPTZ,
    failed_at            TIMESTAMPTZ,
    cancelled_at         TIMESTAMPTZ,
    fail_code            TEXT,
    fail_reason          TEXT,
    cancel_reason        TEXT,
    PRIMARY KEY (merchant_id, imp_uid),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    CHECK ((customer_uid IS NULL) = (key_use IS NULL)),
    -- Money is only ever taken through a key or a window; nothing but a key's issue is free of charge.
    CHECK (amount > 0 OR key_use = 'issue'),
    CHECK ((status IN ('paid', 'cancelled')) = (paid_at IS NOT NULL)),
    CHECK ((status = 'failed') = (failed_at IS NOT NULL)),
    CHECK ((status = 'failed') = (fail_reason IS NOT NULL)),
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CHECK (status = 'cancelled' OR cancelled_amount = 0)
);
-- While money was, or may have been, taken under a merchant_uid, it belongs to that payment alone.
CREATE UNIQUE INDEX payments_one_per_merchant_uid ON payments (merchant_id, merchant_uid)
    WHERE status IN ('calling', 'unknown', 'paid', 'cancelled');
CREATE INDEX payments_by_merchant_uid ON payments (merchant_id, merchant_uid, started_at);
CREATE INDEX payments_by_customer ON payments (merchant_id, customer_uid, started_at) WHERE customer_uid IS NOT NULL;
CREATE INDEX payments_by_status ON payments (merchant_id, status, status_at);
CREATE INDEX payments_open_windows ON payments (started_at) WHERE status = 'ready';

CREATE TABLE prepared_amounts (
    merchant_id  TEXT NOT NULL REFERENCES merchants (code),
    merchant_uid TEXT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount >= 0),
    currency     TEXT CHECK (currency IN ('KRW')),
    updated_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, merchant_uid)
);

CREATE TABLE payment_events (
    merchant_id TEXT NOT NULL,
    imp_uid     TEXT NOT NULL,
    version     BIGINT NOT NULL,
    event       TEXT NOT NULL,
    status      TEXT NOT NULL,
    proof       TEXT,
    attempt_id  TEXT,
    happened_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, imp_uid, version),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid)
);

CREATE TABLE attempts (
    merchant_id    TEXT NOT NULL,
    id             TEXT NOT NULL,
    verb           TEXT NOT NULL CHECK (verb IN ('prepare', 'approve', 'charge', 'cancel', 'deactivate')),
    order_id       TEXT NOT NULL,
    imp_uid        TEXT,
    billing_key_id TEXT,
    amount         BIGINT CHECK (amount >= 0),
    tax_free       BIGINT,
    -- The time of the key's last approval when this charge began: what a lost answer is judged against.
    approved_before TIMESTAMPTZ,
    begun_at       TIMESTAMPTZ NOT NULL,
    outcome        TEXT CHECK (outcome IN ('approved', 'declined', 'not_sent', 'unknown')),
    proof          TEXT,
    pg_tid         TEXT,
    code           TEXT,
    message        TEXT,
    recorded_at    TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid),
    FOREIGN KEY (merchant_id, billing_key_id) REFERENCES billing_keys (merchant_id, id),
    CHECK (imp_uid IS NOT NULL OR billing_key_id IS NOT NULL),
    CHECK (verb <> 'charge' OR billing_key_id IS NOT NULL),
    CHECK ((outcome IS NULL) = (recorded_at IS NULL)),
    CHECK ((outcome IS NULL) = (proof IS NULL))
);
-- One open charge per billing key, across all nodes: one that is running, or whose outcome is unknown.
CREATE UNIQUE INDEX attempts_one_open_charge ON attempts (merchant_id, billing_key_id)
    WHERE verb = 'charge' AND (outcome IS NULL OR outcome = 'unknown');
-- One open cancel per payment: one that is running, or whose outcome is unknown.
CREATE UNIQUE INDEX attempts_one_open_cancel ON attempts (merchant_id, imp_uid)
    WHERE verb = 'cancel' AND (outcome IS NULL OR outcome = 'unknown');
CREATE INDEX attempts_unanswered ON attempts (begun_at) WHERE outcome IS NULL;
CREATE INDEX attempts_unknown ON attempts (begun_at) WHERE outcome = 'unknown';
CREATE INDEX attempts_of_payment ON attempts (merchant_id, imp_uid);

-- Keys that have ended here and are to end at the PG, one row a key, with the attempt that tells how far that came.
CREATE TABLE key_endings (
    merchant_id    TEXT NOT NULL,
    attempt_id     TEXT NOT NULL,
    billing_key_id TEXT NOT NULL,
    tries          BIGINT NOT NULL CHECK (tries >= 0),
    -- When the next try may begin. A claim moves it, so that one caller at a time tries.
    due_at         TIMESTAMPTZ NOT NULL,
    ended_at       TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, attempt_id),
    UNIQUE (merchant_id, billing_key_id),
    FOREIGN KEY (merchant_id, attempt_id) REFERENCES attempts (merchant_id, id),
    FOREIGN KEY (merchant_id, billing_key_id) REFERENCES billing_keys (merchant_id, id)
);
CREATE INDEX key_endings_due ON key_endings (due_at) WHERE ended_at IS NULL;

CREATE TABLE cancellations (
    merchant_id TEXT NOT NULL,
    id          TEXT NOT NULL,
    imp_uid     TEXT NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    tax_free    BIGINT NOT NULL CHECK (tax_free >= 0 AND tax_free <= amount),
    vat         BIGINT NOT NULL CHECK (vat >= 0 AND vat <= amount - tax_free),
    reason      TEXT NOT NULL,
    tell        BOOLEAN NOT NULL,
    begun_at    TIMESTAMPTZ NOT NULL,
    done_at     TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, id) REFERENCES attempts (merchant_id, id),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid)
);
CREATE INDEX cancellations_of_payment ON cancellations (merchant_id, imp_uid);

CREATE TABLE windows (
    merchant_id     TEXT NOT NULL,
    imp_uid         TEXT NOT NULL,
    device          TEXT NOT NULL CHECK (device IN ('pc', 'mobile')),
    shown           TEXT NOT NULL CHECK (shown IN ('frame', 'popup', 'redirect')),
    nonce           TEXT NOT NULL,
    page_origin     TEXT NOT NULL,
    page_url        TEXT NOT NULL,
    return_url      TEXT,
    confirm_url     TEXT,
    pg_user_id      TEXT NOT NULL,
    customer_id     TEXT,
    order_id        TEXT NOT NULL,
    pc_url          TEXT,
    mobile_url      TEXT,
    app_url         TEXT,
    sealed_pg_token BYTEA,
    opened_at       TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    left_at         TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, imp_uid),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid),
    CHECK (expires_at > opened_at)
);

CREATE TABLE webhook_deliveries (
    merchant_id   TEXT NOT NULL,
    id            TEXT NOT NULL,
    imp_uid       TEXT NOT NULL,
    -- Where the news stands among the payment's: the version that it tells. Those of one event share it.
    sequence      BIGINT NOT NULL CHECK (sequence >= 1),
    url           TEXT NOT NULL,
    -- Sent again because a person asked for it, once, perhaps to another address.
    by_hand       BOOLEAN NOT NULL,
    resend_url    TEXT,
    -- Host and port of the address: those that share them share a bound.
    receiver      TEXT NOT NULL,
    media_type    TEXT NOT NULL,
    body          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries         BIGINT NOT NULL CHECK (tries >= 0),
    created_at    TIMESTAMPTZ NOT NULL,
    due_at        TIMESTAMPTZ NOT NULL,
    lease_id      TEXT,
    leased_until  TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid),
    CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
    CHECK (state = 'waiting' OR lease_id IS NULL),
    CHECK (state = 'waiting' OR tries > 0)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (merchant_id, imp_uid, sequence) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_of_payment ON webhook_deliveries (merchant_id, imp_uid, sequence);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (merchant_id, state, created_at);

-- One row for each request: what was answered, or in `answer` why nothing was.
CREATE TABLE webhook_tries (
    merchant_id   TEXT NOT NULL,
    delivery_id   TEXT NOT NULL,
    number        BIGINT NOT NULL CHECK (number >= 1),
    url           TEXT NOT NULL,
    sent_at       TIMESTAMPTZ NOT NULL,
    duration_ms   BIGINT NOT NULL CHECK (duration_ms >= 0),
    answer_status BIGINT,
    answer        TEXT NOT NULL,
    PRIMARY KEY (merchant_id, delivery_id, number),
    FOREIGN KEY (merchant_id, delivery_id) REFERENCES webhook_deliveries (merchant_id, id)
);

CREATE TABLE schedules (
    merchant_id   TEXT NOT NULL REFERENCES merchants (code),
    merchant_uid  TEXT NOT NULL,
    customer_uid  TEXT NOT NULL,
    -- The channel of the key that lived when the charge was planned.
    channel_id    TEXT NOT NULL,
    schedule_at   TIMESTAMPTZ NOT NULL,
    amount        BIGINT NOT NULL CHECK (amount > 0),
    tax_free      BIGINT NOT NULL CHECK (tax_free >= 0 AND tax_free <= amount),
    currency      TEXT NOT NULL CHECK (currency IN ('KRW')),
    name          TEXT NOT NULL,
    quantity      BIGINT NOT NULL CHECK (quantity > 0),
    buyer_name    TEXT,
    buyer_email   TEXT,
    buyer_tel     TEXT,
    buyer_addr    TEXT,
    buyer_postcode TEXT,
    custom_data   TEXT,
    notice_url    TEXT,
    status        TEXT NOT NULL CHECK (status IN ('scheduled', 'executed', 'revoked')),
    imp_uid       TEXT,
    executed_at   TIMESTAMPTZ,
    revoked_at    TIMESTAMPTZ,
    lease_id      TEXT,
    leased_until  TIMESTAMPTZ,
    inserted_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, merchant_uid),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    -- Deferred: whether the charge may begin is settled here before its payment is written.
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((status = 'executed') = (imp_uid IS NOT NULL)),
    CHECK ((status = 'executed') = (executed_at IS NOT NULL)),
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
    CHECK (status = 'scheduled' OR lease_id IS NULL)
);
CREATE INDEX schedules_due ON schedules (schedule_at) WHERE status = 'scheduled';
CREATE INDEX schedules_by_time ON schedules (merchant_id, schedule_at);
CREATE INDEX schedules_by_customer ON schedules (merchant_id, customer_uid, schedule_at);

-- An import that has not ended: what it has read so far, unseen by everything else, in tables shaped like the real ones.
CREATE TABLE import_files (
    digest   TEXT PRIMARY KEY,
    staged   BIGINT NOT NULL CHECK (staged >= 0),
    begun_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE import_payments AS
    SELECT CAST('' AS TEXT) AS file_digest, CAST(0 AS BIGINT) AS position, t.* FROM payments t WHERE 1 = 0;
CREATE INDEX import_payments_of_file ON import_payments (file_digest, position);
CREATE TABLE import_cancellations AS
    SELECT CAST('' AS TEXT) AS file_digest, CAST(0 AS BIGINT) AS position, t.* FROM cancellations t WHERE 1 = 0;
CREATE INDEX import_cancellations_of_file ON import_cancellations (file_digest, position);
CREATE TABLE import_billing_keys AS
    SELECT CAST('' AS TEXT) AS file_digest, CAST(0 AS BIGINT) AS position, t.* FROM billing_keys t WHERE 1 = 0;
CREATE INDEX import_billing_keys_of_file ON import_billing_keys (file_digest, position);
CREATE TABLE import_schedules AS
    SELECT CAST('' AS TEXT) AS file_digest, CAST(0 AS BIGINT) AS position, t.* FROM schedules t WHERE 1 = 0;
CREATE INDEX import_schedules_of_file ON import_schedules (file_digest, position);
CREATE TABLE import_prepared_amounts AS
    SELECT CAST('' AS TEXT) AS file_digest, CAST(0 AS BIGINT) AS position, t.* FROM prepared_amounts t WHERE 1 = 0;
CREATE INDEX import_prepared_amounts_of_file ON import_prepared_amounts (file_digest, position);
CREATE INDEX import_payments_by_id ON import_payments (file_digest, merchant_id, imp_uid);
