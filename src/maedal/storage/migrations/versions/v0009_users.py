"""Users of the console, their sessions, failed tries to sign in, and the log of what was done about users."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add the tables; the log is append-only."""
    execute = op.get_bind().exec_driver_sql
    engine = op.get_bind().dialect.name
    for file in ("0009_users.sql", f"0009_users.{engine}.sql"):
        for statement in (HERE / file).read_text().split("\n\n"):
            execute(statement)
