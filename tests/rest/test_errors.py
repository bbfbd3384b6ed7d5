"""The tables of errors are total: a class that nobody thought of fails here and not at a merchant's."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import maedal
from maedal.checkout.errors import TEXTS, in_the_callback
from maedal.errors import GatewayError
from maedal.flows.open_window import OriginNotAllowed, PgRefusedWindow
from maedal.flows.pay_unpaid import TooSoon
from maedal.payments.attempt import Decline
from maedal.payments.errors import AmountMismatch, CustomerUidMismatch, InvalidParameter
from maedal.rest.errors import WIRE, on_the_wire

ONLY_IN_WINDOWS = {OriginNotAllowed, PgRefusedWindow, AmountMismatch, CustomerUidMismatch}
ONLY_IN_REST = {
    "WrongApiSecret",
    "AddressNotAllowed",
    "ScopeMissing",
    "TooManyFailures",
    "BillingKeyNotFound",
    "BillingKeyBusy",
    "BillingKeyUnclear",
    "BillingKeyChargeUnrecorded",
    "BillingKeyStatusUnavailable",
    "PgUnderMaintenance",
    "PgCrowded",
    "OutcomeUnknown",
    "PaymentNotFound",
    "NothingToCancel",
    "AlreadyCancelled",
    "CancelTooMuch",
    "ChecksumMismatch",
    "CancelBusy",
    "CancelRefused",
    "PgTidMissing",
    "OtherMode",
    "AlreadyPrepared",
    "ScheduleNotFound",
    "ScheduleNotChangeable",
    "InvalidScheduleTime",
    "MerchantUidScheduled",
    "NothingToUnschedule",
    "PlanNotFound",
    "PlanNotChangeable",
    "PlanUidTaken",
}
ONLY_ON_THE_PAGE_OF_AN_UNPAID_CHARGE = {TooSoon}


def every_error():
    for module in pkgutil.walk_packages(maedal.__path__, "maedal."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return _below(GatewayError)


def _below(kind):
    return {below for direct in kind.__subclasses__() for below in {direct} | _below(direct)}


def an_error(kind):
    special = {
        InvalidParameter: lambda: InvalidParameter("amount", "amount {is} wrong"),
        PgRefusedWindow: lambda: PgRefusedWindow("imp_1", Decline("-780 X", "no {money}")),
    }
    return special.get(kind, lambda: kind("a {sentence}"))()


def test_every_error_that_rest_can_meet_has_its_answer():
    assert every_error() - ONLY_IN_WINDOWS - ONLY_ON_THE_PAGE_OF_AN_UNPAID_CHARGE == set(WIRE)


def test_every_error_that_a_window_can_meet_has_its_answer():
    rest_only = {kind for kind in every_error() if kind.__name__ in ONLY_IN_REST}
    assert len(rest_only) == len(ONLY_IN_REST)
    assert every_error() - rest_only - ONLY_ON_THE_PAGE_OF_AN_UNPAID_CHARGE == set(TEXTS)


@pytest.mark.parametrize("kind", WIRE, ids=lambda kind: kind.__name__)
def test_every_answer_of_rest_is_an_envelope_with_words(kind):
    answer = on_the_wire(an_error(kind))
    assert answer.status in {200, 400, 401, 403, 404, 429}
    assert answer.code != 0
    assert answer.message.strip()
    assert "{message}" not in answer.message


@pytest.mark.parametrize("kind", TEXTS, ids=lambda kind: kind.__name__)
def test_every_answer_of_a_window_has_code_and_words(kind):
    code, text = in_the_callback(an_error(kind))
    assert code
    assert text.strip()
    assert "{message}" not in text


def test_every_error_has_a_code_and_a_sentence_of_its_own():
    kinds = every_error()
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)
