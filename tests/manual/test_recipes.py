"""The calls that the manual's recipes show are sent as they stand, from top to bottom, and do what the recipe says."""

from __future__ import annotations

import json
import re
import shlex
import time

import pytest

from tests.support.commands import Command
from tests.support.world import world
from tools import manual

BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LAST_OF_SETUP = "NEXT_MONTH"


FIRST_PAGES = ("README.md", "README.ko.md", "docs/manual/index.md", "docs/manual/index.en.md")
GATEWAY, SHOP = "http://127.0.0.1:8080", "http://127.0.0.1:8082"


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world")) as started:
        yield started


@pytest.fixture(params=manual.LANGUAGES)
def recipe(request, running):
    # Customers and orders of the other language are there already.
    running.issue_key(f"gildong_{request.param}_1")
    text = manual.page_of("recipes", request.param).read_text("utf-8")
    return running, text.replace("gildong_", f"gildong_{request.param}_"), request.param


def lines(text):
    for _, block in BLOCK.findall(text):
        yield from re.sub(r"(?:\\|(?<=\|))\n\s*", " ", block).strip().splitlines()


def sent(running, line):
    """Send what a line of curl sends; gives the answer's JSON."""
    month = str(int(time.time()) + 30 * 86_400)
    words = shlex.split(line.replace("$GATEWAY", running.gateway).replace("$NEXT_MONTH", month))
    assert words[0] == "curl"
    (url,) = [word for word in words if word.startswith("http")]
    path = url.removeprefix(running.gateway)
    body = words[words.index("-d") + 1] if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is None else "POST"
    answer = running.call(method, path, **({} if body is None else {"json": json.loads(body)}))
    assert answer.status_code == 200, (line, answer.text)
    assert answer.json()["code"] == 0, (line, answer.text)
    return answer.json()["response"]


def test_every_call_of_the_recipes_does_what_it_says(recipe):
    running, text, language = recipe
    calls = [line.strip() for line in lines(text) if line.strip()]
    assert calls[0].startswith("GATEWAY=")
    assert [line.split("=")[0] for line in calls[:3]] == ["GATEWAY", "TOKEN", LAST_OF_SETUP]
    answers = []
    for line in calls[3:]:
        if line.startswith("maedal "):
            words = shlex.split(line)[1:]
            Command.of(running)(*words[: words.index("--data-dir")])
        else:
            answers.append(sent(running, line))
    paid = [a["merchant_uid"] for a in answers if isinstance(a, dict) and a.get("status") == "paid"]
    orders = {f"gildong_{language}_{order}" for order in ("month_1", "upgrade", "month_1_again")}
    assert orders <= set(paid)
    refunded = running.call("GET", f"/payments/find/gildong_{language}_month_1").json()["response"]
    assert refunded["cancel_amount"] == 3000
    assert running.call("GET", f"/subscribe/customers/gildong_{language}_1").json()["code"] == 1
    assert {line.split("$GATEWAY")[1].split()[0].split("/")[1] for line in calls[3:] if "$GATEWAY" in line} == {
        "payments",
        "subscribe",
    }


@pytest.mark.parametrize("page", FIRST_PAGES)
def test_the_first_pages_charge_whoever_registered_last(running, page):
    text = (manual.ROOT / page).read_text("utf-8")
    (charge,) = [line for line in lines(text) if line.startswith(f"curl -s {GATEWAY}/subscribe/payments/again ")]
    assert f"CUSTOMER=$(curl -sf {SHOP}/snippet/customer_uid)" in text
    order = re.sub(r"\W", "", page)
    running.issue_key(f"newest_{order}")
    customer, now = '"\'"$CUSTOMER"\'"', "'$(date +%s)'"
    assert customer in charge
    assert now in charge
    filled = charge.replace(customer, f'"newest_{order}"').replace(now, order).replace(GATEWAY, running.gateway)
    assert sent(running, filled)["status"] == "paid"
