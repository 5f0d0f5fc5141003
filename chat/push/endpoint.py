"""Which addresses a message is sent to. A browser names its push service, so whoever has an account may name any.

Only https on its own port, by a name; and only where all that the name stands for is public. That is looked at as the
connection is made, so that a name cannot become another in between.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from chat.protocol.errors import InvalidArgument

LONGEST = 2000
REFUSED = "The endpoint is no push service: it must be an https address with a name, on port 443."

NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check(endpoint: str) -> None:
    """InvalidArgument unless it can be the address of a push service."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidArgument(REFUSED) from None
    is_plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint and "\\" not in endpoint
    is_named = "." in host.strip(".") and not host.rstrip(".")[-1].isdigit() and ":" not in host
    if not (
        is_plain
        and is_named
        and len(endpoint) <= LONGEST
        and parts.scheme == "https"
        and port in (None, 443)
        and "@" not in parts.netloc
        and not parts.fragment
    ):
        raise InvalidArgument(REFUSED)


def is_public(text: str) -> bool:
    """Whether an address is one of the internet, also where it carries one of IPv4 in it."""
    address = ipaddress.ip_address(text)
    return all(found.is_global and not found.is_multicast for found in (address, *carried(address)))


def carried(address: Address) -> list[Address]:
    """The addresses of IPv4 that this one of IPv6 leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


class PublicResolver(AbstractResolver):
    """Names to addresses, none of which may be of a network of one's own."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Its addresses; OSError where one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(each["host"].partition("%")[0]) for each in found):
            raise OSError("the name stands for an address that is not public")
        return found

    async def close(self) -> None:
        """As of any resolver."""
        await self._resolver.close()
