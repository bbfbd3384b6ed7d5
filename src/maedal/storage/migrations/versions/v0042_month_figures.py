"""Figures by month: what each month came to for a merchant."""

from pathlib import Path

from alembic import op

revision = "0042"
down_revision = "0041"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add the tables; the worker counts the months that there are, the newest first."""
    for statement in (HERE / "0042_month_figures.sql").read_text().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
