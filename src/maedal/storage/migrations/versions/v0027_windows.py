"""What pages may do: app schemes, prepared payments only, a page's notice_url, and for whom a key is registered."""

from alembic import op

revision = "0027"
down_revision = "0029"


def upgrade() -> None:
    """Add the columns. A page's notice_url is told beside the merchant's own from now on, and in its place no more."""
    op.execute("ALTER TABLE channels ADD COLUMN app_schemes TEXT NOT NULL DEFAULT '[]'")
    op.execute("ALTER TABLE channels ADD COLUMN prepared_only BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute(
        "ALTER TABLE merchants ADD COLUMN page_notices TEXT NOT NULL DEFAULT 'add'"
        " CHECK (page_notices IN ('ignore', 'add', 'replace'))"
    )
    for table in ("prepared_amounts", "import_prepared_amounts"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN customer_uid TEXT")
