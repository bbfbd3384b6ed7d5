"""Scopes: what an API key may be used for. The values are public: they stand in refusals, files and the manual."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from maedal.payments.errors import InvalidParameter


class Scope(StrEnum):
    """One thing that calls with an API key may do. A key without a list of scopes may do all of them."""

    PAYMENTS_READ = "payments.read"
    PAYMENTS_CHARGE = "payments.charge"  # take money with a billing key, at once
    PAYMENTS_CANCEL = "payments.cancel"
    PAYMENTS_PREPARE = "payments.prepare"  # register what a page may ask for
    KEYS_READ = "keys.read"
    KEYS_END = "keys.end"
    SCHEDULES_READ = "schedules.read"
    SCHEDULES_WRITE = "schedules.write"  # schedule charges, move and revoke them
    PLANS_READ = "plans.read"
    PLANS_WRITE = "plans.write"  # make plans, which schedule charges, change and end them; holidays
    CHANNELS_READ = "channels.read"


def read_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of these names. Raises InvalidParameter for an unknown one, and when there is none."""
    wanted = set(names)
    unknown = sorted(wanted - set(Scope))
    if unknown:
        raise InvalidParameter("scopes", f"there is no scope {unknown[0]}; there are {', '.join(Scope)}")
    if not wanted:
        raise InvalidParameter("scopes", "a key needs one scope at least")
    return frozenset(map(Scope, wanted))


def written(scopes: frozenset[Scope] | None) -> str:
    """Return scopes as text, in the order in which they are declared; `all` for a key without a list."""
    return ALL if scopes is None else " ".join(scope for scope in Scope if scope in scopes)


ALL = "all"
"""Stands for every scope there is, also those of a later version."""
