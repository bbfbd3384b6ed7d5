"""Which of the cancels that the PG shows are ours, and which others made (docs/decisions/0041-refunds-at-the-pg.md).

A cancel of ours is told by its mark, or by the PG's id of it once that is kept. One that went without a mark, or whose
mark the PG does not tell, is told by amount and time alone, which is no proof: what may be ours or not is `unclear`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from maedal.payments.cancellation import CancelAtPg, Cancellation, CancelSplit, split_cancel
from maedal.payments.mark import read_cancel_mark
from maedal.payments.money import Price

REASON_AT_PG = "PG 관리자 화면에서 취소"
REASON_FORGOTTEN = "PG의 기록에서 복구한 취소"


@dataclass(frozen=True, slots=True)
class Compared:
    """The PG's cancels of one payment against ours."""

    ours: Mapping[str, CancelAtPg]
    """Cancels that are known here and whose id at the PG is not kept yet, by their own ids."""
    forgotten: Mapping[str, CancelAtPg]
    """Cancels that bear our mark and are not here: an older copy of the database forgot them."""
    foreign: tuple[CancelAtPg, ...]
    """Certainly made by somebody else: in the PG's own console, or by another system with our contract."""
    unclear: tuple[CancelAtPg, ...]
    """What the open cancel may be, or not."""
    missing: tuple[Cancellation, ...]
    """Done here, and not at the PG."""


def compare(
    known: Sequence[Cancellation],
    there: Sequence[CancelAtPg],
    *,
    merchant_id: str,
    open_id: str | None,
    marks_shown: bool,
    off_by: timedelta,
    over_within: timedelta,
) -> Compared:
    """Return whose each cancel at the PG is; `known` are all of the payment's, done or not.

    `open_id` is the one whose outcome is not known. `marks_shown`: the PG has shown that it keeps this payment's marks.
    `off_by` is how far its times may be from ours, and `over_within` how long after its begin a cancel may be made.
    """
    by_id = {c.id: c for c in known}
    aids = {c.pg_aid for c in known if c.pg_aid is not None}
    listed = {entry.pg_aid for entry in there}
    ours: dict[str, CancelAtPg] = {}
    forgotten: dict[str, CancelAtPg] = {}
    rest: list[CancelAtPg] = []
    for entry in there:
        if entry.pg_aid in aids:
            continue
        mark = read_cancel_mark(entry.mark)
        if mark is None or mark.merchant_id != merchant_id:
            rest.append(entry)
            continue
        mine = by_id.get(mark.cancellation_id)
        if mine is None and mark.cancellation_id not in forgotten:
            forgotten[mark.cancellation_id] = entry
        elif mine is not None and mine.id not in ours and (mine.pg_aid is None or mine.pg_aid not in listed):
            ours[mine.id] = entry
        else:
            # A second cancel under one mark: nobody here sends that, and it is told like any other's.
            rest.append(entry)
    missing = []
    for done in known:
        if done.done_at is None or done.pg_aid is not None or done.id in ours:
            continue
        same = [entry for entry in rest if entry.amount == done.split.amount]
        if same:
            nearest = min(same, key=lambda entry: _distance(done, entry))
            ours[done.id] = nearest
            rest.remove(nearest)
        else:
            missing.append(done)
    missing += [c for c in known if c.pg_aid is not None and c.pg_aid not in listed and c.id not in ours]
    unclear: tuple[CancelAtPg, ...] = ()
    running = by_id.get(open_id or "")
    if running is not None and running.id not in ours and not (running.marked and marks_shown):
        since, until = running.begun_at - off_by, running.begun_at + over_within + off_by
        unclear = tuple(e for e in rest if e.amount == running.split.amount and since <= e.at <= until)
    foreign = tuple(e for e in rest if e not in unclear)
    return Compared(ours, forgotten, foreign, unclear, tuple(missing))


def _distance(done: Cancellation, entry: CancelAtPg) -> timedelta:
    assert done.done_at is not None, "only what is done is looked for"
    return max(done.begun_at - entry.at, entry.at - done.done_at, timedelta(0))


def split_refunds(
    price: Price, done: Iterable[CancelSplit], amounts: Sequence[int], tax_free: int | None, vat: int | None
) -> list[CancelSplit]:
    """Return how cancels that only the PG knew of divide, one after the other; `done` are those before them.

    `tax_free` and `vat` are what the PG tells of all of these amounts together. Where it tells nothing, or what cannot
    be, they divide as ours do. Raises CancelTooMuch or AlreadyCancelled for more than is left.
    """
    before = list(done)
    left = price.total.amount - sum(c.amount for c in before)
    free_left = price.tax_free.amount - sum(c.tax_free for c in before)
    vat_left = price.vat.amount - sum(c.vat for c in before)
    total = sum(amounts)
    possible = (
        tax_free is not None
        and vat is not None
        and 0 <= tax_free <= min(total, free_left)
        and total - tax_free <= left - free_left
        and 0 <= vat <= min(total - tax_free, vat_left)
        and vat_left - vat <= left - free_left - (total - tax_free)
    )
    found: list[CancelSplit] = []
    for number, amount in enumerate(amounts):
        if possible and tax_free is not None and vat is not None:
            split = _share(amount, sum(amounts[number:]), tax_free, vat)
            tax_free, vat = tax_free - split.tax_free, vat - split.vat
        else:
            split = split_cancel(price, [*before, *found], amount, None)
        found.append(split)
    return found


def _share(amount: int, total: int, tax_free: int, vat: int) -> CancelSplit:
    """Return the share of one amount in what is told of `total`; the last takes whatever is left."""
    taxed_later = total - amount
    free = min(amount, max(0, tax_free - taxed_later))
    taxed = amount - free
    rest_taxed = total - tax_free - taxed
    return CancelSplit(amount, free, min(taxed, vat, max(vat - rest_taxed, (2 * taxed + 11) // 22)))
