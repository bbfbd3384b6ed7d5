"""The audit log of a merchant, and that of the users."""

from maedal.console.audit_log import pages

HANDLERS = pages.HANDLERS
