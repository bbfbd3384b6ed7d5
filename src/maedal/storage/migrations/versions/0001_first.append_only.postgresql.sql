CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'payment_events is append-only'; END $$;

CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE ON payment_events
FOR EACH ROW EXECUTE FUNCTION refuse_change();
