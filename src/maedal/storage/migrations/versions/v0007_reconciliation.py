"""The PG's files of past days are compared with what is here; differences are findings."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add what opens the files, what they said, which days are done, and the findings."""
    for statement in (HERE / "0007_reconciliation.sql").read_text().split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
