"""Checks whether events arrive as they are sent, through all proxies between this client and the server."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError, CommandParser

from chat.management import arguments, probing
from chat.management.filters import Filter
from chat.protocol import hops
from chat.protocol.buffering import Observation, Plan, heard, pattern_of
from chat.protocol.hops import PathVerdict

SIZES = (0, 700, 4_000)
"""Padding of events, in bytes: a buffer of 4 KiB shows with the first two, one of 64 KiB with the last."""

PLANS = tuple(Plan(size=size) for size in SIZES)
COMPRESSED = Plan(compressed=True)
IDLE = 7


class Command(Filter):
    """`check_streaming`: runs the probe in several sizes, by HTTP/1.1 and HTTP/2, with and without accepting
    compression. The exit status is 1 if a problem was found."""

    help = (
        "Run the probe through whatever stands between here and the server, and say whether events arrive as sent. "
        "Where they do not, the hop and the mend are named, and the exit status is 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the site, the credentials and the format of the output."""
        parser.add_argument(
            "url",
            type=arguments.site,
            metavar="URL",
            help="the site as readers see it, such as https://chat.example.com",
        )
        parser.add_argument("--token", default="", help="sent as a Bearer token, for a gateway that asks for one")
        parser.add_argument(
            "--idle", type=arguments.count, default=IDLE, metavar="SECONDS", help=f"a silence to try ({IDLE})"
        )
        parser.add_argument("--ca", metavar="FILE", help="a certificate authority to trust besides the system's")
        parser.add_argument("--json", action="store_true", help="print the verdict and every run as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the probes, and print the verdict."""
        try:
            address = probing.ProbedSite(options["url"], options["token"], options["ca"] or "")
        except OSError as wrong:
            raise CommandError(f"{options['ca']} holds no certificate that can be read: {wrong.strerror}.") from None
        if why := async_to_sync(probing.unreachable)(address):
            if options["json"]:
                self.put(as_json([], hops.nothing_there(why)))
            raise CommandError(f"Nothing answers: {why}")
        seen, verdict = async_to_sync(check)(address, (*PLANS, COMPRESSED, Plan(2, min(options["idle"], 20) * 1000)))
        self.put(as_json(seen, verdict) if options["json"] else as_text(seen, verdict))
        if not verdict.is_good:
            raise SystemExit(1)


async def check(address: probing.ProbedSite, plans: Sequence[Plan]) -> tuple[list[Observation], PathVerdict]:
    """Run all plans concurrently, also by HTTP/2 if the site supports it, and again if some events were held."""
    if await probing.offers_http2(address):
        plans = [*plans, *(Plan(plan.events, plan.gap, plan.size, "2") for plan in PLANS if plan in plans)]
    paced = [plan for plan in plans if plan.events > 2]
    idle = [plan for plan in plans if plan not in paced]
    silent = asyncio.create_task(_run(address, idle))
    seen = await _run(address, paced)
    seen += await _run(address, paced[:1])  # the same URL again: only a second request can reveal a cache
    again = await _run(address, paced) if hops.suspicious(seen) else []
    seen += await silent
    return seen, hops.judge(seen, again)


async def _run(address: probing.ProbedSite, plans: Sequence[Plan]) -> list[Observation]:
    return list(await asyncio.gather(*(probing.observe(address, plan) for plan in plans)))


def as_json(seen: Sequence[Observation], verdict: PathVerdict) -> str:
    """Return the verdict and each run's measurements as JSON."""
    return json.dumps({**verdict.as_json(), "runs": [_described(run) for run in seen]}, indent=2) + "\n"


def _described(run: Observation) -> dict[str, Any]:
    found, pattern = heard(run), pattern_of(run)
    measured = {
        "first_event_ms": round(found.arrivals[0].ms, 1) if found.arrivals else None,
        "held_ms": round(pattern.held_ms, 1) if pattern else None,
        "together": round(pattern.together, 3) if pattern else None,
        "bursts": [{"ms": round(burst.ms, 1), "bytes": burst.bytes} for burst in pattern.bursts] if pattern else [],
    }
    answered = {"status": run.status, "http": run.http, "headers": run.headers, "error": run.error}
    return {"run": str(run.plan), **answered, "events": len(found.arrivals), "done": found.done, **measured}


def as_text(seen: Sequence[Observation], verdict: PathVerdict) -> str:
    """Return one line per run, then the problems and their solutions."""
    lines = [f"  {_in_words(run)}" for run in seen]
    for problem in verdict.problems:
        lines += ["", f"PROBLEM ({problem.kind}): {problem.seen}.", f"  Hop: {problem.hop}.", f"  Mend: {problem.mend}"]
    if verdict.notes:
        lines += ["", *(f"Note: {note}" for note in verdict.notes)]
    lines += ["", "Events arrive as they are sent." if verdict.is_good else "Events do not arrive as they are sent."]
    return "\n".join(lines) + "\n"


def _in_words(run: Observation) -> str:
    found, pattern = heard(run), pattern_of(run)
    if pattern is None:
        return f"{run.plan}: {len(found.arrivals)} events, status {run.status}. {run.error}".rstrip()
    largest = max(burst.bytes for burst in pattern.bursts)
    return (
        f"{run.plan}: {len(found.arrivals)} events in {len(pattern.bursts)} pieces of up to {largest:,} bytes, "
        f"held for up to {pattern.held_ms:,.0f} ms"
    )
