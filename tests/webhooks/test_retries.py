"""How often a webhook is tried, and when (docs/wire/portone-v1-rest.md 5.4)."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from maedal.merchants.merchant import WebhookRetry
from maedal.webhooks.webhook import Try, wait_after
from tests.support.builders import NOW


def a_try(number=1, status=None):
    return Try(number, "http://shop.test", NOW, timedelta(seconds=1), status, "")


def waits(retry, status, jitter=0.0):
    """Return the waits between the tries of a receiver that always answers the same."""
    found = []
    for number in count(1):
        wait = wait_after(a_try(number, status), retry, jitter)
        if wait is None:
            return found
        found.append(wait)
    raise AssertionError("tries must end")


@pytest.mark.parametrize("status", [None, 200, 302, 404, 410, 500])
def test_nothing_is_tried_again_by_default(status):
    assert waits(WebhookRetry.NONE, status) == []


@pytest.mark.parametrize("retry", WebhookRetry)
@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_what_was_taken_is_never_tried_again(retry, status):
    assert waits(retry, status) == []


@pytest.mark.parametrize("status", [None, 500, 502, 599])
def test_few_is_five_more_tries_a_minute_apart_when_the_receiver_is_broken(status):
    assert waits(WebhookRetry.FEW, status) == [timedelta(minutes=1)] * 5


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_few_takes_a_refusal_for_an_answer(status):
    assert waits(WebhookRetry.FEW, status) == []


@pytest.mark.parametrize("status", [None, 302, 404, 500])
@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_patient_tries_ten_times_over_more_than_three_days_and_waits_longer_each_time(status, jitter):
    found = waits(WebhookRetry.PATIENT, status, jitter)
    assert len(found) + 1 == 10
    assert found == sorted(found)
    assert timedelta(hours=75) < sum(found, timedelta()) < timedelta(hours=75.6) * 1.2


def test_patient_waits_are_spread_and_end_when_the_receiver_is_gone_for_good():
    assert waits(WebhookRetry.PATIENT, None, 0.9) != waits(WebhookRetry.PATIENT, None, 0.1)
    assert waits(WebhookRetry.PATIENT, 410) == []
