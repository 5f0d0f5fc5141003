"""The page of two streams side by side, such as a request and its rerun, and the links between such streams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from chat import review
from chat.admin.display import bars, error_words, facts
from chat.models import Stream, StreamRerun
from chat.protocol import timing
from chat.protocol.answer import same_beginning
from chat.protocol.timing import Timing

SHOWN_TEXT = 100_000
"""The most characters of an answer that are shown."""
SHOWN_OTHERS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two streams. `same` and `rest` are the answer's text before and after the first difference; "" if
    texts are hidden."""

    stream: Stream
    texts: bool
    facts: list[tuple[str, str]]
    bars: list[tuple[int, int, int]]
    same: str
    rest: str
    length: int
    error: str


def page(streams: Sequence[Stream], texts: Sequence[bool]) -> dict[str, Any]:
    """Return the template's context for two streams. `texts`: whether each one's texts are shown. Both charts have the
    same time scale."""
    measured = [review.measured(stream) for stream in streams]
    end = max((moments[-1] for _, moments in measured if moments), default=0)
    answers = [stream.answer.text for stream in streams]
    same = same_beginning(*answers)
    sides = [
        _side(stream, shown, answer, same, times, bars(review.histogram(moments, end=end)))
        for stream, shown, answer, (times, moments) in zip(streams, texts, answers, measured, strict=True)
    ]
    requests = [stream.request.get("contents") for stream in streams]
    return {
        "sides": sides,
        "same": same,
        "is_equal": answers[0] == answers[1],
        "asked_the_same": requests[0] == requests[1],
        "end": timing.words(end),
    }


def _side(stream: Stream, shown: bool, answer: str, same: int, times: Timing, flow: list[tuple[int, int, int]]) -> Side:
    said = answer[:SHOWN_TEXT] if shown else ""
    error = error_words(stream.error, texts=shown)
    return Side(stream, shown, facts(times), flow, said[:same], said[same:], len(answer), error)


def other_answers(stream: Stream) -> list[Stream]:
    """Return the newest streams of other answers to this stream's question."""
    question: UUID | None = stream.answer.parent_id
    if question is None:
        return []
    found = Stream.objects.filter(answer__parent=question).exclude(pk=stream.pk).defer("request")
    return list(found.order_by("-created_at")[:SHOWN_OTHERS])


def reruns(stream: Stream) -> dict[str, Any]:
    """Return the `original` of which this stream is a rerun, or None, and its own reruns as `again`."""
    found = StreamRerun.objects.filter(Q(stream=stream) | Q(original=stream)).select_related("stream", "original")
    linked = list(found[: SHOWN_OTHERS + 1])
    original = next((each.original for each in linked if each.stream_id == stream.pk), None)
    return {"original": original, "again": [each.stream for each in linked if each.original_id == stream.pk]}


def asked_the_same(one: Stream, other: Stream) -> bool:
    """Whether two streams answer the same message, equal contents, or one is a rerun of the other."""
    if one.answer.parent_id is not None and one.answer.parent_id == other.answer.parent_id:
        return True
    keys = (one.pk, other.pk)
    linked = StreamRerun.objects.filter(stream__in=keys, original__in=keys).exists()
    return linked or one.request.get("contents") == other.request.get("contents")
