-- SQLite cannot change a rule of a table, only build the table anew.
CREATE TABLE webhook_deliveries_next (
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
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'recorded')),
    tries         BIGINT NOT NULL CHECK (tries >= 0),
    created_at    TIMESTAMPTZ NOT NULL,
    due_at        TIMESTAMPTZ NOT NULL,
    lease_id      TEXT,
    leased_until  TIMESTAMPTZ,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, imp_uid) REFERENCES payments (merchant_id, imp_uid),
    CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
    CHECK (state = 'waiting' OR lease_id IS NULL),
    CHECK (state IN ('waiting', 'recorded') OR tries > 0)
);
INSERT INTO webhook_deliveries_next SELECT * FROM webhook_deliveries;
DROP TABLE webhook_deliveries;
ALTER TABLE webhook_deliveries_next RENAME TO webhook_deliveries;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (merchant_id, imp_uid, sequence) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_of_payment ON webhook_deliveries (merchant_id, imp_uid, sequence);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (merchant_id, state, created_at);
