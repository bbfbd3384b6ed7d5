"""Which servers have held this database, so that every process notices a promotion, also one that starts later."""

from alembic import op
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from maedal.storage.engine.identity import EXPRESSIONS, SQLITE

revision = "0019"
down_revision = "0022"

SQLITE_NOW = "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')"


def upgrade() -> None:
    """Add the tables, and note the server at hand: the one that follows it will be seen as another."""
    op.execute(
        """
        CREATE TABLE database_servers (
            id            TEXT PRIMARY KEY,
            first_seen_at TIMESTAMPTZ NOT NULL,
            follows       TEXT,
            knew_until    TIMESTAMPTZ
        )
        """
    )
    bind = op.get_bind()
    now = SQLITE_NOW if bind.dialect.name == "sqlite" else "now()"
    bind.exec_driver_sql(f"INSERT INTO database_servers (id, first_seen_at) SELECT {_expression(bind)}, {now}")


def _expression(bind: Connection) -> str:
    if bind.dialect.name == "sqlite":
        return SQLITE
    for expression in EXPRESSIONS[:-1]:
        try:
            with bind.begin_nested():
                bind.exec_driver_sql(f"SELECT {expression}")
        except DBAPIError:
            continue
        return expression
    return EXPRESSIONS[-1]
