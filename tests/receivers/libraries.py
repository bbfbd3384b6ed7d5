"""What each library of Python says of the webhooks on standard input: one JSON line for each."""

import json
import sys

import portone_server_sdk.webhook as portone
import standardwebhooks
import svix.webhooks as svix

CHECKS = {
    "standardwebhooks": lambda secret, body, headers: standardwebhooks.Webhook(secret).verify(body, headers),
    "standardwebhooks, not parsed": lambda secret, body, headers: standardwebhooks.Webhook(secret).verify(
        body, headers, json_parse=False
    ),
    "svix": lambda secret, body, headers: svix.Webhook(secret).verify(body, headers),
    "portone": portone.verify,
    "portone, bytes": lambda secret, body, headers: portone.verify(secret, body.encode(), headers),
    "portone, Title-Case": lambda secret, body, headers: portone.verify(
        secret, body, {k.title(): v for k, v in headers.items()}
    ),
}

asked = json.load(sys.stdin)
for name, check in CHECKS.items():
    for case in asked:
        try:
            check(case["secret"], case["body"], case["headers"])
            message = "taken"
        except Exception as error:
            message = type(error).__name__
        print(json.dumps({"library": name, "case": case["name"], "said": message}))
