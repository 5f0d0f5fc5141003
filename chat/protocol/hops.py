"""Turns the probe's observations into problems in words: which hop delays or changes a stream, and how to fix it.

    observations ──judge──> problems (kind, hop, what was seen, the mend) and notes

A hop is identified by headers that only it writes, or else by what it does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chat.protocol import buffering
from chat.protocol.buffering import Hold, Observation, heard, pattern_of

HOPS = (
    ("Cloudflare", r"^(cf-ray|cf-cache-status):|^server: cloudflare"),
    ("CloudFront", r"^x-amz-cf-|^via: .*cloudfront"),
    ("Fastly", r"^x-served-by: cache-|^x-fastly"),
    ("Akamai", r"^server: akamai|^x-akamai"),
    ("a Next.js server", r"^x-powered-by: next\.js|^x-nextjs"),
    ("an Express server", r"^x-powered-by: express"),
    ("IIS", r"^server: microsoft-iis|^x-powered-by: arr"),
    ("a secure web gateway", r"^(via|server|x-[a-z-]+): .*(zscaler|bluecoat|symantec|forcepoint|sophos|mcafee)"),
    ("Varnish", r"^x-varnish:|^via: .*varnish"),
    ("Squid", r"^(via|x-cache|x-cache-lookup|x-squid-error|cache-status|server): .*squid"),
    ("Caddy", r"^(server|via): .*caddy"),
    ("Envoy", r"^server: envoy|^x-envoy"),
    ("Traefik", r"^server: traefik"),
    ("Apache", r"^server: apache|^via: .*apache"),
    ("lighttpd", r"^server: lighttpd"),
    ("nginx", r"^server: (nginx|openresty)"),
)
"""Hops, outer ones first, each with a pattern of a header line that only it writes."""

HOLDS = {
    buffering.WHOLE: "everything arrived at once, at the end of the answer",
    buffering.BYTES: "events arrived in pieces of about {bytes:,} bytes",
    buffering.TIME: "events arrived in pieces, one every {every_ms:,} ms",
    buffering.START: "the first {bytes:,} bytes arrived in one piece, the rest as it was sent",
    buffering.CACHED: "events arrived before they were sent: this is a cached answer",
}

CORKED = "corked"
CORK_MS = range(190, 271)
"""Linux holds data sent with MSG_MORE for 200 ms; by the next event it has been sent."""

KINDS = {
    buffering.WHOLE: "a hop that reads the whole body before it forwards it (a virus scanner, a gateway, a cache)",
    buffering.TIME: "a hop that collects events for a time (a CDN or a load balancer)",
    buffering.START: "a hop that holds the first bytes (a content filter)",
    CORKED: "a hop that waits for full packets (HAProxy without `option http-no-delay`)",
    buffering.CACHED: "a cache",
}

BUFFERS = (
    (3027, 3027, "a development proxy with pieces of 3,027 bytes (Next.js rewrites)"),
    (3800, 4160, "a proxy with a buffer of 4 KiB (nginx's default)"),
    (7700, 8260, "a proxy with a buffer of 8 KiB (nginx, Apache, Java)"),
    (15700, 16500, "a proxy with a buffer of 16 KiB (HAProxy, Varnish, a TLS record)"),
    (31000, 33000, "a proxy with a buffer of 32 KiB"),
    (63000, 66000, "a proxy with a buffer of 64 KiB (Squid, a CDN)"),
)

MENDS = {
    "nginx": (
        "In nginx's location: `proxy_http_version 1.1;`, `proxy_buffering off;`, `gzip off;`, and no "
        "X-Accel-Buffering in `proxy_ignore_headers`. If there are two nginx, the inner one drops that header: give it "
        "`proxy_pass_header X-Accel-Buffering;` (deploy/nginx.conf)."
    ),
    "Apache": "In Apache: `ProxyPass … flushpackets=on`, and `SetEnv no-gzip 1` and no output filter for /v2/.",
    "lighttpd": "In lighttpd: `server.stream-response-body = 2`; otherwise it reads the whole answer first.",
    "HAProxy": "In HAProxy: no `http-response wait-for-body` and no `compression` for /v2/.",
    "Varnish": "In Varnish: `return (pass)` for /v2/, `set beresp.do_stream = true;`, no `do_gzip`, no `do_esi`.",
    "Squid": "In Squid: `cache deny` for this site, no `icap_service` or `ecap_service` on it, no `delay_pools`.",
    "Cloudflare": "At Cloudflare: the cache rule `Bypass cache` for /v2/, and no compression rule or app on it.",
    "CloudFront": "At CloudFront: the policy `CachingDisabled` for /v2/, and `Compress objects` off.",
    "a Next.js server": "Let the page call WonderCam without rewrites: CORS_ALLOWED_ORIGINS names its origin.",
    "an Express server": "Exclude /v2/ from `compression()`, and forward WonderCam's response chunk by chunk.",
    "IIS": 'In IIS with ARR: `responseBufferLimit="0"`, and dynamic compression off for text/event-stream.',
}

MENDS_OF_KINDS = {
    buffering.WHOLE: "Exclude /v2/, or text/event-stream, from its scan or cache; until then the page polls.",
    buffering.BYTES: "Turn response buffering off for /v2/, or let clients reach WonderCam without it.",
    buffering.TIME: "Turn off its buffering or packet coalescing for /v2/ (HAProxy: `option http-no-delay`).",
    buffering.START: "Exclude /v2/ from its inspection (HAProxy: no `http-response wait-for-body`).",
    buffering.CACHED: "Turn off its cache for /v2/: answers say `Cache-Control: no-cache, no-transform`.",
    "compression": "Exclude `text/event-stream` from its compression: answers say `no-transform`.",
    "http-1.0": "Let it speak HTTP/1.1 to clients: with HTTP/1.0 the end of an answer looks like a lost connection.",
    "silence": "Raise its read timeout to 60 s (nginx `proxy_read_timeout`, HAProxy `timeout server`, Apache "
    "`ProxyTimeout`): a stream sends a byte every 15 s at least.",
    "length": "Raise its limit for the duration of a response: an answer may stream for five minutes.",
    "changed": "Turn off everything on it that rewrites bodies (`sub_filter`, minifiers, injected scripts).",
    "content-type": "Let it forward `Content-Type: text/event-stream`: an EventSource refuses anything else.",
    "request-header": "Let it forward `Last-Event-ID` and `Authorization`: readers need them to resume and to "
    "authenticate (Squid: `cache_peer … login=PASSTHRU`).",
    "refused": "Use the address of the site itself, such as https://chat.example.com, and look at that server's log.",
    "unreachable": "Check the address, the name and the certificate, and whether the server runs.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference from what was sent: its kind, the hop if known, what was seen, and how to fix it."""

    kind: str
    hop: str
    seen: str
    mend: str


