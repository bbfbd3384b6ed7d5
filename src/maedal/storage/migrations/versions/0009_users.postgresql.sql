CREATE FUNCTION refuse_change_of_deeds() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'user_log is append-only'; END $$;

CREATE TRIGGER user_log_append_only BEFORE UPDATE OR DELETE ON user_log
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_deeds();
