-- Payments whose text is to be written: work of this database, gone as soon as it is done.
CREATE TABLE payments_to_text (
    id          INTEGER PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    imp_uid     TEXT NOT NULL
);

CREATE TRIGGER payments_new_text AFTER INSERT ON payments
BEGIN INSERT INTO payments_to_text (merchant_id, imp_uid) VALUES (NEW.merchant_id, NEW.imp_uid); END;

CREATE TRIGGER payments_changed_text AFTER UPDATE ON payments
WHEN OLD.pg_tid IS NOT NEW.pg_tid OR OLD.card_approval_number IS NOT NEW.card_approval_number
  OR OLD.card_issuer_name IS NOT NEW.card_issuer_name OR OLD.fail_reason IS NOT NEW.fail_reason
  OR OLD.cancel_reason IS NOT NEW.cancel_reason
BEGIN INSERT INTO payments_to_text (merchant_id, imp_uid) VALUES (NEW.merchant_id, NEW.imp_uid); END;
