"""The code of this shop's page in a few lines, with its own values, and the call that charges its newest key."""

import json
import shlex
from dataclasses import dataclass

from .orders import Subscription
from .shop import PLAN_AMOUNT, DemoSettings

PUBLIC_API_KEY = "imp_apikey"
"""PortOne's documentation prints this key with its secret; no other secret is ever shown."""
EXAMPLE_CUSTOMER = "gildong_0001_1234"


@dataclass(frozen=True, slots=True)
class Snippet:
    """What somebody copies into a page and into a terminal; `customer_uid` None when nobody has registered yet."""

    page: str
    curl: str
    customer_uid: str | None


def snippet_of(me: DemoSettings, subscriptions: list[Subscription]) -> Snippet:
    """Write both with the shop's own values and its newest key that lives."""
    gateway = me.gateway_url.rstrip("/")
    living = [one for one in subscriptions if one.status == "active"]
    customer_uid = max(living, key=lambda one: one.started_at).customer_uid if living else None
    return Snippet(_page(gateway, me.identification_code), _curl(gateway, me, customer_uid), customer_uid)


def _page(gateway: str, code: str) -> str:
    return f"""<script src="{gateway}/v1/iamport.js"></script>
<button id="subscribe">Subscribe</button>
<script>
  IMP.init({json.dumps(code)});
  document.getElementById("subscribe").addEventListener("click", () => {{
    IMP.request_pay(
      {{
        pg: "kakaopay.TCSUBSCRIP",
        merchant_uid: `issue_${{Date.now()}}`,
        name: "Monthly plan",
        amount: 0, // 0 issues the key without taking money
        customer_uid: `customer_${{Date.now()}}`, // your own name for this customer's method
        m_redirect_url: location.href,
      }},
      (rsp) => alert(rsp.success ? `Issued: ${{rsp.customer_uid}}` : rsp.error_msg),
    );
  }});
</script>"""


def _curl(gateway: str, me: DemoSettings, customer_uid: str | None) -> str:
    secret = me.api_secret if me.api_key == PUBLIC_API_KEY else "YOUR_REST_API_SECRET"
    pair = shlex.quote(json.dumps({"imp_key": me.api_key, "imp_secret": secret}))
    uid = json.dumps(customer_uid or EXAMPLE_CUSTOMER)
    return f"""TOKEN=$(curl -s {gateway}/users/getToken \\
  -H 'Content-Type: application/json' \\
  -d {pair} |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["response"]["access_token"])')

curl -s {gateway}/subscribe/payments/again \\
  -H "Authorization: $TOKEN" -H 'Content-Type: application/json' \\
  -d '{{"customer_uid":{uid},"merchant_uid":"order_'$(date +%s)'","amount":{PLAN_AMOUNT}}}'"""
