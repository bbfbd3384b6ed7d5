"""What has really happened to money: one row per successful payment, cancel or SID issue."""

from dataclasses import dataclass

from kakaopay_sandbox.database import Database


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of `payment_action_details` (docs/wire/kakaopay.md, 7.4) and of the settlement file (12)."""

    aid: str
    tid: str
    action_type: str
    detail_type: str
    total: int
    green_deposit: int
    payload: str | None
    at: int
    point: int = 0
    discount: int = 0


class Actions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, action: Action) -> None:
        self._database.insert(
            "actions",
            aid=action.aid,
            tid=action.tid,
            action_type=action.action_type,
            detail_type=action.detail_type,
            total=action.total,
            green_deposit=action.green_deposit,
            payload=action.payload,
            at=action.at,
            point=action.point,
            discount=action.discount,
        )

    def of_order(self, tid: str) -> list[Action]:
        return self._select("WHERE tid = :tid ORDER BY seq", tid=tid)

    def by_aid(self, aid: str) -> Action | None:
        return next(iter(self._select("WHERE aid = :aid", aid=aid)), None)

    def latest(self, limit: int) -> list[Action]:
        return self._select("ORDER BY seq DESC LIMIT :limit", limit=limit)

    def _select(self, rest: str, **values: object) -> list[Action]:
        rows = self._database.all(
            "SELECT aid, tid, action_type, detail_type, total, green_deposit, payload, at, point, discount"
            f" FROM actions {rest}",
            **values,
        )
        return [Action(**dict(row)) for row in rows]
