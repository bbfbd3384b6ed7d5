CREATE TABLE payment_texts (
    merchant_id TEXT NOT NULL,
    imp_uid     TEXT NOT NULL,
    -- That of the payment when its text was written.
    version     BIGINT NOT NULL,
    text        TEXT NOT NULL,
    PRIMARY KEY (merchant_id, imp_uid)
);

CREATE TABLE payment_views (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    id          TEXT NOT NULL,
    user_id     TEXT NOT NULL REFERENCES users (id),
    name        TEXT NOT NULL CHECK (name <> ''),
    query       TEXT NOT NULL,
    shared      BOOLEAN NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, user_id, name)
);

CREATE TABLE payment_columns (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    columns TEXT NOT NULL
);

CREATE TABLE exports (
    user_id   TEXT NOT NULL REFERENCES users (id),
    id        TEXT NOT NULL,
    rows_done BIGINT NOT NULL CHECK (rows_done >= 0),
    total     BIGINT NOT NULL,
    exact     BOOLEAN NOT NULL,
    done      BOOLEAN NOT NULL,
    seen_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, id)
)
