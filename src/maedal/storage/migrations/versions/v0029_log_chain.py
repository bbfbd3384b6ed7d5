"""A hash chain over the logs, and triggers that keep their rows from being removed all at once."""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0031"

HERE = Path(__file__).parent
LOGS = ("audit_log", "user_log", "payment_events")


def upgrade() -> None:
    """Add the chain's tables, note each row that comes from now on, and leave the present ones to a walk."""
    engine = op.get_bind().dialect.name
    for file in ("0029_log_chain.sql", f"0029_log_chain.{engine}.sql"):
        for statement in (HERE / file).read_text().split("\n\n"):
            op.get_bind().exec_driver_sql(statement)
    # Only now: on PostgreSQL the triggers have waited for everybody who was adding rows without them.
    for log in LOGS:
        op.execute(f"INSERT INTO logs_to_walk SELECT '{log}', '', '', 0 WHERE EXISTS (SELECT 1 FROM {log})")
