"""Nothing is told in one language only: every rule's sentence has its Korean, every term its two words."""

from __future__ import annotations

import ast
import inspect
import re
from enum import StrEnum
from pathlib import Path

import pytest

from maedal.console import words
from maedal.console.browsers import browser_of
from maedal.korean_messages import KOREAN, in_korean

SRC = Path(__file__).parents[2] / "src" / "maedal"
RULES = [
    "merchants/channel.py", "merchants/addresses.py", "flows/allowed_addresses.py", "flows/set_up_merchant.py", "flows/sign_webhook.py", "flows/resend_webhooks.py",
    "flows/manage_operators.py", "operators/operator.py", "console/user_pages.py", "console/account_pages.py", "storage/sql/users.py",
    "flows/resolve_by_hand.py", "merchants/act.py", "console/once.py", "console/desk_pages.py",
    "flows/cancel.py", "flows/recovery.py", "schedules/recovery.py", "payments/cancellation.py", "console/payment_pages.py",
    "flows/time_travel.py", "console/travel_pages.py",
    "console/export_pages.py", "flows/saved_views.py",
    "console/billing_key_pages.py", "console/schedule_pages.py", "console/bulk_pages.py", "flows/change_schedules.py", "flows/schedule_charges.py", "schedules/schedule.py", "flows/deactivate_key.py",
    "flows/call_pg.py", "flows/issue_token.py", "flows/charge.py", "flows/run_schedule.py", "payments/money.py",
]  # fmt: skip
ERRORS = {"ChannelMisconfigured", "ChannelNotFound", "MerchantNotFound", "InvalidParameter", "Conflict", "AlreadyCancelled", "ChecksumMismatch",
          "CancelTooMuch", "PgTidMissing", "CancelBusy", "ScheduleNotFound", "ScheduleNotChangeable", "InvalidScheduleTime", "BillingKeyNotFound", "NothingToCancel", "OtherMode", "AddressNotAllowed", "TooManyFailures", "InvalidAmount", "CurrencyMismatch", "MerchantUidScheduled"}  # fmt: skip
# Of opening a payment's window, which no page of the console does.
ELSEWHERE = {"the merchant has no channel", "no channel has this channelKey", "the merchant has no channel of X"}


def sentences():
    found = []
    for file in RULES:
        for node in ast.walk(ast.parse((SRC / file).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found += [plain(a) for a in node.args[-1:] if isinstance(a, ast.JoinedStr | ast.Constant)]
    return [
        s
        for s in found
        if s not in ELSEWHERE and not s.endswith("takes one-time payments only; customer_uid needs a recurring channel")
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


@pytest.mark.parametrize("kind", words.ALL)
def test_every_term_has_two_words(kind):
    table = words.ALL[kind]
    members = type(next(iter(table)))
    assert issubclass(members, StrEnum)
    assert set(table) == set(members)
    assert all(korean and english and not re.search(r"[가-힣]", english) for korean, english in table.values())


def test_every_page_of_templates_speaks_both():
    """Korean stands in a template only as the first of the two languages that `t` is given."""
    folder = Path(inspect.getfile(words)).parent / "templates"
    for file in folder.glob("*.html"):
        bare = re.sub(r"\bt\(((?:[^()]|\([^()]*\))*)\)", "", file.read_text())
        left = re.findall(r"[가-힣]+", bare.replace(">한국어</a>", ""))
        assert left in ([], ["자동", "밝게", "어둡게"]), (file.name, left)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Chrome · Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1",
            "Safari · iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36 KAKAOTALK 10.4",
            "KakaoTalk · Android",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_is_called_what_people_call_it(agent, said):
    assert browser_of(agent) == said
