"""Write texts: payments that changed are found by what they are now, without the charge waiting for that."""

from __future__ import annotations

from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.storage.payment_lists.writes import IndexTexts
from maedal.storage.write import Writes

BATCH_MAX = 200
TURNS_MAX = 25
"""How many batches one turn of the worker writes; after an import there is more, and the next turn goes on."""


class IndexPaymentTextsStore(Writes, Protocol): ...


async def index_payment_texts(services: ServicesWith[IndexPaymentTextsStore], turns_max: int = TURNS_MAX) -> int:
    """Write the texts of payments that changed, a bounded number; return how many."""
    written = 0
    for _ in range(turns_max):
        taken = await services.store.write(IndexTexts(BATCH_MAX))
        written += taken
        if taken < BATCH_MAX:
            break
    return written
