"""How much of everything a connection may have, whatever stands in front of the gateway."""

from __future__ import annotations

import ipaddress
import resource
from dataclasses import dataclass

DESCRIPTORS_WANTED = 65_536
"""Up to so many descriptors a process takes, if it may; no more, for some systems allow a billion."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBounds:
    """Bytes, counts and seconds. What is over one of them is refused before it costs more than that."""

    head_bytes_max: int = 64 * 1024
    """Of a request's line and header fields together."""
    target_bytes_max: int = 32 * 1024
    """Of the address in the request's line. A hundred `imp_uid` of a list take some three thousand."""
    path_escapes_max: int = 1_000
    """Percent escapes before the `?`; a `customer_uid` of 80 Korean letters has 240."""
    query_fields_max: int = 1_000
    short_target_bytes: int = 1_000
    """Up to here an address can have no more of either, and is not looked at."""
    fields_max: int = 100
    """Header fields; a browser behind two proxies sends about thirty."""
    pipelined_max: int = 16
    """Requests that wait on a connection behind the one that is being answered."""
    head_seconds: float = 10.0
    """From the first byte of a head to its last, and from a connection's beginning to its first byte."""
    body_seconds: float = 30.0
    """From the end of a head to the last byte of its body, as far as somebody wants to read it."""
    sending_seconds: float = 30.0
    """How long a client may take next to nothing of an answer."""
    idle_seconds: int = 75
    """How long a connection is kept for a next request."""
    closing_seconds: float = 5.0
    """How long a client may take to see that we have closed, and how long the rest of a refused body is read away."""
    discarded_bytes_max: int = 8 << 20
    """How much of that rest: who closes while more arrives takes the answer from the client."""
    connections_max: int = 2_000
    connections_per_address_max: int = 200
    """A household, an office or a mobile network's gateway is one address."""
    proxies: tuple[_Network, ...] = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1"))
    """Whose connections are many people's: of them no address is counted."""


def networks(addresses: str) -> tuple[_Network, ...]:
    """Return addresses and networks, with commas between, as networks."""
    return tuple(ipaddress.ip_network(one) for one in addresses.split(",") if one)


def raise_descriptor_limit() -> int:
    """Let this process have as many descriptors as it may, and return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # a system that allows less than it says
            pass
    return descriptors()


def descriptors() -> int:
    """Return how many descriptors this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return DESCRIPTORS_WANTED if soft == resource.RLIM_INFINITY else soft


@dataclass(frozen=True, slots=True)
class Shares:
    """How many connections each kind gets, so that all together leave descriptors for the database, files and logs."""

    incoming: int
    pg: int
    webhooks: int


def shares(descriptor_limit: int, *, incoming: int = 0, pg: int = 0, webhooks: int = 0) -> Shares:
    """Return what is wanted, cut down to five sixteenths, a quarter and a quarter of the descriptors there are."""
    return Shares(
        min(incoming, descriptor_limit * 5 // 16), min(pg, descriptor_limit // 4), min(webhooks, descriptor_limit // 4)
    )
