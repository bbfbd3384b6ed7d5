"""What can be wrong with a billing key that a caller names."""

from __future__ import annotations

from maedal.errors import GatewayError


class BillingKeyNotFound(GatewayError):
    """No active billing key is registered under this customer_uid."""

    code = "BILLING_KEY_NOT_FOUND"


class BillingKeyBusy(GatewayError):
    """Another charge of this key is running and did not end in the time we waited; nothing was charged."""

    code = "BILLING_KEY_BUSY"


class BillingKeyUnclear(GatewayError):
    """An earlier charge of this key has an unknown outcome; nothing is charged until it is resolved."""

    code = "BILLING_KEY_UNCLEAR"


class BillingKeyChargeUnrecorded(GatewayError):
    """After a failover: the PG has approved something with this key that is missing here; nothing was charged."""

    code = "BILLING_KEY_CHARGED_UNSEEN"


class BillingKeyStatusUnavailable(GatewayError):
    """After a failover: the PG does not tell what this key was charged with; nothing was charged."""

    code = "BILLING_KEY_NOT_TOLD"
