"""Which keys seal this database, which processes have them, and seals of rows that say how people sign in."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the tables and columns. No key comes here: of each only the id and a fingerprint that opens nothing."""
    op.execute(
        """
        CREATE TABLE vault_keys (
            id            TEXT PRIMARY KEY CHECK (id <> ''),
            fingerprint   TEXT NOT NULL,
            added_at      TIMESTAMPTZ NOT NULL,
            primary_since TIMESTAMPTZ,
            is_primary    BOOLEAN NOT NULL,
            retired_at    TIMESTAMPTZ,
            CHECK (NOT is_primary OR (primary_since IS NOT NULL AND retired_at IS NULL))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX vault_keys_one_primary ON vault_keys (is_primary) WHERE is_primary")
    op.execute(
        """
        CREATE TABLE vault_nodes (
            id         TEXT PRIMARY KEY,
            key_ids    TEXT NOT NULL,
            primary_id TEXT NOT NULL,
            seen_at    TIMESTAMPTZ NOT NULL
        )
        """
    )
    # Empty in the rows that are there: they count as sealed for as long as a key of the first version is in use.
    op.execute("ALTER TABLE users ADD COLUMN row_seal BYTEA")
    op.execute("ALTER TABLE sessions ADD COLUMN row_seal BYTEA")
