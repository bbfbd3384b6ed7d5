"""Which columns tell of a buyer and are erased. What money proofs and the law need is not among them."""

from __future__ import annotations

PAYMENT = (
    "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data", "user_agent", "kept",
)  # fmt: skip
SCHEDULE = ("buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data")
PLAN = SCHEDULE
"""What a plan tells of its buyer, and each of its scheduled charges after it; the proof of a consent stays."""
BILLING_KEY = (
    "customer_id", "customer_name", "customer_email", "customer_tel", "customer_addr", "customer_postcode",
)  # fmt: skip
WINDOW = ("page_url", "return_url", "confirm_url", "customer_id")
"""Of windows whose time is over; the page's origin stays."""
WEBHOOK_TRY = ("answer",)
IDEMPOTENT_REQUEST = ("sealed_answer",)

NOTED = (
    "(EXISTS (SELECT 1 FROM notes n WHERE n.merchant_id = $1 AND n.kind = 'payment' AND n.subject = payments.imp_uid)"
    " OR EXISTS (SELECT 1 FROM tags g WHERE g.merchant_id = $1 AND g.kind = 'payment'"
    " AND g.subject = payments.imp_uid))"
)
"""Whether somebody wrote something beside a payment of the merchant that is the first value of the question."""

FINISHED = "status IN ('paid', 'failed', 'cancelled')"
"""What is still under way keeps what it has until it has ended."""


def any_of(columns: tuple[str, ...]) -> str:
    """Return the condition that a row still has something."""
    return f"({' OR '.join(f'{column} IS NOT NULL' for column in columns)})"


def none_of(columns: tuple[str, ...]) -> str:
    """Return the assignments that take it away."""
    return ", ".join(f"{column} = NULL" for column in columns)
