"""The line in the server's log for the end of a stream. It never contains the text of a question or an answer."""

import logging
from typing import Any
from uuid import UUID

from chat.protocol.counts import count_of
from chat.protocol.timing import Timing, words

log = logging.getLogger("chat.streams")

LEVELS = {"failed": logging.WARNING, "interrupted": logging.WARNING}


def stream_ended(
    stream_id: UUID,
    status: str,
    *,
    model: str,
    seconds: float,
    timing: Timing | None = None,
    events: int | None = None,
    finish_reason: str | None = None,
    usage: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """One line for the end of a stream: INFO for complete and stopped, WARNING for failed and interrupted.

    `seconds` counts from the request's arrival, as `timing` does; `events` is how many were stored; `usage` is Gemini's
    `usageMetadata`, `error` the JSON of an ApiError, of which code and status are logged; its message may quote what a
    user sent.
    """
    level = LEVELS.get(status, logging.INFO)
    if not log.isEnabledFor(level):
        return
    measured = timing or Timing()
    first_token, gap = _seconds(measured.first_token_us), measured.longest_gap
    tokens_in, tokens_out = (count_of((usage or {}).get(name)) for name in ("promptTokenCount", "candidatesTokenCount"))
    reason = f"{error['code']} {error['status']}" if error else finish_reason
    fields = {"status": status, "reason": reason, "model": model, "seconds": round(seconds, 3), **_fields(measured)}
    fields |= {"events": events, "tokens_in": tokens_in, "tokens_out": tokens_out}
    told = [
        f"{status}{f' ({reason})' if reason else ''} by {model} after {seconds:.3f} s",
        "" if first_token is None else f"first token after {first_token:.3f} s",
        "" if events is None else f"{events} events",
        "" if not measured.stalls else f"stalls: {len(measured.stalls)}, the longest {words(gap.us if gap else None)}",
        "" if tokens_out is None else f"tokens {tokens_in or 0} in, {tokens_out} out",
    ]
    # The record is made here, because `Logger.log` would search the stack for its caller.
    record = logging.LogRecord(log.name, level, __file__, 0, "%s", (", ".join(filter(None, told)),), None)
    record.fields = {name: value for name, value in fields.items() if value is not None}
    record.stream_id = stream_id
    log.handle(record)


def _fields(measured: Timing) -> dict[str, Any]:
    gap = measured.longest_gap
    return {
        "first_thought_seconds": _seconds(measured.first_thought_us),
        "first_token_seconds": _seconds(measured.first_token_us),
        "longest_gap_seconds": _seconds(gap.us if gap else None),
        "stalls": len(measured.stalls) or None,
    }


def _seconds(us: int | None) -> float | None:
    return None if us is None else round(us / 1e6, 3)
