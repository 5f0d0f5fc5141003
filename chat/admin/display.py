"""Formats stored values for the pages of the review, always as text, never as markup."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html

from chat.admin import hidden
from chat.models import Verdict, VerdictChange
from chat.protocol import events, timing
from chat.protocol.events import Event
from chat.protocol.timing import STALL_US, Timing
from chat.review import TranscriptMessage

SHOWN_DATA = 600
"""The most characters of one event's JSON; `export_stream` gives all of it."""


def status_badge(status: str) -> str:
    """Return a status as an element with its colour."""
    return format_html('<span class="status status-{}">{}</span>', status, status)


def facts(measured: Timing | None) -> list[tuple[str, str]]:
    """Return a stream's times as (label, value)."""
    if measured is None:
        return []
    gap = measured.longest_gap
    return [
        ("OK", timing.words(measured.ok_us)),
        *([("first thought", timing.words(measured.first_thought_us))] if measured.first_thought_us else []),
        ("first token", timing.words(measured.first_token_us)),
        ("tokens/s", "–" if measured.tokens_per_s is None else f"{measured.tokens_per_s:.1f}"),
        ("gaps, half and 95 of 100 within", gaps_within(measured)),
        ("longest gap", timing.words(gap.us if gap else None)),
        ("stalls", str(len(measured.stalls))),
        ("duration", timing.words(measured.duration_us)),
    ]


def message_row(turn: TranscriptMessage, *, texts: bool) -> dict[str, Any]:
    """Return one message of a transcript; without `texts` its parts are described by kind and length."""
    feedback, stream = getattr(turn.message, "feedback", None), turn.stream
    return {
        "turn": turn,
        "facts": facts(turn.timing),
        "parts": turn.parts if texts else [],
        "hidden": [] if texts else hidden.described(turn.parts),
        "feedback": feedback if texts or feedback is None else feedback.get_value_display(),
        "error": error_words(stream.error if stream else None, texts=texts),
    }


def error_words(error: Any, *, texts: bool) -> str:
    """Return an error's message; without `texts` only its kind, because the message may quote the question."""
    if not error:
        return ""
    said = error if isinstance(error, dict) else {"message": str(error)}
    kind = " ".join(str(said[name]) for name in ("code", "status") if name in said) or "failed"
    return str(said.get("message") or kind) if texts else kind


def gaps_within(measured: Timing) -> str:
    """Return the median and the 95th percentile of the gaps."""
    if not measured.gap_us:
        return "–"
    return f"{timing.words(measured.gap_us[50])}, {timing.words(measured.gap_us[95])}"


def verdict_row(verdict: Verdict, *, texts: bool) -> dict[str, Any]:
    """Return a verdict with its changes. A note counts as text, because it may quote the answer."""
    changes = [_change(change, texts=texts) for change in verdict.changes.all()]
    return {"reviewer": verdict.reviewer.get_username(), "changes": changes}


def _change(change: VerdictChange, *, texts: bool) -> dict[str, Any]:
    rubric = [f"{name}: {'yes' if held else 'no'}" for name, held in change.rubric.items()]
    return {
        "at": change.at,
        "score": change.score or "–",
        "said": ", ".join([*rubric, *change.tags, *(["flagged"] if change.flagged else [])]),
        "note": change.note if texts or not change.note else f"[note, {hidden.length(change.note)}]",
    }


def bars(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (x, y, height) of each bar in a chart of height 100, with 10 units per bar."""
    most = max(counts, default=0)
    heights = [(10 * at, max(2, count * 100 // most)) for at, count in enumerate(counts) if count]
    return [(x, 100 - height, height) for x, height in heights]


def event_row(event: Event, gap: int, *, texts: bool) -> dict[str, Any]:
    """Return one event for the table; `gap` is in µs."""
    response = events.decode(event.data)
    kind, said = _said(event.seq, response) if texts else _of_kind(event.seq, response)
    return {
        "seq": event.seq,
        "at": timing.words(event.at),
        "gap": timing.words(gap),
        "is_stall": gap >= STALL_US,
        "kind": kind,
        "said": said[:SHOWN_DATA].replace("\n", "↵"),
        "data": event.data[:SHOWN_DATA] + ("…" if len(event.data) > SHOWN_DATA else "") if texts else "",
        "size": len(event.data.encode()),
    }


def _of_kind(seq: int, response: events.Response) -> tuple[str, str]:
    """Return the kind and, instead of the text, its length."""
    kind, _ = _said(seq, response)
    if kind == "error":
        return kind, error_words(response["error"], texts=False)
    return kind, hidden.length(events.text_of(response)) if events.text_of(response) else ""


def _said(seq: int, response: events.Response) -> tuple[str, str]:
    ours = response.get("wondercam") or {}
    if seq == 0:
        return "OK", ""
    if error := response.get("error"):
        return "error", str(error.get("message", ""))
    if notice := ours.get("notice") or ours.get(events.PICKED_UP):
        return "notice", str(notice.get("message", ""))
    if reason := events.finish_reason(response):
        return "end", events.text_of(response) or str(ours.get("end") or reason)
    return ("text" if events.text_of(response) else "other"), events.text_of(response)
