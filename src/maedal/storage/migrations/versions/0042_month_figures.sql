-- What each month of Seoul came to for a merchant, each month counted as a whole. Months are YYYY-MM.
CREATE TABLE month_figures (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    month       TEXT NOT NULL,
    test_mode   BOOLEAN NOT NULL,
    kind        TEXT NOT NULL,
    detail      TEXT NOT NULL,
    count       BIGINT NOT NULL CHECK (count > 0),
    amount      BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (merchant_id, month, test_mode, kind, detail)
);

-- As of which moment a month of a merchant is counted.
CREATE TABLE months_counted (
    merchant_id TEXT NOT NULL REFERENCES merchants (code),
    month       TEXT NOT NULL,
    counted_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (merchant_id, month)
);
