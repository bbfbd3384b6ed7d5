"""The one table of legal moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.attempt import Outcome
from maedal.payments.moves import IMPOSSIBLE, NEXT, OCCUPYING, Event, Status
from maedal.rest.wire import STATUS


def test_every_pair_is_either_a_move_or_impossible_with_a_reason():
    pairs = {(status, event) for status in Status for event in Event}
    assert set(NEXT) | set(IMPOSSIBLE) == pairs
    assert set(NEXT) & set(IMPOSSIBLE) == set()
    assert all(IMPOSSIBLE.values())


def test_every_outcome_is_an_event():
    from maedal.flows.outcome_writes import EVENTS

    assert set(EVENTS) == set(Outcome)


def test_every_status_has_one_word_on_the_wire_and_unknown_is_never_failed():
    assert set(STATUS) == set(Status)
    assert STATUS[Status.UNKNOWN] == "ready"


def test_failed_is_reached_only_by_proof_or_before_any_call():
    ways = {(status, event) for (status, event), to in NEXT.items() if to is Status.FAILED}
    assert ways == {
        (Status.READY, Event.GIVEN_UP),
        (Status.CALLING, Event.DECLINED),
        (Status.CALLING, Event.NOT_SENT),
        (Status.UNKNOWN, Event.DECLINED),
        (Status.UNKNOWN, Event.NOT_SENT),
    }


def test_a_lost_answer_is_never_called_again():
    assert (Status.UNKNOWN, Event.BEGIN) in IMPOSSIBLE
    assert Status.UNKNOWN in OCCUPYING


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_money_once_taken_is_never_forgotten(events):
    status, taken = Status.READY, False
    for event in events:
        status = NEXT.get((status, event), status)
        taken = taken or status is Status.PAID
        assert not taken or status in {Status.PAID, Status.CANCELLED}
