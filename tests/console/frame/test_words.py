"""Nothing is told in one language only: every rule's sentence has its Korean, every term its two words."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest

from maedal.console.frame import words
from maedal.console.router import SUBJECTS
from maedal.korean_messages import KOREAN, in_korean

SRC = Path(__file__).parents[3] / "src" / "maedal"
RULES = [
    "merchants/channel.py", "merchants/addresses.py", "flows/allowed_addresses.py", "flows/set_up_merchant.py", "flows/set_up_channel.py", "flows/set_webhook.py", "flows/manage_api_keys.py", "flows/sign_webhook.py", "flows/resend_webhooks.py",
    "flows/manage_operators.py", "operators/operator.py", "storage/operators/units.py",
    "flows/resolve_by_hand.py", "merchants/audit_entry.py",
    "flows/cancel.py", "flows/recovery.py", "schedules/recovery.py", "payments/cancellation.py",
    "flows/time_travel.py", "flows/saved_views.py", "flows/change_schedules.py", "flows/schedule_charges.py", "schedules/schedule.py", "flows/deactivate_key.py",
    "flows/set_up_alerts.py", "flows/dunning.py", "messages/alert.py", "messages/mail_server.py", "dunning/unpaid.py",
    "flows/call_pg.py", "flows/issue_token.py", "flows/charge.py", "flows/run_schedule.py", "payments/money.py",
    "flows/make_plan.py", "flows/manage_plans.py", "flows/set_holidays.py", "plans/calendar.py",
    "merchants/scope.py", "webhooks/address.py", "flows/webhook_addresses.py", "schedules/presets.py", "flows/call_pg.py", "flows/issue_token.py", "flows/charge.py", "flows/run_schedule.py", "payments/money.py",
]  # fmt: skip
PAGES = sorted(str(path.relative_to(SRC)) for path in (SRC / "console").rglob("*.py"))
ERRORS = {"ChannelMisconfigured", "ChannelNotFound", "MerchantNotFound", "InvalidParameter", "Conflict", "AlreadyCancelled", "ChecksumMismatch",
          "CancelTooMuch", "PgTidMissing", "CancelBusy", "ScheduleNotFound", "ScheduleNotChangeable", "InvalidScheduleTime", "BillingKeyNotFound", "NothingToCancel", "OtherMode", "AddressNotAllowed", "TooManyFailures", "InvalidAmount", "CurrencyMismatch", "MerchantUidScheduled",
          "PlanNotFound", "PlanUidTaken", "PlanNotChangeable"}  # fmt: skip
# Of opening a payment's window, which no page of the console does.
IN_ANOTHER_BROWSER = {
    "the merchant has no channel",
    "no channel has this channelKey",
    "the merchant has no channel of X",
}


def sentences():
    found = []
    for file in [*RULES, *PAGES]:
        for node in ast.walk(ast.parse((SRC / file).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found += [plain(a) for a in node.args[-1:] if isinstance(a, ast.JoinedStr | ast.Constant)]
    return [
        s
        for s in found
        if s not in IN_ANOTHER_BROWSER
        and not s.endswith("takes one-time payments only; customer_uid needs a recurring channel")
    ]


def plain(node) -> str:
    """Return a sentence with something in the place of what it is told about."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values)


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_every_refusal_has_its_korean(sentence):
    filled = [sentence, sentence.replace("X", "test", 1), re.sub("X", "test", sentence)]
    # A few are Korean already, for they go out over the REST API as they are.
    assert any(re.search(r"[가-힣]", in_korean(one) or one) for one in filled), sentence


def test_the_rules_are_read():
    assert len(sentences()) > 30
    assert len(KOREAN) > 30


@pytest.mark.parametrize("name", words.ALL)
def test_every_term_has_two_words(name):
    table = words.ALL[name]
    members = type(next(iter(table)))
    assert issubclass(members, StrEnum)
    assert set(table) == set(members)
    assert all(korean and english and not re.search(r"[가-힣]", english) for korean, english in table.values())


def test_a_name_of_words_belongs_to_one_subject():
    own = [name for subject in SUBJECTS for name in getattr(subject, "WORDS", ())]
    assert len(own) == len(set(own)) > 20
    assert set(own) < set(words.ALL)
    with pytest.raises(ValueError, match="status"):
        words.add({"status": {}})


def test_every_page_of_templates_speaks_both():
    """Korean stands in a template only as the first of the two languages that `t` is given."""
    files = sorted((SRC / "console").rglob("*.html"))
    assert len(files) > 40
    for file in files:
        bare = re.sub(r"\bt\(((?:[^()]|\([^()]*\))*)\)", "", file.read_text())
        left = re.findall(r"[가-힣]+", bare.replace(">한국어</a>", ""))
        assert left in ([], ["자동", "밝게", "어둡게"]), (file.name, left)
