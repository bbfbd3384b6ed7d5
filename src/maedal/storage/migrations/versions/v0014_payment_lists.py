"""Lists of payments that people look through: by any time, with any filter, and by any part of a word."""

from pathlib import Path

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0014"
down_revision = "0013"

HERE = Path(__file__).parent
# Everything a list is filtered by, so that it is read from the index alone.
FILTERED_BY = "amount, cancelled_amount, method, key_use, test_mode, channel_id, origin"
INDEXES = {
    "payments_by_start": ("started_at, imp_uid", "status, ", ""),
    "payments_by_paid": ("paid_at, imp_uid", "status, ", " WHERE paid_at IS NOT NULL"),
    "payments_by_standing": ("status, status_at, imp_uid", "", ""),
}


def upgrade() -> None:
    """Add the indexes, the texts that payments are found by, views, columns and exports.

    The texts of the payments there are are written by the worker: each is on its list already.
    """
    execute = op.get_bind().exec_driver_sql
    engine = op.get_bind().dialect.name
    for name, (keys, more, where) in INDEXES.items():
        # SQLite would pay for wide indexes with every charge, and is not meant for so many payments.
        included = f" INCLUDE ({more}{FILTERED_BY})" if engine == "postgresql" else ""
        execute(f"CREATE INDEX {name} ON payments (merchant_id, {keys}){included}{where}")
    # The last of them begins with the same columns.
    execute("DROP INDEX payments_by_status")
    for file in ("0014_payment_lists.sql", f"0014_payment_lists.{engine}.sql"):
        for statement in (HERE / file).read_text().split("\n\n"):
            execute(statement)
    execute("INSERT INTO payments_to_text (merchant_id, imp_uid) SELECT merchant_id, imp_uid FROM payments")
    if engine == "postgresql":
        _find_parts_of_words()


def _find_parts_of_words() -> None:
    """Let parts of words be found through an index; without the extension they are found by reading on."""
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:  # not installed, or not ours to install: see docs/manual/console.md
        return
    op.execute("CREATE INDEX payment_texts_parts ON payment_texts USING gin (text gin_trgm_ops)")
