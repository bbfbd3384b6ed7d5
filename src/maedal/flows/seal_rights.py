"""Seal what operators may do as it stands, once: when the column for the seal has just come to a database."""

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
    """Seal the rights of operators who have no seal yet; return of how many."""
    operators = [
        sealed_rights(services, operator)
        for operator in await services.store.operators.all()
        if not operator.rights_seal
    ]
    if not operators:
        return 0
    rows = tuple((operator.id,) for operator in operators)
    seals = tuple(operator.rights_seal for operator in operators if operator.rights_seal is not None)
    return await services.store.write(Reseal(SealedColumn.OPERATOR_RIGHTS, rows, (None,) * len(rows), seals))
