"""By what a payment failed, as SQL: lists of payments and of scheduled charges filter by it alike."""

from __future__ import annotations

from collections.abc import Callable

from maedal.payments.failure_causes import FailedWith


def failed_with(wanted: FailedWith, merchant: str, imp_uid: str, value: Callable[[str], str]) -> str:
    """Return the condition that a payment, named by SQL of its merchant and its id, failed with such a code.

    `value` keeps a value and returns its place. No index has the code: each payment is looked up by its key.
    """
    codes = ", ".join(map(value, wanted.codes))
    # As `pg_code` of `payments.failure_causes` writes it.
    return (
        "(SELECT f.pg_provider || ' ' || coalesce(f.fail_code, '') FROM payments f"
        f" WHERE f.merchant_id = {merchant} AND f.imp_uid = {imp_uid} AND f.status = 'failed')"
        f" {'NOT IN' if wanted.others else 'IN'} ({codes})"
    )
