-- The simulator's own memory. Times are epoch seconds, amounts whole won.
-- The checks repeat the rules of docs/wire/kakaopay.md, so that a mistake in Python cannot be stored.

CREATE TABLE IF NOT EXISTS meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS cards (
    id           TEXT PRIMARY KEY,
    decline_code TEXT CHECK (decline_code IS NULL OR length(decline_code) = 4)
) STRICT;

CREATE TABLE IF NOT EXISTS sids (
    sid                 TEXT PRIMARY KEY CHECK (length(sid) = 20 AND sid GLOB 'S*'),
    cid                 TEXT NOT NULL,
    partner_user_id     TEXT NOT NULL,
    payment_method_type TEXT NOT NULL CHECK (payment_method_type IN ('MONEY', 'CARD')),
    card_id             TEXT REFERENCES cards (id),
    item_name           TEXT NOT NULL,
    status              TEXT NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_at          INTEGER NOT NULL,
    last_approved_at    INTEGER CHECK (last_approved_at >= created_at),
    inactivated_at      INTEGER CHECK (inactivated_at >= created_at),
    ended_by            TEXT CHECK (ended_by IN ('merchant', 'buyer')),
    month               TEXT NOT NULL DEFAULT '',
    month_count         INTEGER NOT NULL DEFAULT 0 CHECK (month_count >= 0),
    CHECK ((payment_method_type = 'CARD') = (card_id IS NOT NULL)),
    CHECK ((status = 'INACTIVE') = (inactivated_at IS NOT NULL)),
    CHECK ((inactivated_at IS NULL) = (ended_by IS NULL))
) STRICT;

CREATE INDEX IF NOT EXISTS sids_on_the_account_page ON sids (status);

CREATE TABLE IF NOT EXISTS orders (
    tid                  TEXT PRIMARY KEY CHECK (length(tid) = 20 AND tid GLOB 'T*'),
    kind                 TEXT NOT NULL CHECK (kind IN ('one_time', 'first', 'charge')),
    page                 TEXT UNIQUE CHECK (length(page) = 64),
    pg_token             TEXT CHECK (length(pg_token) = 20),
    cid                  TEXT NOT NULL,
    sid                  TEXT REFERENCES sids (sid),
    partner_order_id     TEXT NOT NULL,
    partner_user_id      TEXT NOT NULL,
    item_name            TEXT NOT NULL,
    item_code            TEXT,
    quantity             INTEGER NOT NULL CHECK (quantity >= 0),
    total                INTEGER NOT NULL CHECK (total >= 0),
    tax_free             INTEGER NOT NULL CHECK (tax_free BETWEEN 0 AND total),
    vat                  INTEGER NOT NULL CHECK (vat BETWEEN 0 AND total - tax_free),
    green_deposit        INTEGER NOT NULL CHECK (green_deposit BETWEEN 0 AND total),
    canceled_total       INTEGER NOT NULL DEFAULT 0 CHECK (canceled_total BETWEEN 0 AND total),
    canceled_tax_free    INTEGER NOT NULL DEFAULT 0 CHECK (canceled_tax_free BETWEEN 0 AND tax_free),
    canceled_vat         INTEGER NOT NULL DEFAULT 0 CHECK (canceled_vat BETWEEN 0 AND vat),
    canceled_deposit     INTEGER NOT NULL DEFAULT 0 CHECK (canceled_deposit BETWEEN 0 AND green_deposit),
    uses_points          INTEGER NOT NULL DEFAULT 0 CHECK (uses_points IN (0, 1)),
    point                INTEGER NOT NULL DEFAULT 0 CHECK (point >= 0),
    discount             INTEGER NOT NULL DEFAULT 0 CHECK (discount >= 0),
    canceled_point       INTEGER NOT NULL DEFAULT 0 CHECK (canceled_point >= 0),
    canceled_discount    INTEGER NOT NULL DEFAULT 0 CHECK (canceled_discount >= 0),
    approval_url         TEXT,
    cancel_url           TEXT,
    fail_url             TEXT,
    available_cards      TEXT,
    method_allowed       TEXT CHECK (method_allowed IN ('MONEY', 'CARD')),
    install_allowed      INTEGER CHECK (install_allowed BETWEEN 0 AND 12),
    share_installment    INTEGER NOT NULL DEFAULT 0 CHECK (share_installment IN (0, 1)),
    return_custom_url    TEXT,
    status               TEXT NOT NULL CHECK (status IN (
        'READY', 'SEND_TMS', 'OPEN_PAYMENT', 'SELECT_METHOD', 'ARS_WAITING', 'AUTH_PASSWORD', 'ISSUED_SID',
        'SUCCESS_PAYMENT', 'PART_CANCEL_PAYMENT', 'CANCEL_PAYMENT', 'FAIL_AUTH_PASSWORD', 'QUIT_PAYMENT',
        'FAIL_PAYMENT')),
    is_expired           INTEGER NOT NULL DEFAULT 0 CHECK (is_expired IN (0, 1)),
    payment_method_type  TEXT CHECK (payment_method_type IN ('MONEY', 'CARD')),
    card_id              TEXT REFERENCES cards (id),
    install_month        INTEGER NOT NULL DEFAULT 0 CHECK (install_month BETWEEN 0 AND 12),
    card_approved_id     TEXT,
    wrong_pins           INTEGER NOT NULL DEFAULT 0 CHECK (wrong_pins >= 0),
    created_at           INTEGER NOT NULL,
    expires_at           INTEGER CHECK (expires_at > created_at),
    approved_at          INTEGER CHECK (approved_at >= created_at),
    canceled_at          INTEGER CHECK (canceled_at >= approved_at),
    CHECK ((kind = 'charge') = (page IS NULL)),
    CHECK (point + discount <= total),
    CHECK (canceled_point <= point AND canceled_discount <= discount),
    CHECK ((page IS NULL) = (expires_at IS NULL)),
    CHECK ((page IS NULL) = (approval_url IS NULL)),
    CHECK (kind <> 'charge' OR sid IS NOT NULL),
    CHECK (kind <> 'one_time' OR sid IS NULL),
    CHECK (card_id IS NULL OR payment_method_type = 'CARD'),
    CHECK ((status IN ('ISSUED_SID', 'SUCCESS_PAYMENT', 'PART_CANCEL_PAYMENT', 'CANCEL_PAYMENT'))
           = (approved_at IS NOT NULL)),
    CHECK ((status = 'CANCEL_PAYMENT') = (approved_at IS NOT NULL AND total > 0 AND canceled_total = total)),
    CHECK ((status = 'PART_CANCEL_PAYMENT') = (canceled_total > 0 AND canceled_total < total))
) STRICT;

