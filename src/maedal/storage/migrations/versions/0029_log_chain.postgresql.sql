-- Rows that no block covers yet: gone from here as soon as one does.
CREATE TABLE log_rows_to_chain (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log         TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    row_id      TEXT NOT NULL,
    version     BIGINT NOT NULL
);

CREATE FUNCTION refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;

CREATE TRIGGER log_blocks_append_only BEFORE UPDATE OR DELETE ON log_blocks
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_log();

CREATE TRIGGER log_blocks_not_emptied BEFORE TRUNCATE ON log_blocks EXECUTE FUNCTION refuse_change_of_log();

CREATE TRIGGER audit_log_not_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_change_of_log();

CREATE TRIGGER user_log_not_emptied BEFORE TRUNCATE ON user_log EXECUTE FUNCTION refuse_change_of_log();

CREATE TRIGGER payment_events_not_emptied BEFORE TRUNCATE ON payment_events EXECUTE FUNCTION refuse_change_of_log();

CREATE FUNCTION note_audit_entries() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version) SELECT 'audit_log', merchant_id, id, 0 FROM fresh;
RETURN NULL; END $$;

CREATE FUNCTION note_operator_entries() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version) SELECT 'user_log', '', id, 0 FROM fresh;
RETURN NULL; END $$;

CREATE FUNCTION note_payment_events() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version)
SELECT 'payment_events', merchant_id, imp_uid, version FROM fresh;
RETURN NULL; END $$;

CREATE TRIGGER audit_log_to_chain AFTER INSERT ON audit_log
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_audit_entries();

CREATE TRIGGER user_log_to_chain AFTER INSERT ON user_log
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_operator_entries();

CREATE TRIGGER payment_events_to_chain AFTER INSERT ON payment_events
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_payment_events();
