"""What a process remembers of those who ask: how often in this minute, and who has proved to be somebody."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from maedal.merchants.addresses import neighbourhood
from maedal.merchants.request_limit import PER_MINUTE, Limited

SUBJECTS_MAX = 20_000
"""Of one kind in one minute; whoever comes when there are so many is counted together with the other latecomers."""
LATECOMERS = ""
LATECOMERS_TIMES = 100
"""How many times the limit of one all the latecomers have together."""
INSIDE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Networks that no buyer of another house comes from. Who does is most likely a proxy that nobody has named."""
INSIDE_TIMES = 20
KNOWN_MAX = 20_000
KNOWN_FOR = timedelta(hours=24)


@dataclass(slots=True)
class Count:
    """Of one subject: what all processes have, as far as it is known here, and how much of it they do not know yet."""

    total: int = 0
    unreported: int = 0
    logged: bool = False
    """Whether it is in the log that the limit was met."""


class RequestLimits:
    """Counts of one minute, and addresses that are known. Bounded, and forgotten with the process."""

    def __init__(self, per_minute: Mapping[Limited, int] = PER_MINUTE, proxies: str = "") -> None:
        self._per_minute = per_minute
        self._proxies = proxies
        self._minute: datetime | None = None
        self._counts: dict[Limited, dict[str, Count]] = {}
        self._known: OrderedDict[str, datetime] = OrderedDict()

    def subject_of(self, address: str | None) -> str | None:
        """Return what is counted for a caller; None for a proxy of ours, which speaks for many."""
        return None if address is None or _is_proxy(address, self._proxies) else neighbourhood(address)

    def limit_of(self, kind: Limited, subject: str) -> int:
        """Return how many requests a minute has for a subject."""
        times = LATECOMERS_TIMES if subject == LATECOMERS else INSIDE_TIMES if _is_inside(subject) else 1
        return self._per_minute[kind] * times

    def count_of(self, kind: Limited, subject: str, minute: datetime) -> tuple[str, Count]:
        """Return the count of this minute that a subject has, or shares with the latecomers."""
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        counts = self._counts.setdefault(kind, {})
        if subject not in counts and len(counts) >= SUBJECTS_MAX:
            subject = LATECOMERS
        return subject, counts.setdefault(subject, Count())

    def remember(self, address: str | None, now: datetime) -> None:
        """Keep that somebody at this address has proved to be a merchant's server, or a buyer who paid.

        Of a proxy of ours nothing is kept: who else comes through it has proved nothing.
        """
        if address is None or _is_proxy(address, self._proxies):
            return
        self._known[address] = now
        self._known.move_to_end(address)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def knows(self, address: str | None, now: datetime) -> bool:
        """Return whether somebody at this address has proved that within a day."""
        at = self._known.get(address or "")
        return at is not None and now - at < KNOWN_FOR


@lru_cache(maxsize=10_000)
def _is_inside(subject: str) -> bool:
    try:
        network = ipaddress.ip_network(subject)
    except ValueError:  # a merchant
        return False
    return any(network.version == one.version and network.subnet_of(one) for one in INSIDE)  # type: ignore[arg-type]


@lru_cache(maxsize=10_000)
def _is_proxy(address: str, proxies: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in ipaddress.ip_network(one) for one in proxies.split(",") if one)
