"""Stored values as a page shows them: text, never markup."""

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
"""Characters of one event's JSON; `export_stream` gives all of it."""


def status_badge(status: str) -> str:
    """A status with its colour."""
    return format_html('<span class="status status-{}">{}</span>', status, status)


def facts(measured: Timing | None) -> list[tuple[str, str]]:
    """A stream's times as label and value."""
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
    """One message of a transcript; what each of its parts is in place of what it says where texts are hidden."""
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
    """How a turn failed. The words may be an upstream's, about what it was asked: without texts the kind alone."""
    if not error:
        return ""
    said = error if isinstance(error, dict) else {"message": str(error)}
    kind = " ".join(str(said[name]) for name in ("code", "status") if name in said) or "failed"
    return str(said.get("message") or kind) if texts else kind


def gaps_within(measured: Timing) -> str:
    """Half of the gaps, and 95 of 100, are no longer than this."""
    if not measured.gap_us:
        return "–"
    return f"{timing.words(measured.gap_us[50])}, {timing.words(measured.gap_us[95])}"


def verdict_row(verdict: Verdict, *, texts: bool) -> dict[str, Any]:
    """A verdict with what it was before, the newest first. A note may quote what it is about: it is a text."""
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
    """`x`, `y` and height of each bar in a picture 100 high, 10 a bar."""
    most = max(counts, default=0)
    heights = [(10 * at, max(2, count * 100 // most)) for at, count in enumerate(counts) if count]
    return [(x, 100 - height, height) for x, height in heights]


def event_row(event: Event, gap: int, *, texts: bool) -> dict[str, Any]:
    """One event as the table shows it."""
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
    """The same without its words."""
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
