-- How often the PG was asked about an unknown outcome without proof, and what the last look saw.
ALTER TABLE attempts ADD COLUMN looks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN looked_at TIMESTAMPTZ;
ALTER TABLE attempts ADD COLUMN look_saw TEXT;
ALTER TABLE attempts ADD COLUMN look_approved_at TIMESTAMPTZ;
-- Open items of one merchant: as long as the work, not as the tables.
CREATE INDEX attempts_unknown_of_merchant ON attempts (merchant_id, begun_at)
    WHERE outcome = 'unknown' AND verb IN ('approve', 'charge', 'cancel');
CREATE INDEX payments_without_tid_of_merchant ON payments (merchant_id, paid_at) WHERE status = 'paid' AND pg_tid IS NULL;
CREATE INDEX findings_open_of_merchant ON findings (merchant_id, found_at) WHERE closed_at IS NULL;
CREATE INDEX key_endings_open_of_merchant ON key_endings (merchant_id, due_at) WHERE ended_at IS NULL;
-- Logs, newest first.
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (merchant_id, created_at, id);
CREATE INDEX audit_log_by_time ON audit_log (merchant_id, happened_at, id);
CREATE INDEX user_log_by_time ON user_log (happened_at, id);
