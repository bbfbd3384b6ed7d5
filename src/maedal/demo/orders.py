"""What the shop remembers: orders and subscriptions, in one small SQLite file.

The order is written down before the payment window opens, with the amount that we expect. Everything that is said
about a payment later, by a browser, by an answer or by a webhook, is compared with this row, and a row moves only as
`MAY_BECOME` allows. That makes every report safe to repeat.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

Kind = Literal["register", "first", "once", "again"]
Status = Literal["pending", "checking", "paid", "failed", "refused", "forged", "cancelled"]

# pending    ordered; the payment window has not reported yet
# checking   the payment server was asked and the outcome is not known yet
# failed     a payment was tried and declined, or the buyer gave up
# refused    nothing was tried
# forged     paid, but not what was ordered
# A failed order may still be paid: several payments may carry one order id, and at most one of them succeeds.
MAY_BECOME: dict[Status, tuple[Status, ...]] = {
    "pending": ("checking", "paid", "failed", "refused", "forged", "cancelled"),
    "checking": ("paid", "failed", "refused", "forged", "cancelled"),
    "failed": ("paid", "forged", "cancelled"),
    "refused": ("checking", "paid", "failed", "forged", "cancelled"),
    "paid": ("cancelled",),
    "forged": (),
    "cancelled": (),
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  merchant_uid TEXT PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('register', 'first', 'once', 'again')),
  name         TEXT NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0 OR (kind = 'register' AND amount = 0)),
  customer_uid TEXT CHECK ((customer_uid IS NULL) = (kind = 'once')),
  status       TEXT NOT NULL DEFAULT 'pending',
  message      TEXT,
  imp_uid      TEXT,
  pay_method   TEXT,
  receipt_url  TEXT,
  ordered_at   INTEGER NOT NULL,
  settled_at   INTEGER
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_uid, ordered_at);
CREATE TABLE IF NOT EXISTS subscriptions (
  customer_uid TEXT PRIMARY KEY,
  status       TEXT NOT NULL CHECK (status IN ('active', 'ended')),
  pay_method   TEXT,
  method_name  TEXT,
  started_at   INTEGER NOT NULL,
  ended_at     INTEGER,
  ended_by     TEXT CHECK (ended_by IN ('shop', 'kakaopay'))
);
CREATE TABLE IF NOT EXISTS plans (
  customer_uid TEXT PRIMARY KEY,
  merchant_uid TEXT NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  charge_at    INTEGER NOT NULL,
  day          INTEGER NOT NULL,
  told         INTEGER NOT NULL
);
"""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase. `amount` is whole KRW, times are Unix seconds."""

    merchant_uid: str
    kind: Kind
    name: str
    amount: int
    customer_uid: str | None
    status: Status
    message: str | None
    imp_uid: str | None
    pay_method: str | None
    receipt_url: str | None
    ordered_at: int
    settled_at: int | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The next charge of a subscription: the order that it will be, and when. `day` is the day of each month."""

    customer_uid: str
    merchant_uid: str
    amount: int
    charge_at: int
    day: int
    told: bool
    """Whether the payment server has taken it."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One billing key of the buyer, under the name (`customer_uid`) that we gave it."""

    customer_uid: str
    status: Literal["active", "ended"]
    pay_method: str | None
    method_name: str | None
    started_at: int
    ended_at: int | None
    ended_by: Literal["shop", "kakaopay"] | None
    charges: tuple[Order, ...] = ()
    plan: Plan | None = None


