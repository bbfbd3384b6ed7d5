"""Figures: what each hour came to for a merchant."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

HERE = Path(__file__).parent


def upgrade() -> None:
    """Add the tables; the worker counts the hours that are over, and what is not counted yet is read from the rows."""
    for statement in (HERE / "0015_figures.sql").read_text().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
