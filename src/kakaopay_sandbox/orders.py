"""Orders: one `tid`, its status and the only legal moves (docs/wire/kakaopay.md, 4.2 and 4.3)."""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kakaopay_sandbox.amounts import NOTHING, Amount
from kakaopay_sandbox.database import Database

LIFE_SECONDS = 15 * 60


class Status(StrEnum):
    """Every order status of the wire."""

    READY = "READY"
    SEND_TMS = "SEND_TMS"
    OPEN_PAYMENT = "OPEN_PAYMENT"
    SELECT_METHOD = "SELECT_METHOD"
    ARS_WAITING = "ARS_WAITING"
    AUTH_PASSWORD = "AUTH_PASSWORD"  # noqa: S105  a status, not a secret
    ISSUED_SID = "ISSUED_SID"
    SUCCESS_PAYMENT = "SUCCESS_PAYMENT"
    PART_CANCEL_PAYMENT = "PART_CANCEL_PAYMENT"
    CANCEL_PAYMENT = "CANCEL_PAYMENT"
    FAIL_AUTH_PASSWORD = "FAIL_AUTH_PASSWORD"  # noqa: S105
    QUIT_PAYMENT = "QUIT_PAYMENT"
    FAIL_PAYMENT = "FAIL_PAYMENT"


ENDED_BADLY = frozenset({Status.FAIL_AUTH_PASSWORD, Status.QUIT_PAYMENT, Status.FAIL_PAYMENT})

# Legal moves. Besides them the buyer may go back from SELECT_METHOD to choose again.
NEXT: dict[Status, frozenset[Status]] = {
    Status.READY: frozenset({Status.SEND_TMS, Status.OPEN_PAYMENT}) | ENDED_BADLY,
    Status.SEND_TMS: frozenset({Status.OPEN_PAYMENT}) | ENDED_BADLY,
    Status.OPEN_PAYMENT: frozenset({Status.SELECT_METHOD}) | ENDED_BADLY,
    Status.SELECT_METHOD: frozenset({Status.OPEN_PAYMENT, Status.ARS_WAITING, Status.AUTH_PASSWORD}) | ENDED_BADLY,
    Status.ARS_WAITING: frozenset({Status.AUTH_PASSWORD}) | ENDED_BADLY,
    Status.AUTH_PASSWORD: frozenset({Status.SUCCESS_PAYMENT, Status.ISSUED_SID}) | ENDED_BADLY,
    Status.SUCCESS_PAYMENT: frozenset({Status.PART_CANCEL_PAYMENT, Status.CANCEL_PAYMENT}),
    Status.PART_CANCEL_PAYMENT: frozenset({Status.PART_CANCEL_PAYMENT, Status.CANCEL_PAYMENT}),
    Status.ISSUED_SID: frozenset(),
    Status.CANCEL_PAYMENT: frozenset(),
    Status.FAIL_AUTH_PASSWORD: frozenset(),
    Status.QUIT_PAYMENT: frozenset(),
    Status.FAIL_PAYMENT: frozenset(),
}
OPEN = frozenset(status for status, following in NEXT.items() if Status.QUIT_PAYMENT in following)
PAID = frozenset({Status.SUCCESS_PAYMENT, Status.PART_CANCEL_PAYMENT, Status.CANCEL_PAYMENT})
APPROVED = PAID | {Status.ISSUED_SID}


