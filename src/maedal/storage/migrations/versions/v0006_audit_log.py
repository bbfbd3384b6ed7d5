"""The audit log: acts of people, append-only."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add the log, and the way to payments that lack their tid."""
    op.execute(
        """
        CREATE TABLE audit_log (
            merchant_id TEXT NOT NULL REFERENCES merchants (code),
            id          TEXT NOT NULL,
            kind        TEXT NOT NULL,
            subject     TEXT NOT NULL,
            who         TEXT NOT NULL CHECK (who <> ''),
            reason      TEXT NOT NULL CHECK (reason <> ''),
            fact_before TEXT NOT NULL,
            fact_after  TEXT NOT NULL,
            happened_at TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (merchant_id, id)
        )
        """
    )
    engine = op.get_bind().dialect.name
    for statement in (HERE / f"0006_audit_log.{engine}.sql").read_text().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
    op.execute("CREATE INDEX payments_without_tid ON payments (paid_at) WHERE status = 'paid' AND pg_tid IS NULL")
