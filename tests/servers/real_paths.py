"""The corpus of paths through real proxies, for `make soak`: HAProxy, Apache, Varnish, Squid, Caddy and lighttpd, each
as it comes and with what its users set. `kind` and `hop` are as in `paths.py`; HAProxy writes no header that names it.
"""

from dataclasses import dataclass

from tests.servers.proxies import APACHE, CADDY, HAPROXY, LIGHTTPD, SQUID, VARNISH


@dataclass(frozen=True)
class RealPath:
    """One configuration of a proxy. `tls`: it is asked by HTTPS, over HTTP/2 too."""

    name: str
    kind: str
    hop: str
    proxy: str
    block: str
    tls: bool = False


def haproxy(name: str, kind: str, hop: str = "", tls: bool = False, **given: str) -> RealPath:
    """HAProxy with lines in its sections."""
    lines = {
        "defaults": "option http-no-delay",
        "frontend": "",
        "backend": "",
        "bind": "ssl crt FOLDER/both.pem alpn h2,http/1.1" if tls else "",
    }
    return RealPath(f"HAProxy {name}", kind, hop, "HAProxy", HAPROXY.format(**lines | given), tls)


def apache(name: str, kind: str, inside: str = "", options: str = "") -> RealPath:
    """Apache with its mod_proxy."""
    return RealPath(f"Apache {name}", kind, "Apache", "Apache", APACHE.format(inside=inside, options=options))


def varnish(name: str, kind: str, recv: str = "", response: str = "", idle: str = "60s") -> RealPath:
    """Varnish with lines in its subroutines."""
    block = VARNISH.format(recv=recv, response=response, idle=idle)
    return RealPath(f"Varnish {name}", kind, "Varnish", "Varnish", block)


def squid(name: str, kind: str, inside: str = "", peer: str = "login=PASSTHRU") -> RealPath:
    """Squid as an accelerator."""
    return RealPath(f"Squid {name}", kind, "Squid", "Squid", SQUID.format(inside=inside, peer=peer))


def caddy(name: str, kind: str, inside: str = "reverse_proxy ORIGIN", tls: bool = False) -> RealPath:
    """Caddy with its reverse_proxy."""
    site, options = ("https://localhost:PORT", "") if tls else ("http://127.0.0.1:PORT", "")
    inside = f"tls FOLDER/fullchain.pem FOLDER/privkey.pem\n{inside}" if tls else inside
    return RealPath(
        f"Caddy {name}", kind, "Caddy", "Caddy", CADDY.format(site=site, options=options, inside=inside), tls
    )


def lighttpd(name: str, kind: str, inside: str = "") -> RealPath:
    """lighttpd with its mod_proxy."""
    return RealPath(f"lighttpd {name}", kind, "lighttpd", "lighttpd", LIGHTTPD.format(inside=inside))


DEFLATED = 'deflate.mimetypes = ("text/event-stream")\ndeflate.allowed-encodings = ("gzip")'
STREAMED = "server.stream-response-body = 2\n"
CACHED = "set beresp.ttl = 60s; unset beresp.http.Cache-Control; return (deliver);"

WAIT = "http-response wait-for-body time 10s"

REAL_BAD = [
    haproxy("as it comes", "time", "HAProxy", defaults=""),
    haproxy("that waits for the body", "whole", "whole", backend=WAIT),
    haproxy("that waits for the first 4 KiB", "start", "first", backend=f"{WAIT} at-least 4096"),
    haproxy("with a timeout of 1 s", "silence", "timeout", backend="timeout server 1s"),
    haproxy("without Last-Event-ID", "request-header", frontend="http-request del-header Last-Event-ID"),
    haproxy("without Authorization", "request-header", frontend="http-request del-header Authorization"),
    haproxy("with another Content-Type", "content-type", backend="http-response set-header Content-Type text/plain"),
    haproxy("over TLS that waits for the body", "whole", "whole", tls=True, backend=WAIT),
    haproxy("over TLS with a timeout of 1 s", "silence", tls=True, backend="timeout server 1s"),
    apache("that compresses", "compression", "SetOutputFilter DEFLATE"),
    apache("with a timeout of 1 s", "silence", "ProxyTimeout 1"),
    apache("that rewrites bodies", "changed", 'SetOutputFilter SUBSTITUTE\nSubstitute "s/text/test/"'),
    apache("without Last-Event-ID", "request-header", "RequestHeader unset Last-Event-ID"),
    apache("answering in HTTP/1.0", "http-1.0", "SetEnv force-response-1.0 1\nSetEnv downgrade-1.0 1"),
    varnish("that does not stream", "whole", "return (pass);", "set beresp.do_stream = false;"),
    varnish(
        "that caches", "cached", "unset req.http.Authorization; unset req.http.Cache-Control; return (hash);", CACHED
    ),
    varnish("that compresses", "compression", "return (pass);", "set beresp.do_gzip = true;"),
    varnish("with a timeout of 1 s", "silence", "return (pass);", idle="1s"),
    varnish("without Authorization", "request-header", "unset req.http.Authorization; return (pass);"),
    squid("as it comes", "request-header", peer=""),
    squid("with a timeout of 2 s", "silence", "cache deny all\nread_timeout 2 seconds"),
    squid("without Last-Event-ID", "request-header", "request_header_access Last-Event-ID deny all"),
    caddy("that buffers", "whole", "reverse_proxy ORIGIN {\nbuffer_responses\n}"),
    caddy("with a timeout of 1 s", "silence", "reverse_proxy ORIGIN {\ntransport http {\nread_timeout 1s\n}\n}"),
    caddy("without Last-Event-ID", "request-header", "reverse_proxy ORIGIN {\nheader_up -Last-Event-ID\n}"),
    caddy("over TLS that buffers", "whole", "reverse_proxy ORIGIN {\nbuffer_responses\n}", tls=True),
    lighttpd("as it comes", "whole"),
]

REAL_GOOD = [
    haproxy("with http-no-delay", ""),
    haproxy("over TLS", "", tls=True),
    haproxy("that compresses what may be", "", frontend="compression algo gzip\ncompression type text/event-stream"),
    apache("as it comes", ""),
    apache("with flushpackets", "", options="flushpackets=on"),
    apache("with mod_buffer", "", "<Location />\nSetOutputFilter BUFFER\nBufferSize 1048576\n</Location>"),
    varnish("as it comes", ""),
    varnish("that passes", "", "return (pass);"),
    squid("that passes Authorization on", ""),
    squid("without a cache", "", "cache deny all"),
    caddy("as it comes", ""),
    caddy("over TLS", "", tls=True),
    caddy("with an interval of its own", "", "reverse_proxy ORIGIN {\nflush_interval 500ms\n}"),
    caddy("that compresses what may be", "", "encode gzip\nreverse_proxy ORIGIN"),
    lighttpd("that streams", "", STREAMED),
    lighttpd("that compresses what may be", "", STREAMED + DEFLATED),
]
