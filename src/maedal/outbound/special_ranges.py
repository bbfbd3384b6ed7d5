"""The ranges of addresses that are none of the open internet's hosts, from IANA's registries.

IPv4 and IPv6 Special-Purpose Address Registry (RFC 6890, RFC 8190; https://www.iana.org/assignments/
iana-ipv4-special-registry and iana-ipv6-special-registry), the IPv6 one as of its update of 2025-10-09, and the IPv6
address space registry, by which only 2000::/3 is handed out to hosts. Our own table and not the language's: that one is
as old as the interpreter. What the registries call globally reachable is in here as well where it is no host that a
merchant could have (anycast of protocols, sinks of DNS), and so is what was retired, because networks may still carry
it somewhere. Held against the registries again when they change; `tests/outbound` has an address of every row.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network (RFC 791)
            "10.0.0.0/8",  # private use (RFC 1918)
            "100.64.0.0/10",  # shared address space of carriers (RFC 6598)
            "127.0.0.0/8",  # loopback (RFC 1122)
            "169.254.0.0/16",  # link local (RFC 3927)
            "172.16.0.0/12",  # private use (RFC 1918)
            "192.0.0.0/24",  # IETF protocol assignments with all within (RFC 6890, 7335, 7600, 7723, 8155, 8880)
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.31.196.0/24",  # AS112, a sink of DNS (RFC 7535)
            "192.52.193.0/24",  # AMT relays (RFC 7450)
            "192.88.99.0/24",  # 6to4 and 6a44 relays, retired (RFC 7526, 6751)
            "192.168.0.0/16",  # private use (RFC 1918)
            "192.175.48.0/24",  # AS112, direct delegation (RFC 7534)
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and limited broadcast (RFC 1112, 8190, 919)
        ),
    )
)

IPV6_OF_HOSTS = IPv6Network("2000::/3")
"""All that is handed out to hosts. Outside it lie loopback, unique local, link local, site local (retired), multicast,
discard and dummy prefixes, SRv6 identifiers, the forms that hold an IPv4 address, and what nobody has yet."""

IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocol assignments with all within: Teredo, benchmarks, AMT, AS112, ORCHID, DRIP …
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4, whose relays are retired (RFC 3056, 7526)
            "2620:4f:8000::/48",  # AS112, direct delegation (RFC 7534)
            "3ffe::/16",  # 6bone, retired (RFC 3701)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as hosts of an IPv6-only network see them (RFC 6052): as public as what they hold. Not so the prefix
for translation within a network, 64:ff9b:1::/48 (RFC 8215): where the address stands in it depends on the network."""

ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""The third of four words of an interface that is reached through the IPv4 address in the last (RFC 5214)."""
