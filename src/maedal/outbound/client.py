"""The guarded client: resolves once, follows nothing, reads little, waits a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Self

import aiohttp

from maedal.flows.services import Answer
from maedal.outbound.addresses import AddressRefused, GuardedResolver, checked

ANSWER_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 400
"""More than a worker's webhooks at once: nobody waits for another's connection while its own time runs."""


class GuardedClient:
    """Posts to addresses that merchants gave us. Use as an async context manager.

    `allow_private` is for development: webhooks to a shop on this machine.
    """

    def __init__(self, *, allow_private: bool, connections_max: int = CONNECTIONS_MAX) -> None:
        self._allow_private = allow_private
        self._connections_max = connections_max
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(allow_private=self._allow_private),
            use_dns_cache=False,
            limit=self._connections_max,
            force_close=True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "maedal-webhook", "Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(
        self,
        url: str,
        media_type: str,
        body: str,
        *,
        connect_timeout: timedelta,
        read_timeout: timedelta,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        assert self._session is not None, "the client is not open"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout.total_seconds())
        try:
            address = checked(url.strip(), allow_private=self._allow_private)
            # One bound on the whole call: a receiver that sends a byte now and then must not hold us.
            async with asyncio.timeout((connect_timeout + read_timeout).total_seconds()):
                async with self._session.post(
                    address,
                    data=body.encode(),
                    headers={**(headers or {}), "Content-Type": media_type},
                    timeout=timeout,
                    allow_redirects=False,
                ) as response:
                    return Answer(response.status, (await _beginning(response)).decode("utf-8", "replace"))
        except AddressRefused as error:
            return Answer(None, str(error), unsent=True)
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, AddressRefused)
            text = str(error.os_error) if refused else "the address could not be reached"
            return Answer(None, text, unsent=True)
        except aiohttp.ConnectionTimeoutError:
            return Answer(None, "no answer in time", unsent=True)
        except TimeoutError:
            return Answer(None, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, f"the call broke ({type(error).__name__})")


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the answer's first bytes; one read gives only what has arrived by then."""
    content = bytearray()
    while len(content) < ANSWER_BYTES_MAX:
        more = await response.content.read(ANSWER_BYTES_MAX - len(content))
        if not more:
            break
        content += more
    return bytes(content)
