-- Rows that no block covers yet: gone from here as soon as one does.
CREATE TABLE log_rows_to_chain (
    id          INTEGER PRIMARY KEY,
    log         TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    row_id      TEXT NOT NULL,
    version     BIGINT NOT NULL
);

CREATE TRIGGER log_blocks_no_update BEFORE UPDATE ON log_blocks
BEGIN SELECT RAISE(ABORT, 'log_blocks is append-only'); END;

CREATE TRIGGER log_blocks_no_delete BEFORE DELETE ON log_blocks
BEGIN SELECT RAISE(ABORT, 'log_blocks is append-only'); END;

CREATE TRIGGER audit_log_to_chain AFTER INSERT ON audit_log
BEGIN INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version) VALUES ('audit_log', NEW.merchant_id, NEW.id, 0); END;

CREATE TRIGGER user_log_to_chain AFTER INSERT ON user_log
BEGIN INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version) VALUES ('user_log', '', NEW.id, 0); END;

CREATE TRIGGER payment_events_to_chain AFTER INSERT ON payment_events
BEGIN INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version)
VALUES ('payment_events', NEW.merchant_id, NEW.imp_uid, NEW.version); END;
