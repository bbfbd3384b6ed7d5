"""Webhooks of maedal: proved to be ours, read again from the gateway, kept once. Used by the apps beside this file."""

import json
import os
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from standardwebhooks import Webhook, WebhookVerificationError

GATEWAY = os.environ["MAEDAL_URL"]
WEBHOOK = Webhook(os.environ["MAEDAL_WEBHOOK_SECRET"])  # whsec_…

# Your own database. The highest number of a payment's news stays beside the payment.
DATABASE = sqlite3.connect(os.environ.get("SHOP_DATABASE", "shop.db"), check_same_thread=False, isolation_level=None)
DATABASE.execute(
    "CREATE TABLE IF NOT EXISTS payments"
    " (imp_uid TEXT PRIMARY KEY, merchant_uid TEXT, status TEXT, amount INTEGER, cancelled INTEGER, news INTEGER)"
)


def receive(body: bytes, headers: Mapping[str, str]) -> int:
    """Take one webhook and return the HTTP status to answer. `body` is what came, byte by byte."""
    headers = {name.lower(): value for name, value in headers.items()}
    try:
        # Over the bytes as they came. The body may be a form, so we read it ourselves.
        WEBHOOK.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return 401
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    told = dict(parse_qsl(body.decode())) if form else json.loads(body)

    # A webhook is only news. What is true, the gateway says.
    payment = read_payment(told["imp_uid"])
    if payment is None:  # a test call, or another merchant's
        return 200

    # webhook-id is the same in every try; behind its last "-" is a number that grows with each news of a payment.
    # So one statement keeps out what came twice, and what came late.
    news = int(headers["webhook-id"].rpartition("-")[2])
    kept = DATABASE.execute(
        "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (imp_uid) DO UPDATE SET status = excluded.status, cancelled = excluded.cancelled,"
        " news = excluded.news WHERE excluded.news > payments.news",
        (
            payment["imp_uid"],
            payment["merchant_uid"],
            payment["status"],
            payment["amount"],
            payment["cancel_amount"],
            news,
        ),
    )
    if kept.rowcount:
        # Compare the amount with your order before you deliver anything.
        print(
            "kept", payment["merchant_uid"], payment["status"], payment["amount"], payment["cancel_amount"], flush=True
        )
    return 200


def read_payment(imp_uid: str) -> dict | None:
    pair = {"imp_key": os.environ["MAEDAL_API_KEY"], "imp_secret": os.environ["MAEDAL_API_SECRET"]}
    token = ask("POST", "/users/getToken", json.dumps(pair).encode())["access_token"]
    return ask("GET", f"/payments/{quote(imp_uid, safe='')}", token=token)


def ask(method: str, path: str, body: bytes | None = None, token: str = "") -> dict | None:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(GATEWAY + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["response"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise  # anything else answers 500, and the webhook comes again
