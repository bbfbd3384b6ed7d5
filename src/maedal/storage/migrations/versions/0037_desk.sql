-- What people wrote beside a payment (its imp_uid) or a customer (their customer_uid).
CREATE TABLE notes (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('payment', 'customer')),
    subject     TEXT NOT NULL,
    author      TEXT NOT NULL,
    text        TEXT NOT NULL CHECK (text <> ''),
    written_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

CREATE INDEX notes_of_subject ON notes (merchant_id, kind, subject, written_at, id);

CREATE TABLE tags (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    kind        TEXT NOT NULL CHECK (kind IN ('payment', 'customer')),
    subject     TEXT NOT NULL,
    tag         TEXT NOT NULL CHECK (tag <> ''),
    author      TEXT NOT NULL,
    tagged_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, kind, subject, tag)
);

CREATE INDEX tags_by_tag ON tags (merchant_id, kind, tag, tagged_at, subject);

-- By what the search finds at once: each term once for a customer, or for a payment of nobody's key. `imp_uid` is the
-- newest payment that told it; it goes when that one's buyer is forgotten.
CREATE TABLE search_terms (
    merchant_id TEXT NOT NULL,
    term        TEXT{collate} NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('payment', 'customer')),
    subject     TEXT NOT NULL,
    imp_uid     TEXT NOT NULL,
    PRIMARY KEY (merchant_id, term, kind, subject)
);

CREATE INDEX search_terms_of_payment ON search_terms (merchant_id, imp_uid)
