"""Whom a limit by address counts: an address, and the blocks that one customer of a provider may choose it from.

An IPv6 customer has a /64 at least, mostly a /56 and at times a /48 (RIPE-690, 4.2), so somebody with one line has up
to 65,536 networks of 2^64 addresses. An IPv4 customer has one address, or shares it with others; whoever rents a block
has a /24 of them at times.
"""

import ipaddress
from functools import lru_cache

from django.http import HttpRequest

WIDER = {4: ((24, 4),), 6: ((56, 2), (48, 4))}
"""The blocks around an address: their prefix, and how many times what one address may they may together."""


def address(request: HttpRequest) -> str:
    """Whom an address limit counts: the IPv4 address, or the /64 of an IPv6 one. "" on a unix socket.

    It is the connection's address. X-Forwarded-For is not looked at: the server puts the client's address here when
    it is told to stand behind a proxy, and otherwise a client could choose its own.
    """
    return subject_of(request.META.get("REMOTE_ADDR") or "")


@lru_cache(maxsize=4096)
def subject_of(text: str) -> str:
    """`address`, of the connection's address; kept, since to read one takes a dozen calls."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


@lru_cache(maxsize=4096)
def blocks_of(subject: str) -> tuple[tuple[str, int], ...]:
    """An `address` and the blocks around it, each with its factor: `(("192.0.2.7", 1), ("192.0.2.0/24", 4))`."""
    if not subject:
        return ()
    net = ipaddress.ip_network(subject)
    wider = ((str(net.supernet(new_prefix=prefix)), factor) for prefix, factor in WIDER[net.version])
    return ((subject, 1), *wider)


def customer_of(subject: str) -> str:
    """The block that one customer has at the least: the IPv4 address, or the /56 of an IPv6 one."""
    blocks = blocks_of(subject)
    return blocks[1][0] if ":" in subject else subject


def network_of(subject: str) -> str:
    """The widest block: the IPv4 /24, or the IPv6 /48."""
    blocks = blocks_of(subject)
    return blocks[-1][0] if blocks else ""
