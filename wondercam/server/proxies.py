"""Which address a request came from, when proxies stand in front.

Each proxy appends to X-Forwarded-For the address it was called from; everything further left is
whatever the client wrote. So the list is read from the right, and only as far as it is trusted.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:  # settings are checked by commands, too, which do not need the server
    from wondercam.server.parser import Header


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies in front: how many (`count`), or where they live (`networks`); none by default."""

    count: int = 0
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Proxies":
        """From `2`, or from `10.0.0.0/8, 192.0.2.7`; ImproperlyConfigured names the variable."""
        if text.isdecimal():
            return cls(count=int(text))
        try:
            return cls(networks=tuple(ip_network(item.strip()) for item in text.split(",") if item.strip()))
        except ValueError as wrong:
            raise ImproperlyConfigured(
                f"WONDERCAM_TRUSTED_PROXIES is {text!r} ({wrong}): write their number or their networks."
            ) from None

    def trusts(self, peer: str) -> bool:
        """True when what `peer` says about the client may be believed."""
        if self.count or not self.networks:
            return bool(self.count)
        address = address_of(peer)
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: str, headers: "list[Header]") -> str:
        """The right-most address that no trusted proxy has; `peer` itself when nothing is said."""
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        hops = [hop.strip() for hop in said.split(",") if hop.strip()] + [peer]
        if self.count:
            found = hops[-self.count - 1 :][0]
        else:
            found = next((hop for hop in reversed(hops) if not self.trusts(hop)), hops[0])
        return str(address_of(found) or peer)


NOBODY = Proxies()

WITH_PORT = re.compile(r"\[([0-9a-f:.%\w]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}", re.ASCII | re.IGNORECASE)
"""How gateways such as Azure's write an address with its port: `192.0.2.7:1234`, `[2001:db8::7]:1234`."""


def address_of(hop: str) -> IPv4Address | IPv6Address | None:
    """The address of a hop, without its port and zone, as IPv4 where it is one in IPv6's notation; None for others."""
    if found := WITH_PORT.fullmatch(hop):
        hop = found[1] or found[2]
    try:
        address = ip_address(hop.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def scheme(headers: "list[Header]") -> str:
    """`https` when the last proxy says that it was called over TLS."""
    said = [value for name, value in headers if name == b"x-forwarded-proto"]
    return "https" if said and said[-1].rsplit(b",")[-1].strip().lower() == b"https" else "http"


def without_forwarding(headers: "list[Header]") -> "list[Header]":
    """The headers without those that only a proxy may write."""
    return [header for header in headers if not header[0].startswith((b"x-forwarded-", b"forwarded", b"x-real-ip"))]
