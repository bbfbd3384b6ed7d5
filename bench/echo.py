"""The yardstick: the same framework, server and codec giving back a payment object, and nothing else."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post

from maedal.cli.serving import serve_until_stopped, server_of
from maedal.rest.envelope import success

# A paid payment as the gateway gives it, but for what the request says.
PAYMENT: dict[str, Any] = {
    "amount": 0,
    "apply_num": None,
    "bank_code": None,
    "bank_name": None,
    "buyer_addr": None,
    "buyer_email": None,
    "buyer_name": None,
    "buyer_postcode": None,
    "buyer_tel": None,
    "cancel_amount": 0,
    "cancel_history": [],
    "cancel_reason": None,
    "cancel_receipt_urls": [],
    "cancelled_at": 0,
    "card_code": None,
    "card_issuer_code": None,
    "card_issuer_name": None,
    "card_name": None,
    "card_number": None,
    "card_publisher_code": None,
    "card_publisher_name": None,
    "card_quota": 0,
    "card_type": None,
    "cash_receipt_issued": False,
    "channel": "api",
    "currency": "KRW",
    "custom_data": None,
    "customer_uid": None,
    "customer_uid_usage": "payment",
    "deposit_history": [],
    "emb_pg_provider": None,
    "escrow": False,
    "fail_reason": None,
    "failed_at": 0,
    "imp_uid": "imps_123456789012",
    "merchant_uid": None,
    "name": None,
    "paid_at": 1_790_812_802,
    "pay_method": "point",
    "pg_id": "TCSUBSCRIP",
    "pg_provider": "kakaopay",
    "pg_tid": "T5b04e1907c22d9f41b0",
    "promotion": None,
    "receipt_url": "http://127.0.0.1:12345/v1/confirmation/p/T5b04e1907c22d9f41b0/" + 64 * "0",
    "sandbox": True,
    "started_at": 1_790_812_801,
    "status": "paid",
    "user_agent": "bench",
    "vbank_code": None,
    "vbank_date": 0,
    "vbank_holder": None,
    "vbank_issued_at": 0,
    "vbank_name": None,
    "vbank_num": None,
}


@post("/subscribe/payments/again", status_code=200)
async def again(request: Request[Any, Any, Any]) -> Response[bytes]:
    return success(PAYMENT | msgspec.json.decode(await request.body()))


@get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


async def _started() -> None:
    await asyncio.sleep(0)


if __name__ == "__main__":
    app = Litestar(route_handlers=[again, ready], openapi_config=None, logging_config=None)
    serve_until_stopped(server_of(app, "127.0.0.1", int(sys.argv[1])), _started)
