"""The libraries that check signatures, on webhooks that were really sent: what each takes is what the manual says of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from maedal.flows import sign_webhook
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import DEMO_CODE
from tests.receivers.example_servers import NODE, ROOT, node_modules, python
from tests.receivers.webhook_sender import WebhookSender
from tests.support.receiver import receiver
from tools import provide

# In one process: what they need is installed once, and a minute is little for a framework on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("receivers"), pytest.mark.timeout(900)]

PAGE = ROOT / "docs" / "manual" / "webhooks.en.md"
CASES = ("json", "form", "json during, old secret", "json during, new secret", "json after, old secret")
TAKEN_BY = {
    "python": {
        "standardwebhooks": ("taken", "JSONDecodeError", "taken", "taken", "WebhookVerificationError"),
        "standardwebhooks, not parsed": ("taken", "taken", "taken", "taken", "WebhookVerificationError"),
        "svix": ("taken", "taken", "taken", "taken", "WebhookVerificationError"),
        "portone": ("taken", "JSONDecodeError", "taken", "taken", "WebhookVerificationError"),
        "portone, bytes": ("WebhookVerificationError",) * 5,
        "portone, Title-Case": ("WebhookVerificationError",) * 5,
    },
    "node": {
        "standardwebhooks": ("taken", "SyntaxError", "taken", "taken", "WebhookVerificationError"),
        "standardwebhooks, not parsed": ("taken", "taken", "taken", "taken", "WebhookVerificationError"),
        "svix": ("taken", "SyntaxError", "taken", "taken", "WebhookVerificationError"),
        "portone": ("taken", "SyntaxError", "taken", "taken", "WebhookVerificationError"),
    },
}


@pytest.fixture(scope="module")
def sent(sender: WebhookSender):
    """Real webhooks and the secrets that a receiver may have."""
    with receiver() as shop:

        def request_of(path: str, body: str):
            sender.change(lambda services: set_webhook(services, DEMO_CODE, live=None, test=shop.url + path, body=body))
            sender.charge(f"libraries{path}")
            [request] = shop.wait_for(path)
            return request

        first = sender.secret
        requests = [("json", first, request_of("/json", "json")), ("form", first, request_of("/form", "form"))]
        second = sender.secret = sender.change(lambda services: sign_webhook.new_secret(services, DEMO_CODE))
        both = request_of("/both", "json")
        requests += [("json during, old secret", first, both), ("json during, new secret", second, both)]
        sender.change(lambda services: sign_webhook.end_old_secret(services, DEMO_CODE))
        requests.append(("json after, old secret", first, request_of("/after", "json")))
    return json.dumps(
        [{"name": n, "secret": s, "body": r.body, "headers": dict(r.headers)} for n, s, r in requests],
        ensure_ascii=False,
    )


def asked(command: list[str], folder: Path, cases: str) -> dict[str, tuple[str, ...]]:
    done = subprocess.run(command, cwd=folder, input=cases, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    message: dict[str, dict[str, str]] = {}
    for line in map(json.loads, done.stdout.splitlines()):
        message.setdefault(line["library"], {})[line["case"]] = line["said"]
    return {library: tuple(cases[name] for name in CASES) for library, cases in message.items()}


def test_the_libraries_of_python_take_what_the_manual_says(sent, tmp_path):
    assert asked([str(python()), str(NODE / "libraries.py")], tmp_path, sent) == TAKEN_BY["python"]


def test_the_libraries_of_node_take_what_the_manual_says(sent, tmp_path):
    (tmp_path / "node_modules").symlink_to(node_modules())
    shutil.copy(NODE / "libraries.mjs", tmp_path)
    assert asked([str(provide.node()), "libraries.mjs"], tmp_path, sent) == TAKEN_BY["node"]