@dataclass(slots=True)
class PathVerdict:
    """The result for a path. `is_good`: events arrive as sent."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"good": self.is_good, "problems": [asdict(problem) for problem in self.problems], "notes": self.notes}


def judge(seen: Sequence[Observation], again: Sequence[Observation] = ()) -> PathVerdict:
    """The problems of a path. A hold counts only if it shows `again`, in the repetition of its runs."""
    verdict = PathVerdict()
    kinds: set[str] = set()
    for problem in _problems(seen, again):
        if problem.kind not in kinds:
            kinds.add(problem.kind)
            verdict.problems.append(problem)
    verdict.notes = list(dict.fromkeys(_notes(seen)))
    return verdict


def nothing_there(why: str) -> PathVerdict:
    """The verdict for an address where nothing answers: there is no path, and no hop to name."""
    return PathVerdict([Problem("unreachable", "", why, MENDS_OF_KINDS["unreachable"])])


def suspicious(seen: Iterable[Observation]) -> bool:
    """Whether there seems to be a hold, which a repetition has to confirm."""
    return any(_hold(group) for _, group in _groups(seen))


def _problems(seen: Sequence[Observation], again: Sequence[Observation]) -> Iterator[Problem]:
    if failed := [run for run in seen if run.status != 200 or not run.reads]:
        yield _failure(failed[0])
    answered = [run for run in seen if run.status == 200]
    confirming = dict(_groups(again))
    for key, group in _groups(answered):
        if _hold(group) and (hold := _hold(confirming.get(key, group))):
            yield _of_hold(hold, group[0])
    for run in answered:
        yield from _of_head(run)
        yield from _of_body(run)


def _groups(seen: Iterable[Observation]) -> Iterator[tuple[tuple[str, str], list[Observation]]]:
    """Runs that differ only in the size of their events. Runs of a few events measure silence: they are left out."""
    groups: dict[tuple[str, str], list[Observation]] = {}
    for run in seen:
        if run.status == 200 and run.plan.events > buffering.BEGINNING:
            groups.setdefault((run.plan.http, run.headers.get("content-encoding", "")), []).append(run)
    yield from groups.items()


def _hold(group: Sequence[Observation]) -> Hold | None:
    return buffering.hold_of([pattern for run in group if (pattern := pattern_of(run))])


def hop_of(headers: dict[str, str]) -> str:
    """The hop that wrote these headers; "" if none is recognised."""
    lines = [f"{name}: {value}".lower() for name, value in headers.items()]
    return next((hop for hop, mark in HOPS if any(re.search(mark, line) for line in lines)), "")


def _problem(kind: str, seen: str, run: Observation, by_kind: str = "a hop that says nothing about itself") -> Problem:
    hop = hop_of(run.headers)
    mend = MENDS.get(hop) if kind in HOLDS or kind == "compression" else None
    return Problem(kind, hop or by_kind, seen, mend or MENDS_OF_KINDS[kind])


def _of_hold(hold: Hold, run: Observation) -> Problem:
    found = HOLDS[hold.kind].format(bytes=hold.bytes, every_ms=hold.every_ms)
    held = "" if hold.kind == buffering.CACHED else f"; the longest was held for {hold.held_ms:,.0f} ms"
    if encoding := run.headers.get("content-encoding"):
        return _problem("compression", f"{found}{held}, compressed by {encoding}", run, "a compressor")
    kind = CORKED if hold.kind == buffering.TIME and hold.every_ms in CORK_MS else hold.kind
    return _problem(hold.kind, f"{found}{held}", run, KINDS.get(kind) or _buffer_of(hold.bytes))


def _buffer_of(size: int) -> str:
    named = (name for least, most, name in BUFFERS if least <= size <= most)
    return next(named, f"a proxy with pieces of {size:,} bytes")


def _failure(run: Observation) -> Problem:
    if not run.status:
        return _problem("unreachable", run.error or "no answer came", run)
    if run.status == 504 or (run.status == 200 and run.plan.events <= buffering.BEGINNING):
        return _problem("silence", f"{run.plan}: the answer was {run.status} after {run.ended_ms / 1000:.1f} s", run)
    return _problem("refused", f"the answer to {run.plan} was {run.status}", run)


def _of_head(run: Observation) -> Iterator[Problem]:
    type = run.headers.get("content-type", "")
    if type.split(";")[0].strip().lower() != "text/event-stream":
        yield _problem("content-type", f"Content-Type is {type!r}", run)
    if run.http == "1.0":
        yield _problem("http-1.0", "the answer is HTTP/1.0", run, "an HTTP/1.0 proxy")
    if encoding := run.headers.get("content-encoding"):
        yield _problem("compression", f"Content-Encoding is {encoding!r}", run, "a compressor")
    request = heard(run).request
    if lost := [name for name in ("last-event-id", "authorization") if request and not request.get(name)]:
        yield _problem("request-header", f"{' and '.join(lost)} did not reach the server", run)


def _of_body(run: Observation) -> Iterator[Problem]:
    found = heard(run)
    silent = run.ended_ms - (run.reads[-1].ms if run.reads else 0)
    if found.fault or not found.arrivals:
        yield _problem("changed", found.fault or "no event of the probe arrived", run)
    elif not found.done and silent > max(run.plan.gap * 0.2, 500):
        yield _problem("silence", f"cut after {silent / 1000:.1f} s of silence", run, "a hop with a timeout")
    elif not found.done:
        yield _problem("length", f"cut after {run.ended_ms / 1000:.1f} s, in the middle of events", run)


def _notes(seen: Sequence[Observation]) -> Iterator[str]:
    for run in seen:
        if run.status != 200:
            continue
        if hop := hop_of(run.headers):
            yield f"{hop} is on the path."
        if "x-accel-buffering" not in run.headers:
            yield "X-Accel-Buffering does not arrive: an nginx removed it, and one in front of it would hold events."
        if "no-transform" not in run.headers.get("cache-control", ""):
            yield f"Cache-Control arrived as {run.headers.get('cache-control')!r}, sent as 'no-cache, no-transform'."
        if "content-length" in run.headers:
            yield "A Content-Length was added: a hop had read the whole body first."
        if heard(run).request.get("http") == "1.0":
            yield "Requests reach the server as HTTP/1.0 (nginx: `proxy_http_version 1.1;`)."
