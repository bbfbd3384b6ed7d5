-- Payments whose text is to be written: work of this database, gone as soon as it is done.
CREATE TABLE payments_to_text (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    imp_uid     TEXT NOT NULL
);

CREATE FUNCTION note_new_texts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
INSERT INTO payments_to_text (merchant_id, imp_uid) SELECT merchant_id, imp_uid FROM fresh;
RETURN NULL; END $$;

CREATE FUNCTION note_changed_text() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
INSERT INTO payments_to_text (merchant_id, imp_uid) VALUES (NEW.merchant_id, NEW.imp_uid);
RETURN NULL; END $$;

CREATE TRIGGER payments_new_text AFTER INSERT ON payments
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_new_texts();

CREATE TRIGGER payments_changed_text AFTER UPDATE ON payments FOR EACH ROW
WHEN ((OLD.pg_tid, OLD.card_approval_number, OLD.card_issuer_name, OLD.fail_reason, OLD.cancel_reason)
  IS DISTINCT FROM (NEW.pg_tid, NEW.card_approval_number, NEW.card_issuer_name, NEW.fail_reason, NEW.cancel_reason))
EXECUTE FUNCTION note_changed_text();
