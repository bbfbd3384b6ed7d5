"""The one table of legal moves of a payment. The manual's diagram and every guarded write come from it."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a payment stands."""

    READY = "ready"  # the buyer's window is open; no call that takes money was made
    CALLING = "calling"  # the intent to take money is committed; the PG is being called
    UNKNOWN = "unknown"  # the PG was called and its answer is lost; only evidence may resolve it
    PAID = "paid"
    FAILED = "failed"  # certain that no money was taken
    CANCELLED = "cancelled"  # wholly or partly; the amounts tell


class Event(StrEnum):
    """What can happen to a payment."""

    BEGIN = "begin"  # we commit the intent to approve
    APPROVED = "approved"  # evidence that money was taken
    DECLINED = "declined"  # evidence that none was
    NOT_SENT = "not_sent"  # certain that nothing reached the PG
    LOST = "lost"  # the answer is lost
    GIVEN_UP = "given_up"  # it ended before any call that takes money: its window did, or no key was left
    CANCEL = "cancel"  # a cancel was confirmed by the PG
    IDENTIFIED = "identified"  # money was taken, and only now the PG's id of it became known


class Start(StrEnum):
    """How a payment that does not begin with a call for money came to be here; the first of its events."""

    OPEN = "open"  # the buyer's window was opened
    PLAN = "plan"  # a scheduled charge that could not begin
    ENTER = "enter"  # it was made while this database did not know of it; the PG told of it later
    IMPORTED = "imported"  # it was made at another gateway


NEXT: dict[tuple[Status, Event], Status] = {
    (Status.READY, Event.BEGIN): Status.CALLING,
    (Status.READY, Event.GIVEN_UP): Status.FAILED,
    (Status.CALLING, Event.APPROVED): Status.PAID,
    (Status.CALLING, Event.DECLINED): Status.FAILED,
    (Status.CALLING, Event.NOT_SENT): Status.FAILED,
    (Status.CALLING, Event.LOST): Status.UNKNOWN,
    (Status.UNKNOWN, Event.APPROVED): Status.PAID,
    (Status.UNKNOWN, Event.DECLINED): Status.FAILED,
    # Others counted the call as lost, and then the process that had it in hand says that it never left.
    (Status.UNKNOWN, Event.NOT_SENT): Status.FAILED,
    (Status.UNKNOWN, Event.LOST): Status.UNKNOWN,
    (Status.PAID, Event.CANCEL): Status.CANCELLED,
    (Status.PAID, Event.IDENTIFIED): Status.PAID,
    (Status.CANCELLED, Event.CANCEL): Status.CANCELLED,
}

IMPOSSIBLE: dict[tuple[Status, Event], str] = {
    **{
        (Status.READY, e): "no call that takes money was made"
        for e in (Event.APPROVED, Event.DECLINED, Event.NOT_SENT, Event.LOST, Event.CANCEL, Event.IDENTIFIED)
    },
    **{
        (Status.CALLING, e): "the call is under way"
        for e in (Event.BEGIN, Event.GIVEN_UP, Event.CANCEL, Event.IDENTIFIED)
    },
    **{
        (Status.UNKNOWN, e): "only evidence moves an unknown outcome, and it is never repeated"
        for e in (Event.BEGIN, Event.GIVEN_UP, Event.CANCEL, Event.IDENTIFIED)
    },
    **{
        (Status.PAID, e): "money was taken; only a cancel gives it back"
        for e in (Event.BEGIN, Event.APPROVED, Event.DECLINED, Event.NOT_SENT, Event.LOST, Event.GIVEN_UP)
    },
    (Status.CANCELLED, Event.IDENTIFIED): "it was cancelled by the PG's id of it, so that is known",
    **{(Status.FAILED, e): "a failed payment is over; a new attempt is a new payment" for e in Event},
    **{
        (Status.CANCELLED, e): "money was taken and given back"
        for e in (Event.BEGIN, Event.APPROVED, Event.DECLINED, Event.NOT_SENT, Event.LOST, Event.GIVEN_UP)
    },
}
"""Every pair that is not in `NEXT`, each with the reason why; a test checks that the two are complete together."""

OCCUPYING = frozenset({Status.CALLING, Status.UNKNOWN, Status.PAID, Status.CANCELLED})
"""While a payment is in one of these, its merchant_uid belongs to it alone (a unique index repeats this)."""
