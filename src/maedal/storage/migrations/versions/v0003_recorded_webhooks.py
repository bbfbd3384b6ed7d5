"""A webhook may be recorded without being sent."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Let `recorded` stand among the states. What is stored obeyed the narrower rules, so it is not looked through."""
    engine = op.get_bind().dialect.name
    for statement in (HERE / f"0003_recorded_webhooks.{engine}.sql").read_text().split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
