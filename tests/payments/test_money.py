"""Money is whole won."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.errors import InvalidAmount
from maedal.payments.ids import RandomIds
from maedal.payments.money import AMOUNT_MAX, Money, krw
from tests.support.builders import NOW

amounts = st.integers(0, AMOUNT_MAX)


@pytest.mark.parametrize(
    ("total", "tax_free", "vat"), [(2200, 0, 200), (1000, 0, 91), (60000, 0, 5455), (9900, 0, 900)]
)
def test_vat_is_the_eleventh_of_the_documented_examples(total, tax_free, vat):
    assert krw(total, tax_free).vat == Money(vat)


@given(amounts, st.data())
def test_vat_is_the_nearest_won_to_an_eleventh_of_the_taxable_part(total, data):
    tax_free = data.draw(st.integers(0, total))
    vat = krw(total, tax_free).vat.amount
    assert abs(11 * vat - (total - tax_free)) * 2 < 11


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1, 1.5, "1000", True, None])
def test_anything_but_a_whole_number_in_range_is_refused(amount):
    with pytest.raises(InvalidAmount):
        Money(amount)


def test_tax_free_cannot_exceed_the_total():
    with pytest.raises(InvalidAmount):
        krw(100, 101)


@given(amounts, amounts)
def test_adding_and_taking_away_gives_the_same_money(a, b):
    small, large = Money(min(a, b)), Money(max(a, b))
    assert (large - small).amount == large.amount - small.amount
    assert small <= large


def test_ids_have_the_documented_forms_and_rows_sort_by_time():
    from datetime import timedelta

    ids = RandomIds()
    assert ids.window_payment().startswith("imp_")
    assert len(ids.window_payment()) == 16
    assert ids.server_payment()[5:].isdecimal()
    rows = [ids.row(NOW + timedelta(milliseconds=n)) for n in range(100)]
    assert rows == sorted(rows)
    assert {len(row) for row in rows} == {26}