@dataclass(frozen=True, slots=True)
class Order:
    """One row of `orders`; a charge of a SID has no page, no URLs and no expiry."""

    tid: str
    kind: str
    page: str | None
    pg_token: str | None
    cid: str
    sid: str | None
    partner_order_id: str
    partner_user_id: str
    item_name: str
    item_code: str | None
    quantity: int
    total: int
    tax_free: int
    vat: int
    green_deposit: int
    canceled_total: int
    canceled_tax_free: int
    canceled_vat: int
    canceled_deposit: int
    uses_points: int
    point: int
    discount: int
    canceled_point: int
    canceled_discount: int
    approval_url: str | None
    cancel_url: str | None
    fail_url: str | None
    available_cards: str | None
    method_allowed: str | None
    install_allowed: int | None
    share_installment: int
    return_custom_url: str | None
    status: Status
    is_expired: int
    payment_method_type: str | None
    card_id: str | None
    install_month: int
    card_approved_id: str | None
    wrong_pins: int
    created_at: int
    expires_at: int | None
    approved_at: int | None
    canceled_at: int | None

    @property
    def amount(self) -> Amount:
        return Amount(self.total, self.tax_free, self.vat, self.green_deposit, self.point, self.discount)

    @property
    def canceled(self) -> Amount:
        return Amount(
            self.canceled_total,
            self.canceled_tax_free,
            self.canceled_vat,
            self.canceled_deposit,
            self.canceled_point,
            self.canceled_discount,
        )

    @property
    def cancelable(self) -> Amount:
        """What may still be cancelled: nothing before approval."""
        return self.amount.minus(self.canceled) if self.status in PAID else NOTHING

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_recurring(self) -> bool:
        return self.kind != "one_time"

    @property
    def cards_allowed(self) -> list[str] | None:
        """Card codes the merchant restricted the buyer to; None for all."""
        return None if self.available_cards is None else msgspec.json.decode(self.available_cards, type=list[str])


def _order(row: sqlite3.Row) -> Order:
    values = dict(row)
    values["status"] = Status(values["status"])
    return Order(**values)


class Orders:
    """Reads expire what has outlived its 15 minutes; writes refuse every move that NEXT does not hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, at: int, status: Status, **columns: object) -> None:
        self._database.insert("orders", status=status.value, created_at=at, **columns)
        self._database.insert("moves", tid=columns["tid"], status=status.value, at=at)

    def find(self, tid: str, now: int) -> Order | None:
        return self._current(self._database.one("SELECT * FROM orders WHERE tid = :tid", tid=tid), now)

    def find_by_page(self, page: str, now: int) -> Order | None:
        return self._current(self._database.one("SELECT * FROM orders WHERE page = :page", page=page), now)

    def latest(self, limit: int, now: int) -> list[Order]:
        rows = self._database.all("SELECT * FROM orders ORDER BY rowid DESC LIMIT :limit", limit=limit)
        return [order for row in rows if (order := self._current(row, now)) is not None]

    def way(self, tid: str) -> list[tuple[str, int]]:
        """The statuses an order has had, each with its time, oldest first."""
        rows = self._database.all("SELECT status, at FROM moves WHERE tid = :tid ORDER BY seq", tid=tid)
        return [(row["status"], row["at"]) for row in rows]

    def move(self, order: Order, to: Status, at: int, **columns: object) -> Order:
        assert to in NEXT[order.status], f"{order.tid} cannot go from {order.status} to {to}"
        changes = "".join(f", {name} = :{name}" for name in columns)
        changed = self._database.run(
            f"UPDATE orders SET status = :to{changes} WHERE tid = :tid AND status = :current",
            tid=order.tid,
            to=to.value,
            current=order.status.value,
            **columns,
        )
        assert changed == 1, f"{order.tid} was no longer {order.status}"
        self._database.insert("moves", tid=order.tid, status=to.value, at=at)
        return self._again(order.tid)

    def note(self, order: Order, **columns: object) -> Order:
        """Change columns that are not the status."""
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        self._database.run(f"UPDATE orders SET {changes} WHERE tid = :tid", tid=order.tid, **columns)
        return self._again(order.tid)

    def _again(self, tid: str) -> Order:
        row = self._database.one("SELECT * FROM orders WHERE tid = :tid", tid=tid)
        assert row is not None
        return _order(row)

    def _current(self, row: sqlite3.Row | None, now: int) -> Order | None:
        if row is None:
            return None
        order = _order(row)
        if order.is_open and order.expires_at is not None and now >= order.expires_at:
            return self.move(order, Status.FAIL_PAYMENT, order.expires_at, is_expired=1)
        return order
