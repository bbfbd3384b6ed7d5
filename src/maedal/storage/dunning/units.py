"""Unpaid charges, kept together with the messages that tell them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.dunning.unpaid import UnpaidState
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.dunning.rows import RULES_COLUMNS, UNPAID_COLUMNS, rules_values, unpaid_values
from maedal.storage.dunning.writes import AddUnpaid, EndUnpaid, LookedUntil, PutDunningRules
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.messages.rows import INSERT_MESSAGE, message_values

# What failed while nobody was to be told is told nobody later.
PUT_RULES = (
    insert("dunning_rules", RULES_COLUMNS)
    + " ON CONFLICT (merchant_id) DO UPDATE SET by_mail = excluded.by_mail, by_shop = excluded.by_shop,"
    + " link_days = excluded.link_days, language = excluded.language, looked_until ="
    + " CASE WHEN dunning_rules.by_mail OR dunning_rules.by_shop THEN dunning_rules.looked_until"
    + " ELSE excluded.looked_until END"
)
ADD = (
    insert("unpaid", UNPAID_COLUMNS)
    + " ON CONFLICT (merchant_id, merchant_uid) DO UPDATE SET imp_uid = excluded.imp_uid, cause = excluded.cause"
    + " WHERE unpaid.state = 'open' AND unpaid.imp_uid <> excluded.imp_uid"
    + f" RETURNING CAST(${len(UNPAID_COLUMNS) + 1} AS INTEGER) AS item"
)
LOOKED = "UPDATE dunning_rules SET looked_until = $2 WHERE merchant_id = $1 AND looked_until < $2"
END = """
UPDATE unpaid SET state = $3, paid_imp_uid = $4, paid_at = $5, sealed_token = NULL
 WHERE merchant_id = $1 AND merchant_uid = $2 AND state = 'open'
RETURNING CAST($6 AS INTEGER) AS item
"""


@unit(PutDunningRules)
def put_rules(writes: Sequence[PutDunningRules]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the rules, one after the other: two may be of one merchant."""
    for w in writes:
        yield Run(PUT_RULES, [rules_values(w.rules)])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(AddUnpaid)
def add_unpaid(writes: Sequence[AddUnpaid]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each that is news, and the messages whose causes have none."""
    results = []
    for w in writes:
        [rows] = yield Rows(ADD, [unpaid_values(w.unpaid)])
        if rows and w.messages:
            yield Run(INSERT_MESSAGE, [message_values(m) for m in w.messages])
        results.append(bool(rows))
    return results


@unit(LookedUntil)
def looked_until(writes: Sequence[LookedUntil]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Move on."""
    for w in writes:
        yield Run(LOOKED, [(w.merchant_id, w.until)])
    return [None] * len(writes)


@unit(EndUnpaid)
def end_unpaid(writes: Sequence[EndUnpaid]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End each that is open."""
    ended = yield Rows(
        END,
        [
            (
                w.unpaid.merchant_id,
                w.unpaid.merchant_uid,
                UnpaidState.EXPIRED if w.paid_imp_uid is None else UnpaidState.PAID,
                w.paid_imp_uid,
                w.paid_at,
            )
            for w in writes
        ],
    )
    return [bool(rows) for rows in ended]
