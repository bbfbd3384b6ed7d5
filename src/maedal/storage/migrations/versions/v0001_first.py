"""The first schema."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

HERE = Path(__file__).parent


def upgrade() -> None:
    """Create everything. The text is shared; only the append-only triggers differ by engine."""
    for statement in (HERE / "0001_first.sql").read_text().split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    engine = op.get_bind().dialect.name
    for statement in (HERE / f"0001_first.append_only.{engine}.sql").read_text().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
