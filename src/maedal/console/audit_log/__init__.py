"""The audit log of a merchant, and that of the operators."""

from maedal.console.audit_log import pages

HANDLERS = pages.HANDLERS
