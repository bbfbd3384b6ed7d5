"""What we need of any store, in our words: reads by subject, and writes that are each one transaction or nothing.

A write is a small frozen object (`BeginCharge`, `Record`, …) given to `Store.write`, which commits it before it
returns. Writes that wait at the same moment share one transaction; one that fails never takes its neighbours with it.
Each subject has its folder: `writes.py` says what may be written, `reads.py` what may be asked.
"""

from __future__ import annotations

from typing import Protocol

from maedal.storage.attempts.reads import HasAttempts
from maedal.storage.audit.reads import HasAudit
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.dunning.reads import HasDunning
from maedal.storage.figures.reads import HasFigures
from maedal.storage.findings.reads import HasFindings
from maedal.storage.health import HasHealth
from maedal.storage.invariants.reads import HasInvariants
from maedal.storage.log_chain.reads import HasLogChain
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.messages.reads import HasMessages
from maedal.storage.notes.reads import HasNotes
from maedal.storage.operators.reads import HasOperators
from maedal.storage.payment_lists.reads import HasPaymentLists
from maedal.storage.payments.reads import HasPayments
from maedal.storage.personal_data.reads import HasPersonalData
from maedal.storage.plans.reads import HasPlans
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.request_log.reads import HasRequestLog
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.sealing.reads import HasSealing
from maedal.storage.snapshots import HasSnapshots
from maedal.storage.transfer.reads import HasTransfer
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.webhooks.reads import HasWebhooks
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes


class Store(
    HasAttempts,
    HasAudit,
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasDunning,
    HasFigures,
    HasFindings,
    HasInvariants,
    HasLogChain,
    HasMaintenance,
    HasMerchants,
    HasMessages,
    HasNotes,
    HasOperators,
    HasPaymentLists,
    HasPayments,
    HasPersonalData,
    HasPlans,
    HasPreparedAmounts,
    HasReconciliation,
    HasRequestLog,
    HasSchedules,
    HasSealing,
    HasTransfer,
    HasUnknownOutcomes,
    HasWebhooks,
    HasWindows,
    HasHealth,
    HasSnapshots,
    Writes,
    Protocol,
):
    """A store of everything maedal knows. Whoever wires takes this; a flow takes the sum of what it uses."""
