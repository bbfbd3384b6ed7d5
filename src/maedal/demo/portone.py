"""PortOne V1's REST API, as much of it as a small shop needs. Copy this file: it knows nothing of the shop.

Source: docs/wire/portone-v1-rest.md sections 1, 2, 4.2, 4.3, 4.5 and 4.6.

    PortOneError
      NotSent      the server was not reached: nothing happened there
      NoAnswer     something was sent and no readable answer came: anything may have happened there
      Refused      the server answered with a code other than 0
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import aiohttp

Json = dict[str, Any]


class PortOneError(Exception):
    """A call without a result."""


class NotSent(PortOneError):
    """The server was not reached, so nothing happened there."""


class NoAnswer(PortOneError):
    """The call was sent and no readable answer came. After a charge: look it up, never repeat it."""


class Refused(PortOneError):
    """The server answered with a code other than 0; `message` is its sentence."""

    def __init__(self, http_status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.http_status, self.code, self.message = http_status, code, message


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what came of it, for whoever listens (`on_call`). Holds secrets: mask before showing."""

    method: str
    url: str
    headers: dict[str, str]
    body: Json | None
    status: int | None
    answer: Any
    seconds: float


class PortOne:
    """`async with PortOne(url, key, secret) as portone:` and then one method for each question."""

    def __init__(
        self,
        url: str,
        api_key: str,
        api_secret: str,
        on_call: Callable[[Call], None] = lambda _call: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._key, self._secret = url.rstrip("/"), api_key, api_secret
        self._on_call, self._now = on_call, now
        self._token, self._token_good_until = "", 0.0

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def payment(self, imp_uid: str) -> Json | None:
        """One payment, or None. Payments of test channels are shown only when asked for."""
        return await self._look_up(f"/payments/{quote(imp_uid, safe='')}?include_sandbox=true")

    async def payment_of_order(self, merchant_uid: str) -> Json | None:
        """The latest payment of one of our orders, or None."""
        return await self._look_up(f"/payments/find/{quote(merchant_uid, safe='')}")

    async def again(self, charge: Json) -> Json:
        """Charge a billing key. A declined charge is a result too: look at `status` and `fail_reason`."""
        # The server may spend a while finding out what became of a charge: give it the time.
        return await self._ask("POST", "/subscribe/payments/again", charge, timeout_seconds=60)

    async def cancel(self, imp_uid: str, reason: str) -> Json:
        return await self._ask("POST", "/payments/cancel", {"imp_uid": imp_uid, "reason": reason})

    async def schedule(self, customer_uid: str, charge: Json) -> None:
        """Plan a charge of a billing key: `merchant_uid`, `schedule_at` (Unix seconds), `amount`, `name` and so on."""
        await self._ask("POST", "/subscribe/payments/schedule", {"customer_uid": customer_uid, "schedules": [charge]})

    async def unschedule(self, customer_uid: str, merchant_uid: str) -> None:
        """Take a scheduled charge back."""
        body = {"customer_uid": customer_uid, "merchant_uid": merchant_uid}
        await self._ask("POST", "/subscribe/payments/unschedule", body)

    async def planned(self, merchant_uid: str) -> Json | None:
        """A scheduled charge, or None."""
        return await self._look_up(f"/subscribe/payments/schedule/{quote(merchant_uid, safe='')}")

    async def customer(self, customer_uid: str) -> Json:
        return await self._ask("GET", f"/subscribe/customers/{quote(customer_uid, safe='')}")

    async def delete_customer(self, customer_uid: str) -> Json:
        """End a billing key for good."""
        return await self._ask("DELETE", f"/subscribe/customers/{quote(customer_uid, safe='')}")

    async def _look_up(self, path: str) -> Json | None:
        try:
            return await self._ask("GET", path)
        except Refused as refusal:
            if refusal.http_status == 404:
                return None
            raise

    async def _ask(self, method: str, path: str, body: Json | None = None, timeout_seconds: float = 15) -> Json:
        """Ask with a token. A 401 is answered before anything is done, so asking once more is safe."""
        for last_try in (False, True):
            if self._now() > self._token_good_until:
                await self._get_token()
            try:
                return await self._send(method, path, body, f"Bearer {self._token}", timeout_seconds)
            except Refused as refusal:
                if refusal.http_status != 401 or last_try:
                    raise
                self._token_good_until = 0.0
        raise AssertionError("unreachable: the last try returns or raises")

    async def _get_token(self) -> None:
        grant = await self._send("POST", "/users/getToken", {"imp_key": self._key, "imp_secret": self._secret})
        self._token = str(grant["access_token"])
        self._token_good_until = self._now() + int(grant["expired_at"]) - int(grant["now"]) - 60

    async def _send(
        self, method: str, path: str, body: Json | None, authorization: str = "", timeout_seconds: float = 15
    ) -> Json:
        headers = {"Authorization": authorization} if authorization else {}
        status: int | None = None
        answer: Any = None
        started = time.perf_counter()
        try:
            async with self._http.request(
                method,
                self._url + path,
                json=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=5),
            ) as reply:
                status = reply.status
                answer = await reply.json(content_type=None)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            answer = f"{type(error).__name__}: {error}"
            raise NotSent(answer) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            answer = f"{type(error).__name__}: {error}"
            raise NoAnswer(answer) from error
        finally:
            seconds = time.perf_counter() - started
            self._on_call(Call(method, self._url + path, headers, body, status, answer, seconds))
        match answer:
            case {"code": 0, "response": dict(response)}:
                return response
            case {"code": 0, "response": list(several)}:  # of calls that do several things at once
                return {"list": several}
            case {"code": int(code), "message": str(message)} if code != 0:
                raise Refused(status, code, message)
        raise NoAnswer(f"HTTP {status}, and no PortOne answer in it")
