"""The units of every subject: importing this tells the engines how each write is carried out."""

# ruff: noqa: F401

import maedal.storage.attempts.units
import maedal.storage.audit.units
import maedal.storage.billing_keys.units
import maedal.storage.cancellations.refunds
import maedal.storage.cancellations.units
import maedal.storage.channels.units
import maedal.storage.database_servers.units
import maedal.storage.dunning.units
import maedal.storage.durability.units
import maedal.storage.figures.units
import maedal.storage.findings.units
import maedal.storage.idempotency.units
import maedal.storage.log_chain.units
import maedal.storage.maintenance.units
import maedal.storage.merchants.api_keys
import maedal.storage.merchants.units
import maedal.storage.messages.units
import maedal.storage.notes.units
import maedal.storage.operators.units
import maedal.storage.payment_lists.units
import maedal.storage.payments.units.beginning
import maedal.storage.payments.units.entering
import maedal.storage.payments.units.identifying
import maedal.storage.payments.units.recording
import maedal.storage.personal_data.units
import maedal.storage.plans.units
import maedal.storage.prepared_amounts.units
import maedal.storage.reconciliation.units
import maedal.storage.request_counts.units
import maedal.storage.request_log.units
import maedal.storage.schedules.acting
import maedal.storage.schedules.claims
import maedal.storage.schedules.units
import maedal.storage.sealing.units
import maedal.storage.transfer.units
import maedal.storage.unknown_outcomes.units
import maedal.storage.webhooks.addresses
import maedal.storage.webhooks.units
import maedal.storage.windows.units