class Orders:
    """The rows. One connection, used by one event loop."""

    def __init__(self, file: Path | None, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._sql = sqlite3.connect(file or ":memory:", isolation_level=None)
        self._sql.row_factory = sqlite3.Row
        self._sql.executescript("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 3000;" + SCHEMA)

    def close(self) -> None:
        self._sql.close()

    def place(self, kind: Kind, name: str, amount: int, customer_uid: str | None = None) -> Order:
        """Write an order down, before anything is paid."""
        today = time.strftime("%Y%m%d", time.localtime(self._now()))
        merchant_uid = f"order-{today}-{secrets.token_hex(8)}"  # 31 characters of at most 40
        self._sql.execute(
            "INSERT INTO orders (merchant_uid, kind, name, amount, customer_uid, ordered_at) VALUES (?,?,?,?,?,?)",
            (merchant_uid, kind, name, amount, customer_uid, int(self._now())),
        )
        order = self.order(merchant_uid)
        assert order is not None
        return order

    def order(self, merchant_uid: str) -> Order | None:
        row = self._sql.execute("SELECT * FROM orders WHERE merchant_uid = ?", (merchant_uid,)).fetchone()
        return row and Order(**row)

    def move(
        self, merchant_uid: str, to: Status, message: str | None = None, payment: dict[str, Any] | None = None
    ) -> bool:
        """Move an order, if it may go there. False: it was there already, or something better is known of it.

        Only the first of two equal reports gets True, so whatever follows a payment is done exactly once.
        """
        payment = payment or {}
        allowed = [status for status, targets in MAY_BECOME.items() if to in targets]
        done = self._sql.execute(
            f"""
            UPDATE orders SET status = ?, message = ?, settled_at = ?, imp_uid = coalesce(?, imp_uid),
                   pay_method = coalesce(?, pay_method), receipt_url = coalesce(?, receipt_url)
             WHERE merchant_uid = ? AND status IN ({",".join("?" * len(allowed))})
               AND (status <> 'paid' OR imp_uid = ?)
            """,
            (
                to,
                message,
                None if to == "checking" else int(self._now()),
                payment.get("imp_uid"),
                payment.get("pay_method"),
                payment.get("receipt_url"),
                merchant_uid,
                *allowed,
                payment.get("imp_uid"),
            ),
        )
        return done.rowcount == 1

    def note(self, merchant_uid: str, message: str) -> None:
        self._sql.execute("UPDATE orders SET message = ? WHERE merchant_uid = ?", (message, merchant_uid))

    def start_subscription(self, customer_uid: str, pay_method: str | None) -> None:
        self._sql.execute(
            """
            INSERT INTO subscriptions (customer_uid, status, pay_method, started_at) VALUES (?, 'active', ?, ?)
            ON CONFLICT (customer_uid) DO UPDATE SET pay_method = excluded.pay_method
            """,
            (customer_uid, pay_method, int(self._now())),
        )

    def name_method(self, customer_uid: str, method_name: str) -> None:
        self._sql.execute(
            "UPDATE subscriptions SET method_name = ? WHERE customer_uid = ?", (method_name, customer_uid)
        )

    def end_subscription(self, customer_uid: str, ended_by: Literal["shop", "kakaopay"]) -> None:
        self._sql.execute(
            """
            UPDATE subscriptions SET status = 'ended', ended_at = ?, ended_by = ?
             WHERE customer_uid = ? AND status = 'active'
            """,
            (int(self._now()), ended_by, customer_uid),
        )

    def subscription(self, customer_uid: str) -> Subscription | None:
        row = self._sql.execute("SELECT * FROM subscriptions WHERE customer_uid = ?", (customer_uid,)).fetchone()
        return row and self._with_charges(row)

    def subscriptions(self, count_max: int = 20) -> list[Subscription]:
        """The newest first, those still running before those that ended."""
        rows = self._sql.execute(
            "SELECT * FROM subscriptions ORDER BY status, started_at DESC, rowid DESC LIMIT ?", (count_max,)
        )
        return [self._with_charges(row) for row in rows.fetchall()]

    def orders_without_subscription(self, count_max: int = 30) -> list[Order]:
        """One-time orders, and registrations that came to nothing (yet); the newest first."""
        rows = self._sql.execute(
            """
            SELECT * FROM orders
             WHERE customer_uid IS NULL OR customer_uid NOT IN (SELECT customer_uid FROM subscriptions)
             ORDER BY ordered_at DESC, rowid DESC LIMIT ?
            """,
            (count_max,),
        )
        return [Order(**row) for row in rows]

    def _with_charges(self, row: sqlite3.Row) -> Subscription:
        charges = self._sql.execute(
            "SELECT * FROM orders WHERE customer_uid = ? ORDER BY ordered_at DESC, rowid DESC LIMIT 50",
            (row["customer_uid"],),
        )
        plan = self.plan(row["customer_uid"])
        return Subscription(**row, charges=tuple(Order(**charge) for charge in charges), plan=plan)

    def plan(self, customer_uid: str) -> Plan | None:
        row = self._sql.execute("SELECT * FROM plans WHERE customer_uid = ?", (customer_uid,)).fetchone()
        return row and Plan(**{**row, "told": bool(row["told"])})

    def put_plan(self, plan: Plan) -> None:
        values = (plan.customer_uid, plan.merchant_uid, plan.amount, plan.charge_at, plan.day, plan.told)
        self._sql.execute("INSERT OR REPLACE INTO plans VALUES (?,?,?,?,?,?)", values)

    def drop_plan(self, customer_uid: str) -> None:
        self._sql.execute("DELETE FROM plans WHERE customer_uid = ?", (customer_uid,))
