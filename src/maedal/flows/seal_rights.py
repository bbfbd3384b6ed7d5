"""Seal what users may do as it stands, once: when the column for the seal has just come to a database."""

from __future__ import annotations

from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.flows.sign_in import sealed_rights
from maedal.storage.operators.reads import HasOperators
from maedal.storage.sealing.reads import SealedColumn
from maedal.storage.sealing.writes import Reseal
from maedal.storage.write import Writes

SINCE = "0033"
"""The migration that added the column. Later a row without a seal is one that somebody took it from."""


class SealRightsStore(HasOperators, Writes, Protocol): ...


async def seal_rights(services: ServicesWith[SealRightsStore]) -> int:
    """Seal the rights of users who have no seal yet; return of how many."""
    users = [sealed_rights(services, user) for user in await services.store.operators.all() if not user.rights_seal]
    if not users:
        return 0
    rows = tuple((user.id,) for user in users)
    seals = tuple(user.rights_seal for user in users if user.rights_seal is not None)
    return await services.store.write(Reseal(SealedColumn.USER_RIGHTS, rows, (None,) * len(rows), seals))
