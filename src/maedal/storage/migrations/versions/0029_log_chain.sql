-- Each block covers rows of the logs and the block before it. `entries` is JSON: log, merchant, id, version, hash.
CREATE TABLE log_blocks (
    number   BIGINT PRIMARY KEY CHECK (number >= 1),
    previous BYTEA NOT NULL,
    made_at  TIMESTAMPTZ NOT NULL,
    entries  TEXT NOT NULL,
    digest   BYTEA NOT NULL
);

-- Logs whose rows from before the chain are not all covered yet, and the last one that is.
CREATE TABLE logs_to_walk (
    log         TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    row_id      TEXT NOT NULL,
    version     BIGINT NOT NULL
)
