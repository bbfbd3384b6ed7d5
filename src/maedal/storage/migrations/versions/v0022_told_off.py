"""Whether a known time of a key's last approval was told by the reply to the charge itself."""

from alembic import op

revision = "0022"
down_revision = "0018"


def upgrade() -> None:
    """Add the columns; of what is stored already nobody knows, and what is not known is taken for less exact."""
    op.execute("ALTER TABLE billing_keys ADD COLUMN last_approval_in_reply BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("ALTER TABLE import_billing_keys ADD COLUMN last_approval_in_reply BOOLEAN")
    op.execute("ALTER TABLE attempts ADD COLUMN approved_before_in_reply BOOLEAN NOT NULL DEFAULT FALSE")
