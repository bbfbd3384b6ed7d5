"""The SQL of maedal, next to its names. Each write is a unit: a generator that yields steps and returns results.

Units hold the rules of a transaction once, for every engine: they yield `Rows` and `Run` steps, and an engine carries
them out, in a writer thread (SQLite) or on a connection (PostgreSQL). One unit serves many writes of its kind at once.
"""

from maedal.storage.sql.steps import UNITS, Rows, Run, Unit

__all__ = ["UNITS", "Rows", "Run", "Unit"]


def _register() -> None:
    from maedal.storage.sql import (  # noqa: F401
        audit,
        billing_keys,
        cancels,
        charges,
        figures,
        idempotency,
        imports,
        maintenance,
        merchant_settings,
        merchants,
        payment_lists,
        plans,
        prepared,
        proving,
        reconciling,
        recording,
        refunds,
        schedules,
        servers,
        users,
        waiting,
        webhooks,
        windows,
    )


_register()
