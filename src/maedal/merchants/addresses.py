"""Addresses that a merchant's servers call from: the list of those that may, and what counts as one caller."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from maedal.payments.errors import InvalidParameter

ADDRESSES_MAX = 100
MEMO_CHARS_MAX = 100

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAPPED_BITS = 96
"""So many leading bits of an IPv6 address say that the rest is an IPv4 one."""


@dataclass(frozen=True, slots=True)
class AllowedAddress:
    """A network that may call the REST API in the merchant's name, in CIDR form, and what it is for."""

    network: str
    memo: str
    added_at: datetime
    added_by: str


def read_network(text: str) -> str:
    """Return an address or a network in CIDR form as it is kept: `203.0.113.7/32`. Raises InvalidParameter."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise InvalidParameter(
            "network", f"{text[:60]!r} is no IP address or network; 203.0.113.7 or 2001:db8::/48 is expected"
        ) from error
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        inside = network.network_address.ipv4_mapped
        if inside is not None:
            network = ipaddress.ip_network((inside, network.prefixlen - _MAPPED_BITS))
    if network.prefixlen == 0:
        raise InvalidParameter("network", f"{network} is every address there is; an empty list says the same")
    return str(network)


def read_memo(text: str) -> str:
    """Return a memo as it is kept. Raises InvalidParameter."""
    memo = " ".join(text.split())
    if len(memo) > MEMO_CHARS_MAX or not memo.isprintable():
        raise InvalidParameter("memo", f"a memo has at most {MEMO_CHARS_MAX} printable characters")
    return memo


def allows(allowed: Sequence[AllowedAddress], address: str | None) -> bool:
    """Return whether a caller at `address` may call.

    An empty list lets everybody in; any other keeps out whoever's address is not known.
    """
    if not allowed:
        return True
    ip = _ip(address)
    return ip is not None and any(ip in _network(one.network) for one in allowed)


def neighbourhood(address: str) -> str:
    """Return what one customer of a network has: an IPv4 address, or a whole /64 of IPv6."""
    ip = _ip(address)
    if ip is None:
        return address
    return str(ip) if isinstance(ip, ipaddress.IPv4Address) else str(ipaddress.ip_network((ip, 64), strict=False))


def _ip(address: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # What follows a % names an interface of this machine and says nothing of the caller.
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


@lru_cache(maxsize=10_000)
def _network(text: str) -> _Network:
    return ipaddress.ip_network(text)
