"""The desk: open items are found by merchant, looks at unknown outcomes are counted, logs are read by time."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add the columns and the indexes."""
    for statement in (HERE / "0012_desk.sql").read_text().split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
