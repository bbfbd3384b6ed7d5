"""Places of sign-ins, who sees which merchants, and who must have a second step or a password of their own."""

from alembic import op

revision = "0030"
down_revision = "0028"


def upgrade() -> None:
    """Add tables and columns; what is there sees every merchant, and nothing is demanded of anybody."""
    for statement in (
        """
        CREATE TABLE sign_in_places (
            user_id TEXT NOT NULL REFERENCES users (id),
            place   BYTEA NOT NULL,
            last_at TIMESTAMPTZ NOT NULL,
            PRIMARY KEY (user_id, place)
        )
        """,
        "CREATE INDEX sign_in_places_to_forget ON sign_in_places (last_at)",
        """
        CREATE TABLE second_step_roles (
            role TEXT PRIMARY KEY CHECK (role IN ('owner', 'admin', 'developer', 'manager', 'read_only'))
        )
        """,
        """
        CREATE TABLE invites (
            user_id    TEXT PRIMARY KEY REFERENCES users (id),
            digest     BYTEA NOT NULL UNIQUE,
            expires_at TIMESTAMPTZ NOT NULL
        )
        """,
        "CREATE INDEX invites_to_forget ON invites (expires_at)",
        "ALTER TABLE users ADD COLUMN password_drawn BOOLEAN NOT NULL DEFAULT FALSE",
        "ALTER TABLE users ADD COLUMN merchant_codes TEXT",
    ):
        op.execute(statement)
