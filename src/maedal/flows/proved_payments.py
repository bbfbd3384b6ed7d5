"""What is told of a payment outlives a failover, whichever process recorded it.

A commit whose wait for the standby was ended, by an operator, a crash or a shutdown, is there for every reader, and
gone once the standby takes over. The process that made it knows (`record_outcome`); any other sees a payment that is
paid like all others. So where commits wait for a standby, a payment that took money is told only after a write that
touches it was acknowledged, or when this process has had such an acknowledgement long enough after the payment moved.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.durability.writes import ProvePayment
from maedal.storage.errors import StoreError
from maedal.storage.health import HasHealth
from maedal.storage.write import Writes

if TYPE_CHECKING:
    from maedal.flows.services import ServicesWith

KNOWN_MAX = 10_000
TOOK_MONEY = frozenset({Status.PAID, Status.CANCELLED})
COMMITTED_WITHIN = timedelta(seconds=60)
"""After its time a move is in the log of commits by then, or never: a statement may take half of it."""


class ProvedPaymentsStore(HasHealth, Writes, Protocol): ...


class ProvedPayments:
    """Those of one process."""

    def __init__(self) -> None:
        self._versions: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._proved_at: datetime | None = None

    def note(self, payment: Payment) -> None:
        """Remember a payment as an acknowledged write has just given it."""
        key = (payment.merchant_id, payment.imp_uid)
        self._versions[key] = payment.version
        self._versions.move_to_end(key)
        if len(self._versions) > KNOWN_MAX:
            self._versions.popitem(last=False)

    async def visible(self, services: ServicesWith[ProvedPaymentsStore], payments: Sequence[Payment]) -> list[Payment]:
        """Return payments as they may be told, in their order.

        What this process holds and could not record yet is left out. Raises StoreError when something that took money
        cannot be proved now: then nobody may hear of it.
        """
        payments = [services.unrecorded_outcomes.visible(payment) for payment in payments]
        in_doubt = [p for p in payments if p.status in TOOK_MONEY and not self._is_proved(p)]
        if not in_doubt or not await _waits_for_a_standby(services):
            return payments
        begun_at = services.clock.now()
        proved = await asyncio.gather(*(services.store.write(ProvePayment(p.merchant_id, p.imp_uid)) for p in in_doubt))
        stands = {}
        for payment, now in zip(in_doubt, proved, strict=True):
            if now is None:
                raise StoreError(f"the payment {payment.imp_uid} is not on the server that takes writes")
            self.note(now)
            stands[payment.imp_uid] = now
        # Each of them was touched; a write that finds nothing to touch waits for no standby, and proves nothing.
        self._proved_at = begun_at
        return [stands.get(payment.imp_uid, payment) for payment in payments]

    def _is_proved(self, payment: Payment) -> bool:
        known = self._versions.get((payment.merchant_id, payment.imp_uid))
        if known is not None and known >= payment.version:
            return True
        return self._proved_at is not None and self._proved_at - payment.updated_at >= COMMITTED_WITHIN


async def _waits_for_a_standby(services: ServicesWith[ProvedPaymentsStore]) -> bool:
    standing = await services.store.standing()
    return standing.synchronous_wanted > 0 or standing.problem is not None
