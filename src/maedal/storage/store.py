"""What we need of any store, in our words: reads by subject, and writes that are each one transaction or nothing.

A write is a small frozen object (`BeginCharge`, `Record`, …) given to `Store.write`, which commits it before it
returns. Writes that wait at the same moment share one transaction; one that fails never takes its neighbours with it.
Each subject has its folder: `writes.py` says what may be written, `reads.py` what may be asked.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self

from maedal.storage.attempts.reads import AttemptReads
from maedal.storage.audit.reads import AuditReads
from maedal.storage.billing_keys.reads import BillingKeyReads
from maedal.storage.cancellations.reads import CancellationReads
from maedal.storage.channels.reads import ChannelReads
from maedal.storage.database_servers.reads import DatabaseServerReads
from maedal.storage.figures.reads import FigureReads
from maedal.storage.findings.reads import FindingReads
from maedal.storage.health import Standing, StoreHealth
from maedal.storage.invariants.reads import InvariantReads
from maedal.storage.maintenance.reads import MaintenanceReads
from maedal.storage.merchants.reads import MerchantReads
from maedal.storage.operators.reads import OperatorReads
from maedal.storage.payment_lists.reads import PaymentListReads
from maedal.storage.payments.reads import PaymentReads
from maedal.storage.prepared_amounts.reads import PreparedAmountReads
from maedal.storage.reconciliation.reads import ReconciliationReads
from maedal.storage.schedules.reads import ScheduleReads
from maedal.storage.transfer.reads import TransferReads
from maedal.storage.unknown_outcomes.reads import UnknownOutcomeReads
from maedal.storage.webhooks.reads import WebhookReads
from maedal.storage.windows.reads import WindowReads
from maedal.storage.write import R, Write


class Store(Protocol):
    """A store of everything maedal knows. Whoever needs the reads of one subject alone depends on those."""

    @property
    def attempts(self) -> AttemptReads: ...
    @property
    def audit(self) -> AuditReads: ...
    @property
    def billing_keys(self) -> BillingKeyReads: ...
    @property
    def cancellations(self) -> CancellationReads: ...
    @property
    def channels(self) -> ChannelReads: ...
    @property
    def database_servers(self) -> DatabaseServerReads: ...
    @property
    def figures(self) -> FigureReads: ...
    @property
    def findings(self) -> FindingReads: ...
    @property
    def invariants(self) -> InvariantReads: ...
    @property
    def maintenance(self) -> MaintenanceReads: ...
    @property
    def merchants(self) -> MerchantReads: ...
    @property
    def operators(self) -> OperatorReads: ...
    @property
    def payment_lists(self) -> PaymentListReads: ...
    @property
    def payments(self) -> PaymentReads: ...
    @property
    def prepared_amounts(self) -> PreparedAmountReads: ...
    @property
    def reconciliation(self) -> ReconciliationReads: ...
    @property
    def schedules(self) -> ScheduleReads: ...
    @property
    def transfer(self) -> TransferReads: ...
    @property
    def unknown_outcomes(self) -> UnknownOutcomeReads: ...
    @property
    def webhooks(self) -> WebhookReads: ...
    @property
    def windows(self) -> WindowReads: ...

    async def write(self, write: Write[R]) -> R:
        """Commit `write` and return its result. Raises Conflict when a rule of the database refuses it."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Self]:
        """Return this store as it is when the context begins, for reading only, whatever is written meanwhile."""
        ...

    async def health(self) -> StoreHealth:
        """Return whether charges can be made; answers within a few seconds, also when a host is silent."""
        ...

    async def standing(self) -> Standing:
        """Return how the database server stands."""
        ...
