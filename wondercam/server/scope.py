"""A request's ASGI scope, made from its head and its connection's addresses."""

from typing import Any
from urllib.parse import unquote

from wondercam.server.parser import Head
from wondercam.server.proxies import Proxies, scheme, without_forwarding
from wondercam.server.transport import Address

OWN_HEADERS = {b"daphne-root-path"}
"""Headers that instruct Daphne, and are ignored from clients."""


def scope_of(head: Head, peer: Address, host: Address, proxies: Proxies) -> dict[str, Any]:
    """https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope"""
    headers = [header for header in head.headers if b"_" not in header[0] and header[0] not in OWN_HEADERS]
    client, called_with = [*peer], "http"
    if proxies.trusts(peer.host):
        called_with = scheme(headers)
        if (address := proxies.client(peer.host, headers)) != peer.host:
            client = [address, 0]
    else:
        headers = without_forwarding(headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": head.version,
        "method": head.method.decode(),
        "path": unquote(head.path.decode()),
        "raw_path": head.path,
        "root_path": "",
        "scheme": called_with,
        "query_string": head.query,
        "headers": headers,
        "client": client,
        "server": [*host],
    }
