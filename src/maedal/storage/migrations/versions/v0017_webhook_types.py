"""How webhooks are written, for live and for test payments apart."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column; where nobody chose, test payments are told as the live ones are.

    That is what a gateway of before means when it changes `webhook_type`, so both may run at once.
    """
    op.execute("ALTER TABLE merchants ADD COLUMN webhook_type_test TEXT CHECK (webhook_type_test IN ('json', 'form'))")
