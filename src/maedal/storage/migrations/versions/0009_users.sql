CREATE TABLE users (
    id                 TEXT PRIMARY KEY,
    name               TEXT NOT NULL CHECK (name <> ''),
    name_folded        TEXT NOT NULL UNIQUE,
    role               TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'manager', 'read_only')),
    password_hash      TEXT NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    sealed_totp_secret BYTEA,
    totp_step          BIGINT NOT NULL DEFAULT 0,
    version            INTEGER NOT NULL CHECK (version >= 1),
    created_at         TIMESTAMPTZ NOT NULL,
    disabled_at        TIMESTAMPTZ
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    digest  BYTEA NOT NULL,
    used_at TIMESTAMPTZ,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    token_digest BYTEA NOT NULL UNIQUE,
    half         BOOLEAN NOT NULL,
    address      TEXT NOT NULL,
    user_agent   TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    seen_at      TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    CHECK (expires_at > created_at)
);

CREATE INDEX sessions_of_user ON sessions (user_id, created_at);

CREATE INDEX sessions_to_forget ON sessions (expires_at);

CREATE TABLE sign_in_tries (
    subject  BYTEA PRIMARY KEY,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    last_at  TIMESTAMPTZ NOT NULL
);

CREATE INDEX sign_in_tries_to_forget ON sign_in_tries (last_at);

CREATE TABLE user_log (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    who         TEXT NOT NULL CHECK (who <> ''),
    fact_before TEXT NOT NULL,
    fact_after  TEXT NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL
)
