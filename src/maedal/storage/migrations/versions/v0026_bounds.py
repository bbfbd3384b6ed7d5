"""Requests that are counted for all nodes together, and windows that ended without anything to be paid."""

from alembic import op

revision = "0026"
down_revision = "0021"


def upgrade() -> None:
    """Add the table, whose rows live for minutes, and mark the windows that have ended so already."""
    op.execute(
        """
        CREATE TABLE request_counts (
            subject BYTEA NOT NULL,
            minute  TIMESTAMPTZ NOT NULL,
            count   BIGINT NOT NULL CHECK (count > 0),
            PRIMARY KEY (subject, minute)
        )
        """
    )
    op.execute("CREATE INDEX request_counts_by_age ON request_counts (minute)")
    op.execute("ALTER TABLE windows ADD COLUMN given_up_at TIMESTAMPTZ")
    # Nobody began to approve in them: no call that takes money knows their order.
    op.execute(
        """
        UPDATE windows SET given_up_at = (
            SELECT p.failed_at FROM payments p
             WHERE p.merchant_id = windows.merchant_id AND p.imp_uid = windows.imp_uid AND p.status = 'failed'
               AND NOT EXISTS (
                   SELECT 1 FROM attempts a
                    WHERE a.merchant_id = p.merchant_id AND a.imp_uid = p.imp_uid AND a.verb <> 'prepare'))
        """
    )
    op.execute("CREATE INDEX windows_given_up ON windows (given_up_at) WHERE given_up_at IS NOT NULL")
