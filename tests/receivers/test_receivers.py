"""The receivers of the manual page "Receiving webhooks": each is started as it stands there and told by the real gateway."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from maedal.flows import resend_webhooks, sign_webhook
from maedal.merchants.merchant import DEMO_CODE
from tests.receivers.example_servers import KINDS, Shop, shop

# In one process: what they need is installed once, and a minute is little for a framework on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("receivers"), pytest.mark.timeout(900)]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def signed(secret: str, body: str, *, at: float | None = None, news: str = "imp_1-1") -> dict[str, str]:
    moment = datetime.fromtimestamp(at or time.time(), UTC)
    return {
        "webhook-id": news,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(news, moment, body),
        "content-type": "application/json",
    }


def test_a_receiver_of_the_manual_keeps_what_is_true_once_and_in_order(sender, kind, tmp_path):
    first = sender.secret
    with shop(kind, tmp_path, sender.world.gateway, first) as running:
        order = f"주문 {kind} 1/2 & 3" if kind != "java" else f"{kind} 1/2 & 3"
        # JSON, then a form.
        sender.tell(running.url, "json")
        paid = sender.charge(order)
        assert running.kept() == f"{order} paid 3000 0"
        assert sender.answers(paid) == [200]
        sender.tell(running.url, "form")
        formed = sender.charge(f"{order} form")
        assert running.kept() == f"{order} form paid 3000 0"
        assert sender.answers(formed) == [200]

        # A cancel is later news; sent again, the earlier one comes late and changes nothing.
        sender.tell(running.url, "json")
        cancel = {"imp_uid": paid, "amount": 1_000, "enable_webhook": True}
        assert sender.world.call("POST", "/payments/cancel", json=cancel).json()["code"] == 0
        assert running.kept() == f"{order} cancelled 3000 1000"
        sender.resend(paid)
        assert sender.answers(paid, 3) == [200, 200, 200]
        assert running.nothing_more()

        # A test call names no payment, and is taken.
        called = sender.do(lambda services: resend_webhooks.call_for_test(services, DEMO_CODE, test_mode=True))
        assert called.answer.status == 200
        assert running.nothing_more()

        refuses_what_is_not_ours(running, first, formed)

        # While the secret is being changed, both sign; afterwards the old one is worth nothing.
        second = sender.secret = sender.change(lambda services: sign_webhook.new_secret(services, DEMO_CODE))
        during = sender.charge(f"{order} during")
        assert running.kept() == f"{order} during paid 3000 0"
        assert sender.answers(during) == [200]
        sender.change(lambda services: sign_webhook.end_old_secret(services, DEMO_CODE))
        after = sender.charge(f"{order} after")
        assert sender.answers(after) == [401]
        assert running.nothing_more()
    assert second != first


def refuses_what_is_not_ours(running: Shop, secret: str, imp_uid: str) -> None:
    """Post to a receiver what is forged, late, early or broken: it refuses all of it, and keeps nothing."""
    body = f'{{"imp_uid":"{imp_uid}","merchant_uid":"x","status":"paid"}}'
    right = signed(secret, body, news=f"{imp_uid}-9")
    other = "whsec_" + base64.b64encode(hashlib.sha256(b"another").digest()).decode()
    mac = hmac.new(b"", body.encode(), hashlib.sha256).digest()
    wrong = {
        "another body": (right, body.replace("paid", "PAID")),
        "another's secret": (signed(other, body), body),
        "another id": (right | {"webhook-id": "imp_1-99"}, body),
        "another time": (right | {"webhook-timestamp": str(int(time.time()) - 1)}, body),
        "too late": (signed(secret, body, at=time.time() - 600), body),
        "too early": (signed(secret, body, at=time.time() + 600), body),
        "no signature": ({k: v for k, v in right.items() if k != "webhook-signature"}, body),
        "no id": ({k: v for k, v in right.items() if k != "webhook-id"}, body),
        "no time": (right | {"webhook-timestamp": "soon"}, body),
        "garbage": (right | {"webhook-signature": "garbage"}, body),
        "another version": (right | {"webhook-signature": right["webhook-signature"].replace("v1,", "v2,")}, body),
        "no Base64": (right | {"webhook-signature": "v1,%%% v1,"}, body),
        "an empty key": (right | {"webhook-signature": "v1," + base64.b64encode(mac).decode()}, body),
        "nothing": ({}, ""),
    }
    answers = {name: httpx.post(running.url, content=b.encode(), headers=h, timeout=60).status_code for name, (h, b) in wrong.items()}  # fmt: skip
    assert answers == dict.fromkeys(wrong, 401), running.all_lines[-20:]
    assert running.nothing_more()