-- The way an order has gone, oldest first; never changed.
CREATE TABLE IF NOT EXISTS moves (
    seq    INTEGER PRIMARY KEY,
    tid    TEXT NOT NULL REFERENCES orders (tid),
    status TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS moves_of_an_order ON moves (tid, seq);

-- Every successful payment, cancel and SID issue; the settlement file is made of these rows.
CREATE TABLE IF NOT EXISTS actions (
    seq           INTEGER PRIMARY KEY,
    aid           TEXT NOT NULL UNIQUE CHECK (length(aid) = 20 AND aid GLOB 'A*'),
    tid           TEXT NOT NULL REFERENCES orders (tid),
    action_type   TEXT NOT NULL CHECK (action_type IN ('PAYMENT', 'CANCEL', 'ISSUED_SID')),
    detail_type   TEXT NOT NULL CHECK (detail_type IN (
        'PAYMENT_LUMP_SUM', 'PAYMENT_INSTALLMENT', 'ISSUE_SID', 'PAYMENT_ISSUE_SID', 'PAYMENT_SUBSCRIPTION',
        'ALL_CANCELED', 'PART_CANCELED', 'ALL_PART_CANCELED')),
    total         INTEGER NOT NULL CHECK (total >= 0),
    green_deposit INTEGER NOT NULL DEFAULT 0,
    payload       TEXT,
    at            INTEGER NOT NULL,
    point         INTEGER NOT NULL DEFAULT 0 CHECK (point >= 0),
    discount      INTEGER NOT NULL DEFAULT 0 CHECK (discount >= 0),
    CHECK ((action_type = 'ISSUED_SID') = (total = 0))
) STRICT;
CREATE INDEX IF NOT EXISTS actions_of_an_order ON actions (tid, seq);
CREATE INDEX IF NOT EXISTS actions_of_a_day ON actions (at);

-- Under which addresses the files of days were handed out.
CREATE TABLE IF NOT EXISTS file_addresses (
    name        TEXT PRIMARY KEY CHECK (length(name) = 64),
    target_date TEXT NOT NULL CHECK (length(target_date) = 8),
    expires_at  INTEGER NOT NULL,
    kind        TEXT NOT NULL DEFAULT 'payments' CHECK (kind IN ('payments', 'settlements', 'deposits'))
) STRICT;

-- Every call and every act of the buyer, refused ones too.
CREATE TABLE IF NOT EXISTS journal (
    seq                 INTEGER PRIMARY KEY,
    at                  INTEGER NOT NULL,
    operation           TEXT NOT NULL,
    outcome             TEXT NOT NULL,
    family              TEXT,
    cid                 TEXT,
    tid                 TEXT,
    sid                 TEXT,
    aid                 TEXT,
    partner_order_id    TEXT,
    partner_user_id     TEXT,
    amount              INTEGER,
    payment_method_type TEXT,
    error_code          INTEGER,
    method_result_code  TEXT,
    fault               TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS journal_of_faults ON journal (seq) WHERE fault IS NOT NULL OR operation = 'refund';
