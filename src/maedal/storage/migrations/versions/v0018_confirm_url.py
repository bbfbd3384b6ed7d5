"""Whether a merchant's `confirm_url` is asked."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the switch; everybody is asked, as before."""
    op.execute("ALTER TABLE merchants ADD COLUMN confirm_url_ignored BOOLEAN NOT NULL DEFAULT FALSE")
