"""Which addresses may be called."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from maedal.outbound.special_ranges import IPV4, IPV6, IPV6_OF_HOSTS, ISATAP, NAT64

URL_CHARS_MAX = 2000


class AddressRefused(OSError):
    """The address is none that we call for a merchant; the text says why."""


def is_public(ip: str) -> bool:
    """Return whether `ip` is an address that a host of the open internet may have.

    One that is translated for us, or written in IPv6's form, is as public as the IPv4 address in it. Tunnels of earlier
    times are not, whatever they hold.
    """
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in IPV4)
    if int(address) >> 32 & 0xFFFFFFFF in ISATAP:
        return False
    return address in IPV6_OF_HOSTS and not any(address in network for network in IPV6)


def checked(url: str, *, allow_private: bool) -> URL:
    """Return the address to call.

    Raises AddressRefused unless `url` is an http(s) address without user info whose host is not a private literal. It
    is taken apart once, by the client's own parser, and the result is what is called: two parsers may disagree on the
    host, and this one turns digits of other scripts into an address that no resolver ever sees.
    """
    if len(url) > URL_CHARS_MAX:
        raise AddressRefused("the address is too long")
    try:
        parsed = URL(url)
        host = parsed.raw_host
    except (ValueError, UnicodeError) as error:
        raise AddressRefused("the address is malformed") from error
    if parsed.scheme not in {"http", "https"} or not host:
        raise AddressRefused("the address must start with http:// or https://")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise AddressRefused("the address must not carry a user name")
    if allow_private:
        return parsed
    try:
        public = is_public(host)
    except ValueError:
        return parsed  # a name, or a number in some other spelling: judged when it is resolved
    if not public:
        raise AddressRefused("the address is private")
    return parsed


class GuardedResolver(AbstractResolver):
    """Resolves once and hands out public addresses only, so that a name cannot change its answer in between."""

    def __init__(self, *, allow_private: bool) -> None:
        self._inner = ThreadedResolver()
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if self._allow_private:
            return found
        public = [result for result in found if is_public(result["host"])]
        if not public:
            raise AddressRefused("the address is private")
        return public

    async def close(self) -> None:
        await self._inner.close()
