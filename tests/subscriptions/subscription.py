"""A subscription in three steps: register a billing key on a page, charge it, and take a no for a no."""

import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

GATEWAY = os.environ["MAEDAL_URL"]
CUSTOMER = "member_1"  # in your shop, one for each customer


def call(method, path, body=None):
    """Return HTTP status and envelope of a call with a token of its own; asking again gives the same token."""
    pair = {"imp_key": os.environ["MAEDAL_API_KEY"], "imp_secret": os.environ["MAEDAL_API_SECRET"]}
    token = send("POST", "/users/getToken", pair)[1]["response"]["access_token"]
    return send(method, path, body, {"Authorization": f"Bearer {token}"})


def send(method, path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        GATEWAY + path, data, {"Content-Type": "application/json"} | (headers or {}), method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def registered(imp_uid):
    """The page says that it went well; whether it did, the gateway says."""
    status, answer = call("GET", f"/payments/{quote(imp_uid, safe='')}")
    payment = answer["response"]
    if status == 200 and payment["status"] == "paid" and payment["customer_uid"] == CUSTOMER:
        return {"result": "registered"}
    return {"result": "refused", "why": answer["message"] or payment["fail_reason"]}


def charge(merchant_uid, amount):
    wanted = {"customer_uid": CUSTOMER, "merchant_uid": merchant_uid, "amount": amount, "name": "월간 이용권"}
    _, answer = call("POST", "/subscribe/payments/again", wanted)
    payment = answer["response"]
    if answer["code"] != 0:
        # Not carried out, or not known: what is written under our order number tells which.
        status, found = call("GET", f"/payments/find/{quote(merchant_uid, safe='')}")
        if status == 404:
            return {"result": "refused", "why": answer["message"]}
        payment = found["response"]
    if payment["status"] == "ready":
        return {"result": "unclear", "why": answer["message"]}  # never charge it again; a webhook tells the end
    if payment["status"] == "failed":
        return {"result": "refused", "why": payment["fail_reason"]}
    return {"result": payment["status"], "imp_uid": payment["imp_uid"]}


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        page = Path("page.html").read_text("utf-8").replace("{{gateway}}", GATEWAY)
        page = page.replace("{{code}}", os.environ["MAEDAL_CODE"]).replace("{{customer_uid}}", CUSTOMER)
        self.answer("text/html; charset=utf-8", page)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        done = (
            registered(asked["imp_uid"])
            if self.path == "/registered"
            else charge(asked["merchant_uid"], asked["amount"])
        )
        self.answer("application/json", json.dumps(done))

    def answer(self, kind, text):
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
