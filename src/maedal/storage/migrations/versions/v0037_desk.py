"""What people at the desk need: notes and tags, kinds of refunds, and terms by which the search finds at once."""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"

HERE = Path(__file__).parent
DIGITS = "replace(replace(replace(customer_tel, '-', ''), ' ', ''), '.', '')"


def upgrade() -> None:
    """Add tables, columns and indexes. The terms of the payments there are are written by the worker.

    A cancel of before, or of the code of before, has no kind.
    """
    execute = op.get_bind().exec_driver_sql
    # Ranges of terms are ranges of their bytes, whatever language the database is in.
    collate = ' COLLATE "C"' if op.get_bind().dialect.name == "postgresql" else ""
    for statement in (HERE / "0037_desk.sql").read_text().split("\n\n"):
        execute(statement.replace("{collate}", collate))
    for table in ("cancellations", "import_cancellations"):
        execute(f"ALTER TABLE {table} ADD COLUMN reason_kind TEXT")
    for column, key in (("name", "customer_name"), ("email", "lower(customer_email)"), ("tel", DIGITS)):
        execute(
            f"CREATE INDEX billing_keys_by_{column} ON billing_keys (merchant_id, {key})"
            f" WHERE customer_{column} IS NOT NULL"
        )
    execute(
        "CREATE INDEX attempts_refused_cancels ON attempts (merchant_id, recorded_at)"
        " WHERE verb = 'cancel' AND outcome = 'declined'"
    )
    execute("INSERT INTO payments_to_text (merchant_id, imp_uid) SELECT merchant_id, imp_uid FROM payments")
