"""The subjects of rates by address: the address, and the blocks of addresses that one customer may own.

An IPv6 customer has at least a /64, usually a /56 and sometimes a /48 (RIPE-690, 4.2): up to 65,536 networks of 2^64
addresses on one line. An IPv4 customer has one address, or shares one; a customer who rents a block may have a /24.
"""

import ipaddress
from functools import lru_cache

from django.http import HttpRequest

WIDER = {4: ((24, 4),), 6: ((56, 2), (48, 4))}
"""By IP version, the blocks around an address: (prefix length, factor). A block's quota is the address's times that."""


def address(request: HttpRequest) -> str:
    """Return the client's IPv4 address, or the /64 of its IPv6 address; "" on a Unix socket.

    It comes from REMOTE_ADDR, not from X-Forwarded-For, which any client can send: the server sets REMOTE_ADDR to the
    client's address if it is configured to run behind a proxy.
    """
    return subject_of(request.META.get("REMOTE_ADDR") or "")


@lru_cache(maxsize=4096)
def subject_of(text: str) -> str:
    """Return the `address` for a REMOTE_ADDR. Cached, because parsing takes a dozen calls."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


@lru_cache(maxsize=4096)
def blocks_of(subject: str) -> tuple[tuple[str, int], ...]:
    """Return an `address` and the blocks around it with their factors: `(("192.0.2.7", 1), ("192.0.2.0/24", 4))`."""
    if not subject:
        return ()
    net = ipaddress.ip_network(subject)
    wider = ((str(net.supernet(new_prefix=prefix)), factor) for prefix, factor in WIDER[net.version])
    return ((subject, 1), *wider)


def customer_of(subject: str) -> str:
    """Return the block that is counted as one customer: the IPv4 address, or the /56 of an IPv6 address."""
    blocks = blocks_of(subject)
    return blocks[1][0] if ":" in subject else subject


def network_of(subject: str) -> str:
    """Return the widest block around an `address`: the IPv4 /24, or the IPv6 /48."""
    blocks = blocks_of(subject)
    return blocks[-1][0] if blocks else ""
