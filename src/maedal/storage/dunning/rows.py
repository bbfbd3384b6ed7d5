"""Unpaid charges as rows."""

from __future__ import annotations

from typing import Any

from maedal.dunning.unpaid import DunningRules, Unpaid, UnpaidState
from maedal.payments.failure_causes import FailureCause
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row

RULES_COLUMNS = ("merchant_id", "by_mail", "by_shop", "link_days", "language", "looked_until")
UNPAID_COLUMNS = (
    "merchant_id", "merchant_uid", "imp_uid", "cause", "amount", "test_mode", "token_digest", "sealed_token",
    "noticed_at", "expires_at", "state",
)  # fmt: skip


def rules_of(row: Row) -> DunningRules:
    return DunningRules(
        merchant_id=row["merchant_id"],
        by_mail=bool(row["by_mail"]),
        by_shop=bool(row["by_shop"]),
        link_days=row["link_days"],
        language=row["language"],
        looked_until=moment_not_null(row["looked_until"]),
    )


def rules_values(r: DunningRules) -> tuple[Any, ...]:
    return (r.merchant_id, r.by_mail, r.by_shop, r.link_days, r.language, r.looked_until)


def unpaid_of(row: Row) -> Unpaid:
    return Unpaid(
        merchant_id=row["merchant_id"],
        merchant_uid=row["merchant_uid"],
        imp_uid=row["imp_uid"],
        cause=FailureCause(row["cause"]),
        amount=row["amount"],
        test_mode=bool(row["test_mode"]),
        token_digest=bytes(row["token_digest"]),
        sealed_token=None if row["sealed_token"] is None else bytes(row["sealed_token"]),
        noticed_at=moment_not_null(row["noticed_at"]),
        expires_at=moment_not_null(row["expires_at"]),
        state=UnpaidState(row["state"]),
        paid_imp_uid=row["paid_imp_uid"],
        paid_at=moment(row["paid_at"]),
    )


def unpaid_values(u: Unpaid) -> tuple[Any, ...]:
    return (
        u.merchant_id, u.merchant_uid, u.imp_uid, u.cause, u.amount, u.test_mode, u.token_digest, u.sealed_token,
        u.noticed_at, u.expires_at, u.state,
    )  # fmt: skip
