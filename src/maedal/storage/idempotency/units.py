"""Requests that carry an Idempotency-Key: claimed before they are carried out, kept with their answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row, Rows, Run, unit
from maedal.storage.idempotency.writes import ClaimRequest, FinishRequest, KeptRequest, SweepRequests

# A row that is older than requests are kept is as good as none.
CLAIM = """
INSERT INTO idempotent_requests (merchant_id, key, digest, attempt_id, lease_id, leased_until, begun_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, key) DO UPDATE
   SET digest = excluded.digest, attempt_id = excluded.attempt_id, lease_id = excluded.lease_id,
       leased_until = excluded.leased_until, begun_at = excluded.begun_at, sealed_answer = NULL
 WHERE idempotent_requests.begun_at < $8
"""
# Whoever let the lease run out was cut off; the attempt id stays, so that what was begun is found again.
TAKE_OVER = """
UPDATE idempotent_requests SET lease_id = $4, leased_until = $5
 WHERE merchant_id = $1 AND key = $2 AND digest = $3 AND sealed_answer IS NULL AND leased_until < $6
"""
READ = """
SELECT CAST($3 AS INTEGER) AS item, * FROM idempotent_requests WHERE merchant_id = $1 AND key = $2
"""
FINISH = """
UPDATE idempotent_requests
   SET sealed_answer = $4, leased_until = CASE WHEN CAST($4 AS BYTEA) IS NULL THEN begun_at ELSE leased_until END
 WHERE merchant_id = $1 AND key = $2 AND lease_id = $3 AND sealed_answer IS NULL
RETURNING CAST($5 AS INTEGER) AS item
"""
SWEEP = """
DELETE FROM idempotent_requests
 WHERE (merchant_id, key) IN (
    SELECT merchant_id, key FROM idempotent_requests WHERE begun_at < $1 ORDER BY begun_at LIMIT $2
)
RETURNING CAST($3 AS INTEGER) AS item
"""


@unit(ClaimRequest)
def claim_requests(writes: Sequence[ClaimRequest]) -> Generator[Rows | Run, Any, Sequence[KeptRequest]]:
    """Claim each key that is free or was let go; give each as it stands then."""
    ordered = sorted(writes, key=lambda w: (w.merchant_id, w.key))
    yield Run(
        CLAIM,
        [
            (w.merchant_id, w.key, w.digest, w.attempt_id, w.lease_id, w.leased_until, w.now, w.kept_since)
            for w in ordered
        ],
    )
    yield Run(TAKE_OVER, [(w.merchant_id, w.key, w.digest, w.lease_id, w.leased_until, w.now) for w in ordered])
    found = yield Rows(READ, [(w.merchant_id, w.key) for w in writes])
    return [_kept_of(rows[0]) for rows in found]


@unit(FinishRequest)
def finish_requests(writes: Sequence[FinishRequest]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each answer, unless the lease has passed to somebody else."""
    done = yield Rows(FINISH, [(w.merchant_id, w.key, w.lease_id, w.sealed_answer) for w in writes])
    return [bool(rows) for rows in done]


@unit(SweepRequests)
def sweep_requests(writes: Sequence[SweepRequests]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget the oldest, so many at most."""
    done = yield Rows(SWEEP, [(w.before, w.count_max) for w in writes])
    return [len(rows) for rows in done]


def _kept_of(row: Row) -> KeptRequest:
    leased_until = moment(row["leased_until"])
    assert leased_until is not None, "the column is never null"
    sealed = row["sealed_answer"]
    return KeptRequest(
        digest=bytes(row["digest"]),
        attempt_id=row["attempt_id"],
        lease_id=row["lease_id"],
        leased_until=leased_until,
        sealed_answer=None if sealed is None else bytes(sealed),
    )
