"""The corpus of paths that `check_streaming` is tried with: what stands there, and what is to be found.

`BAD` are to be named (the kind of their problem, what the named hop contains), `GOOD` to be let pass.
In an nginx block ORIGIN is WonderCam's address, PORT its own port, INNER a port for a second server block.
"""

import random
from dataclasses import dataclass

from tests.servers import relay
from tests.servers.relay import Way, with_lines, without

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>Sign in</html>"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nServer: Zscaler/6.2\r\nContent-Length: 0\r\n\r\n"

CLOUDFLARE = with_lines("Server: cloudflare", "CF-RAY: 8f1-FRA")
CLOUDFRONT = with_lines("Via: 1.1 abc.cloudfront.net (CloudFront)", "X-Amz-Cf-Id: abc")
GZIP = with_lines("Content-Encoding: gzip")
NEXT = with_lines("X-Powered-By: Next.js")
GATEWAY = with_lines("Via: 1.1 proxy.corp (Zscaler)")


@dataclass(frozen=True)
class Path:
    """One configuration. `kind` is empty where nothing is wrong."""

    name: str
    kind: str
    hop: str
    way: Way | str


def server(inside: str, http: str = "", location: str = "") -> str:
    """One nginx server block in front of WonderCam."""
    return f"{http}\nserver {{ listen 127.0.0.1:PORT; location / {{ proxy_pass ORIGIN; {inside} }} {location} }}"


ASKING_AS_BEFORE = "proxy_http_version 1.0;"
"""The default of nginx before 1.29.7, which buffers. In HTTP/1.1 it passes each chunk on, with buffers or not."""
IGNORING = f"{ASKING_AS_BEFORE} proxy_ignore_headers X-Accel-Buffering;"

CACHE = "proxy_cache_path FOLDER/cache keys_zone=kept:1m;"
CACHED = (
    "proxy_cache kept; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control X-Accel-Buffering; "
    "proxy_http_version 1.1;"
)
TWO = """
server { listen 127.0.0.1:INNER; location / { proxy_pass ORIGIN; %s } }
server { listen 127.0.0.1:PORT; location / { proxy_pass http://127.0.0.1:INNER; %s } }
"""

