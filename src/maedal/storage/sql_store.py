"""The store in SQL: the reads of every subject, and the engine that carries out their writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import maedal.storage.units  # noqa: F401  so that an engine knows how each write is carried out
from maedal.storage.attempts.queries import SqlAttemptReads
from maedal.storage.audit.queries import SqlAuditReads
from maedal.storage.billing_keys.queries import SqlBillingKeyReads
from maedal.storage.cancellations.queries import SqlCancellationReads
from maedal.storage.channels.queries import SqlChannelReads
from maedal.storage.database_servers.queries import SqlDatabaseServerReads
from maedal.storage.dunning.queries import SqlDunningReads
from maedal.storage.engine.engine import Engine
from maedal.storage.engine.standing import warnings
from maedal.storage.errors import NotMigrated, StoreError
from maedal.storage.figures.queries import SqlFigureReads
from maedal.storage.findings.queries import SqlFindingReads
from maedal.storage.health import ServerIdentity, Standing, StoreHealth
from maedal.storage.invariants.queries import SqlInvariantReads
from maedal.storage.log_chain.queries import SqlLogChainReads
from maedal.storage.maintenance.queries import SqlMaintenanceReads
from maedal.storage.merchants.queries import SqlMerchantReads
from maedal.storage.messages.queries import SqlMessageReads
from maedal.storage.notes.queries import SqlNoteReads
from maedal.storage.operators.queries import SqlOperatorReads
from maedal.storage.payment_lists.queries import SqlPaymentListReads
from maedal.storage.payments.queries import SqlPaymentReads
from maedal.storage.personal_data.queries import SqlPersonalDataReads
from maedal.storage.plans.queries import SqlPlanReads
from maedal.storage.prepared_amounts.queries import SqlPreparedAmountReads
from maedal.storage.reconciliation.queries import SqlReconciliationReads
from maedal.storage.request_log.queries import SqlRequestLogReads
from maedal.storage.schedules.queries import SqlScheduleReads
from maedal.storage.sealing.queries import SqlSealingReads
from maedal.storage.transfer.queries import SqlTransferReads
from maedal.storage.unknown_outcomes.queries import SqlUnknownOutcomeReads
from maedal.storage.webhooks.queries import SqlWebhookReads
from maedal.storage.windows.queries import SqlWindowReads
from maedal.storage.write import R, Write

HEALTH_SECONDS = 3.0
"""How long the database may take to answer a question about its health."""


class SqlStore:
    """A `Store` (see store.py) kept in SQL."""

    def __init__(self, engine: Engine, schema_version: str) -> None:
        self.engine: Engine = engine
        self._schema_version = schema_version
        self.attempts = SqlAttemptReads(engine)
        self.audit = SqlAuditReads(engine)
        self.billing_keys = SqlBillingKeyReads(engine)
        self.cancellations = SqlCancellationReads(engine)
        self.channels = SqlChannelReads(engine)
        self.database_servers = SqlDatabaseServerReads(engine)
        self.dunning = SqlDunningReads(engine)
        self.figures = SqlFigureReads(engine)
        self.findings = SqlFindingReads(engine)
        self.invariants = SqlInvariantReads(engine)
        self.log_chain = SqlLogChainReads(engine)
        self.maintenance = SqlMaintenanceReads(engine)
        self.merchants = SqlMerchantReads(engine)
        self.messages = SqlMessageReads(engine)
        self.notes = SqlNoteReads(engine)
        self.operators = SqlOperatorReads(engine)
        self.payment_lists = SqlPaymentListReads(engine)
        self.payments = SqlPaymentReads(engine)
        self.personal_data = SqlPersonalDataReads(engine)
        self.plans = SqlPlanReads(engine)
        self.prepared_amounts = SqlPreparedAmountReads(engine)
        self.reconciliation = SqlReconciliationReads(engine)
        self.request_log = SqlRequestLogReads(engine)
        self.schedules = SqlScheduleReads(engine, self.payments)
        self.sealing = SqlSealingReads(engine)
        self.transfer = SqlTransferReads(engine)
        self.unknown_outcomes = SqlUnknownOutcomeReads(engine)
        self.webhooks = SqlWebhookReads(engine)
        self.windows = SqlWindowReads(engine)

    def on_connect(self, listen: Callable[[ServerIdentity], None]) -> None:
        """Have `listen` called with whom each new connection leads to, before anything is asked over it."""
        self.engine.on_connect.append(listen)

    async def open(self) -> None:
        await self.engine.open()

    async def close(self) -> None:
        await self.engine.close()

    async def write(self, write: Write[R]) -> R:
        return await self.engine.write(write)

    def over(self, engine: Engine) -> Self:
        """Return the same store over another engine of the same database."""
        return type(self)(engine, self._schema_version)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Self]:
        async with self.engine.snapshot() as frozen:
            yield self.over(frozen)

    async def standing(self) -> Standing:
        return await self.engine.standing()

    async def health(self) -> StoreHealth:
        standing = await self.engine.standing()
        if standing.problem is not None:
            return StoreHealth(ready=False, problem=standing.problem)
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                rows = await self.engine.fetch("SELECT version_num FROM alembic_version")
        except NotMigrated:
            return StoreHealth(ready=False, problem="the database was never migrated: maedal migrate")
        except TimeoutError:
            return StoreHealth(ready=False, problem=f"the database did not answer within {HEALTH_SECONDS:g} s")
        except StoreError as error:
            return StoreHealth(ready=False, problem=str(error))
        version = rows[0]["version_num"] if rows else None
        if version != self._schema_version:
            return StoreHealth(
                ready=False, problem=f"the schema is {version}, not {self._schema_version}: maedal migrate"
            )
        return StoreHealth(ready=True, warnings=warnings(standing))
