"""How cancels divide: the parts always sum to the payment's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.cancellation import CancelSplit, split_cancel
from maedal.payments.errors import AlreadyCancelled, CancelTooMuch, InvalidParameter
from maedal.payments.money import krw


def test_nothing_said_means_all_that_is_left():
    assert split_cancel(krw(9_900), [], 0, None) == CancelSplit(9_900, 0, 900)
    part = split_cancel(krw(9_900), [], 1_100, None)
    assert part == CancelSplit(1_100, 0, 100)
    assert split_cancel(krw(9_900), [part], 0, None) == CancelSplit(8_800, 0, 800)


def test_a_whole_cancel_takes_the_tax_free_part_along():
    assert split_cancel(krw(3_000, 800), [], 0, None) == CancelSplit(3_000, 800, 200)
    assert split_cancel(krw(3_000, 800), [], 3_000, 0) == CancelSplit(3_000, 800, 200)


def test_a_part_takes_from_the_taxable_side_first():
    assert split_cancel(krw(3_000, 800), [], 2_200, None) == CancelSplit(2_200, 0, 200)
    assert split_cancel(krw(3_000, 800), [], 2_500, None) == CancelSplit(2_500, 300, 200)
    assert split_cancel(krw(3_000, 800), [], 500, 500) == CancelSplit(500, 500, 0)


def test_more_than_is_left_is_refused():
    with pytest.raises(CancelTooMuch):
        split_cancel(krw(1_000), [], 1_001, None)
    with pytest.raises(AlreadyCancelled):
        split_cancel(krw(1_000), [CancelSplit(1_000, 0, 91)], 0, None)
    with pytest.raises(AlreadyCancelled):
        split_cancel(krw(0), [], 0, None)
    with pytest.raises(InvalidParameter):
        split_cancel(krw(3_000, 800), [], 900, 801)


def test_rounding_never_leaves_vat_without_anything_to_tax():
    price, done = krw(7_919, 7_901), []
    for amount in (8, 5, 373, 0):
        done.append(split_cancel(price, done, amount, None))
    assert all(0 <= c.vat <= c.amount - c.tax_free for c in done)
    assert sum(c.vat for c in done) == price.vat.amount


@given(st.integers(1, 10**9), st.data())
def test_any_row_of_cancels_sums_to_the_payment_to_the_last_won_and_vat(total, data):
    price = krw(total, data.draw(st.integers(0, total)))
    done: list[CancelSplit] = []
    while (left := total - sum(c.amount for c in done)) > 0:
        last = len(done) == 6
        amount = 0 if last else data.draw(st.integers(0, left))
        done.append(split_cancel(price, done, amount, None))
    assert sum(c.amount for c in done) == total
    assert sum(c.tax_free for c in done) == price.tax_free.amount
    assert sum(c.vat for c in done) == price.vat.amount
    assert all(0 <= c.vat <= c.amount - c.tax_free for c in done)
