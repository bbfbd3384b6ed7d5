"""The mark that goes to the PG with a charge comes back as it went, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.mark import BYTES_MAX, Mark, read_mark, write_mark
from maedal.payments.payment import KeyUse
from tests.support.builders import an_issuing_window

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).map(str.strip).filter(bool)


def a_payment(merchant_uid, key_use=None, key_id=None):
    payment, _, _ = an_issuing_window()
    order = replace(payment.order, merchant_uid=merchant_uid, key_use=key_use)
    return replace(payment, order=order, billing_key_id=key_id)


@given(TEXTS, st.sampled_from([None, *KeyUse]), st.sampled_from([None, "01HZX3KQ9V7M2N4P6R8T0W1Y5Z"]))
def test_a_mark_tells_of_every_payment_whose_it_is(merchant_uid, key_use, key_id):
    payment = a_payment(merchant_uid, key_use, key_id)
    text = write_mark(payment)
    assert len(text.encode()) <= BYTES_MAX
    assert read_mark(text) == Mark(payment.merchant_id, payment.imp_uid, merchant_uid, key_use, key_id)


def test_what_does_not_fit_goes_without_a_mark():
    assert write_mark(a_payment("가" * 78)) is None
    assert write_mark(a_payment(" padded ")) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        '{"order": 1}',
        "maedal1",
        "maedal1 imp1 imp_1 gift - m_1",
        "maedal1 imp1 imp_1 payment - ",
        "maedal2 imp1 imp_1 payment - m_1",
    ],
)
def test_what_others_wrote_is_no_mark(text):
    assert read_mark(text) is None
