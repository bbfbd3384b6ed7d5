ALTER TABLE webhook_deliveries
    DROP CONSTRAINT webhook_deliveries_state_check,
    DROP CONSTRAINT webhook_deliveries_check2,
    ADD CONSTRAINT webhook_deliveries_state_check
        CHECK (state IN ('waiting', 'delivered', 'failed', 'recorded')) NOT VALID,
    ADD CONSTRAINT webhook_deliveries_check2
        CHECK (state IN ('waiting', 'recorded') OR tries > 0) NOT VALID;
