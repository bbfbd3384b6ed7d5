CREATE TRIGGER user_log_no_update BEFORE UPDATE ON user_log
BEGIN SELECT RAISE(ABORT, 'user_log is append-only'); END;

CREATE TRIGGER user_log_no_delete BEFORE DELETE ON user_log
BEGIN SELECT RAISE(ABORT, 'user_log is append-only'); END;