BAD = [
    Path("512 bytes at a time", "bytes", "512 bytes", Way(relay.pieces(512))),
    Path("1 KiB at a time", "bytes", "1,024 bytes", Way(relay.pieces(1024))),
    Path("2 KiB at a time", "bytes", "2,048 bytes", Way(relay.pieces(2048))),
    Path("a development proxy's 3,027 bytes", "bytes", "3,027", Way(relay.pieces(3027))),
    Path("a Next.js rewrite's 3,027 bytes", "bytes", "Next.js", Way(relay.pieces(3027), response=NEXT)),
    Path("4 KiB at a time", "bytes", "4 KiB", Way(relay.pieces(4096))),
    Path("8 KiB at a time", "bytes", "8 KiB", Way(relay.pieces(8192))),
    Path("16 KiB at a time", "bytes", "16 KiB", Way(relay.pieces(16384))),
    Path("32 KiB at a time", "bytes", "32 KiB", Way(relay.pieces(32768))),
    Path("64 KiB at a time", "bytes", "64 KiB", Way(relay.pieces(65536))),
    Path("the whole body", "whole", "whole body", Way(relay.whole)),
    Path("the whole body, with its length", "whole", "whole body", Way(relay.whole, length=True)),
    Path("a gateway that scans the whole body", "whole", "gateway", Way(relay.whole, response=GATEWAY)),
    Path("Cloudflare, the whole body", "whole", "Cloudflare", Way(relay.whole, response=CLOUDFLARE)),
    Path("every 150 ms", "time", "gathers", Way(relay.every(0.15))),
    Path("every 250 ms", "time", "gathers", Way(relay.every(0.25))),
    Path("a CDN, every 500 ms", "time", "CloudFront", Way(relay.every(0.5), response=CLOUDFRONT)),
    Path("every second", "time", "gathers", Way(relay.every(1.0))),
    Path("the first 1,500 bytes at once", "start", "first bytes", Way(relay.first(1500))),
    Path("gzip that waits", "compression", "compressor", Way(relay.compressed(), response=GZIP)),
    Path(
        "gzip as it comes", "compression", "compressor",
        Way(relay.compressed(flush=True), response=GZIP),
    ),
    Path(
        "deflate as it comes", "compression", "compressor",
        Way(relay.compressed(15, flush=True), response=with_lines("Content-Encoding: deflate")),
    ),
    Path("HTTP/1.0", "http-1.0", "HTTP/1.0", Way(http="1.0")),
    Path("HTTP/1.0 with the whole body", "whole", "whole body", Way(relay.whole, http="1.0", length=True)),
    Path("cut after 1 s of silence", "silence", "timeout", Way(relay.silent_for(1))),
    Path("cut after 2 s of silence", "silence", "timeout", Way(relay.silent_for(2))),
    Path("cut after 1.2 s", "length", "", Way(relay.lasting(1.2))),
    Path("another Content-Type", "content-type", "", Way(response=with_lines("Content-Type: text/plain"))),
    Path("no Content-Type", "content-type", "", Way(response=without("content-type"))),
    Path("no Last-Event-ID", "request-header", "", Way(request=without("last-event-id"))),
    Path("no Authorization", "request-header", "", Way(request=without("authorization"))),
    Path("a cache", "cached", "cache", Way(remembers=True)),
    Path("other words", "changed", "", Way(relay.changed(lambda piece: piece.replace(b"text", b"test")))),
    Path("no line ends", "changed", "", Way(relay.changed(lambda piece: piece.replace(b"\n\n", b"\n")))),
    Path("a sign-in page", "content-type", "", Way(instead=HTML)),
    Path("a bad gateway", "refused", "", Way(instead=BAD_GATEWAY)),
    Path("a gateway that forbids", "refused", "gateway", Way(instead=FORBIDDEN)),
    Path("nginx with its buffers", "bytes", "nginx", server(IGNORING)),
    Path("nginx with 8 KiB", "bytes", "nginx", server(IGNORING + "proxy_buffer_size 8k; proxy_buffers 8 8k;")),
    Path("nginx with 16 KiB", "bytes", "nginx", server(IGNORING + "proxy_buffer_size 16k; proxy_buffers 8 16k;")),
    Path("nginx with 32 KiB", "bytes", "nginx", server(IGNORING + "proxy_buffer_size 32k; proxy_buffers 8 32k;")),
    Path("two nginx, of which the inner one eats the header", "bytes", "nginx", TWO % ("", ASKING_AS_BEFORE)),
    Path("two nginx, of which the outer one ignores it", "bytes", "nginx",
         TWO % ("proxy_pass_header X-Accel-Buffering;", IGNORING)),
    Path("nginx that compresses as it comes", "compression", "nginx",
         server("gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0; proxy_http_version 1.1;")),
    Path("nginx that compresses what it buffers", "compression", "nginx",
         server(IGNORING + "gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;")),
    Path("nginx with a timeout of 1 s", "silence", "nginx", server("proxy_http_version 1.1; proxy_read_timeout 1s;")),
    Path("nginx with a cache", "cached", "nginx", server(CACHED, CACHE)),
    Path("nginx that writes into bodies", "changed", "nginx",
         server("sub_filter text test; sub_filter_once off; sub_filter_types text/event-stream;")),
    Path("nginx without Last-Event-ID", "request-header", "nginx", server('proxy_set_header Last-Event-ID "";')),
    Path("nginx without Authorization", "request-header", "nginx", server('proxy_set_header Authorization "";')),
]  # fmt: skip


def jitter() -> float:
    """A wireless network's: mostly some ms, now and then many."""
    dice = random.random()
    return dice * 0.02 if dice < 0.97 else 0.15


GOOD = [
    Path("a relay", "", "", Way()),
    Path("jitter", "", "", Way(relay.later(jitter))),
    Path("20 ms later", "", "", Way(relay.later(lambda: 0.02))),
    Path("a line of 120 KB a second", "", "", Way(relay.at_rate(120_000))),
    Path("split into 7 bytes", "", "", Way(relay.pieces(7))),
    Path("split into 100 bytes", "", "", Way(relay.pieces(100))),
    Path("other line ends", "", "", Way(relay.changed(lambda piece: piece.replace(b"\n", b"\r\n")))),
    Path("a comment before each event", "", "", Way(relay.changed(lambda piece: b": hop\n" + piece))),
    Path("Cloudflare that passes", "", "", Way(response=CLOUDFLARE)),
    Path("a Via header", "", "", Way(response=with_lines("Via: 1.1 proxy"))),
    Path("without X-Accel-Buffering", "", "", Way(response=without("x-accel-buffering"))),
    Path("charset", "", "", Way(response=with_lines("Content-Type: text/event-stream; charset=utf-8"))),
    Path("a timeout of 20 s", "", "", Way(relay.silent_for(20))),
    Path("nginx as it comes", "", "", server("")),
    Path("nginx with proxy_buffering off", "", "", server(IGNORING + "proxy_buffering off;")),
    Path("nginx asking in HTTP/1.1, with its buffers", "", "", server(IGNORING + "proxy_http_version 1.1;")),
    Path("nginx that keeps connections", "", "", server('proxy_http_version 1.1; proxy_set_header Connection "";')),
    Path("nginx that compresses other types", "", "", server("gzip on; gzip_types application/json;")),
    Path("nginx with a cache that obeys", "", "", server("proxy_cache kept; proxy_cache_valid 200 1m;", CACHE)),
    Path("two nginx, of which the inner one passes the header on", "", "",
         TWO % ("proxy_pass_header X-Accel-Buffering;", "")),
]  # fmt: skip
